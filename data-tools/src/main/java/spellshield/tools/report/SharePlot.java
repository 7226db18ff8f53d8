package spellshield.tools.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import spellshield.sampler.image.RgbImage;

/// Shares, 0 to 100 %, that grow with something: lines, some with the bounds of what they estimate.
///
/// The drawn picture is the same on every machine.
public final class SharePlot {
  private static final int WIDTH = 1000;
  private static final int HEIGHT = 592;
  private static final int LEFT = 72;
  private static final int TOP = 96; // room for the title and two rows of marks
  private static final int RIGHT = 280; // room for the names of the lines
  private static final int BOTTOM = 72;
  private static final int INK = 0x22262c;
  private static final int PALE = 0x68707c;
  private static final int GRID = 0xe4e7eb;

  private final String title;
  private final String xName;
  private final List<Line> lines = new ArrayList<>();
  private final List<Mark> marks = new ArrayList<>();

  /// A line through (`x[i]`, `y[i]`).
  ///
  /// @param name beside the plot
  /// @param rgb its colour, `0xRRGGBB`
  /// @param width in dots
  /// @param x growing, at least two
  /// @param y shares, 0 to 1
  /// @param low lower bounds of y, or `y` where there are none
  /// @param high upper bounds of y, or `y` where there are none
  public record Line(
      String name, int rgb, int width, double[] x, double[] y, double[] low, double[] high) {
    public Line {
      if (x.length < 2
          || y.length != x.length
          || low.length != x.length
          || high.length != x.length) {
        throw new IllegalArgumentException(
            "a line has at least 2 points with a value and bounds each, but '%s' has %d, %d, %d, %d"
                .formatted(name, x.length, y.length, low.length, high.length));
      }
    }

    /// A line without bounds.
    public static Line of(String name, int rgb, int width, double[] x, double[] y) {
      return new Line(name, rgb, width, x, y, y, y);
    }

    private double at(double[] values, double where) {
      int i = 0;
      while (i < x.length - 2 && x[i + 1] < where) {
        i++;
      }
      double part = Math.clamp((where - x[i]) / (x[i + 1] - x[i]), 0.0, 1.0);
      return values[i] + part * (values[i + 1] - values[i]);
    }
  }

  /// An upright line at `x`, with a name.
  private record Mark(String name, double x) {}

  /// Begins an empty plot.
  public SharePlot(String title, String xName) {
    this.title = title;
    this.xName = xName;
  }

  /// Adds a line, drawn over those before it.
  public SharePlot line(Line line) {
    lines.add(line);
    return this;
  }

  /// Adds an upright line; left out where it lies beside the plot.
  public SharePlot mark(String name, double x) {
    marks.add(new Mark(name, x));
    return this;
  }

  /// Returns the plot as a picture.
  ///
  /// @throws IllegalStateException if it has no lines
  public RgbImage draw() {
    Pen.Dots pen = new Pen.Dots(WIDTH, HEIGHT);
    draw(pen);
    return pen.image();
  }

  /// Returns the plot as an SVG document.
  ///
  /// @throws IllegalStateException if it has no lines
  public String svg() {
    Pen.Svg pen = new Pen.Svg(WIDTH, HEIGHT);
    draw(pen);
    return pen.document();
  }

  private void draw(Pen pen) {
    if (lines.isEmpty()) {
      throw new IllegalStateException("a plot needs at least one line");
    }
    Frame frame =
        new Frame(
            lines.stream().mapToDouble(line -> line.x()[0]).min().orElseThrow(),
            lines.stream().mapToDouble(line -> line.x()[line.x().length - 1]).max().orElseThrow());
    lines.forEach(line -> bounds(pen, frame, line));
    grid(pen, frame);
    marks(pen, frame);
    for (Line line : lines) {
      for (int i = 1; i < line.x().length; i++) {
        pen.line(
            frame.x(line.x()[i - 1]),
            frame.y(line.y()[i - 1]),
            frame.x(line.x()[i]),
            frame.y(line.y()[i]),
            line.width(),
            line.rgb());
      }
    }
    names(pen);
    pen.text(title, LEFT, 20, INK);
    pen.text(xName, LEFT + (WIDTH - LEFT - RIGHT - pen.width(xName)) / 2, HEIGHT - 28, PALE);
  }

  /// Shows the bounds of a line in its colour, made pale, column by column.
  private static void bounds(Pen pen, Frame frame, Line line) {
    int pale = pale(line.rgb());
    for (int x = LEFT; x < WIDTH - RIGHT; x += 2) {
      double where = frame.value(x + 1);
      double low = frame.y(line.at(line.low(), where));
      double high = frame.y(line.at(line.high(), where));
      if (low - high >= 1) {
        pen.column(x, 2, high, low, pale);
      }
    }
  }

  private static int pale(int rgb) {
    int pale = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
      int channel = (rgb >> shift) & 0xff;
      pale |= (255 - (255 - channel) / 4) << shift;
    }
    return pale;
  }

  private static void grid(Pen pen, Frame frame) {
    for (int percent = 0; percent <= 100; percent += 20) {
      double y = frame.y(percent / 100.0);
      pen.line(LEFT, y, WIDTH - RIGHT, y, 1, percent == 0 ? PALE : GRID);
      String label = percent + " %";
      pen.text(label, LEFT - 10 - pen.width(label), y - Pen.LETTER / 2.0, PALE);
    }
    for (int tenth = (int) Math.ceil(frame.from() * 10); tenth <= frame.to() * 10; tenth++) {
      double x = frame.x(tenth / 10.0);
      pen.line(x, TOP, x, HEIGHT - BOTTOM, 1, GRID);
      String label = String.format(Locale.ROOT, "%.1f", tenth / 10.0);
      pen.text(label, x - pen.width(label) / 2, HEIGHT - BOTTOM + 12, PALE);
    }
  }

  private void marks(Pen pen, Frame frame) {
    int row = 0;
    for (Mark mark : marks) {
      if (mark.x() >= frame.from() && mark.x() <= frame.to()) {
        double x = frame.x(mark.x());
        double top = TOP - (row % 2 == 0 ? 24 : 48);
        pen.line(x, top, x, HEIGHT - BOTTOM, 2, INK);
        double left = Math.min(x + 6, WIDTH - RIGHT - pen.width(mark.name()));
        pen.text(mark.name(), left, top, INK);
        row++;
      }
    }
  }

  private void names(Pen pen) {
    double y = TOP;
    for (Line line : lines.reversed()) {
      double x = WIDTH - RIGHT + 20;
      pen.line(x, y + Pen.LETTER / 2.0, x + 24, y + Pen.LETTER / 2.0, line.width(), line.rgb());
      pen.text(line.name(), x + 34, y, INK);
      y += 26;
    }
  }

  /// Where values lie.
  private record Frame(double from, double to) {
    double x(double value) {
      return LEFT + (value - from) / (to - from) * (WIDTH - LEFT - RIGHT);
    }

    double value(double x) {
      return from + (x - LEFT) / (WIDTH - LEFT - RIGHT) * (to - from);
    }

    double y(double share) {
      return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    }
  }
}
