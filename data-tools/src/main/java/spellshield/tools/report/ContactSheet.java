package spellshield.tools.report;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import spellshield.sampler.image.RgbImage;

/// Pictures in a grid on white, with headings, captions and coloured frames.
///
/// Pictures are enlarged by a whole factor, each pixel a square, and stand centred in cells of one
/// size. A text may have several lines, each of which is broken once where it is too long and then
/// ends with an ellipsis. Made by one thread; the drawn picture is the same on every machine.
public final class ContactSheet {
  /// The frame of a picture inside a forbidden ball.
  public static final int INSIDE = 0xd03a2f;

  /// The frame of a picture outside all of them.
  public static final int OUTSIDE = 0x2f9e5b;

  /// A frame that says nothing.
  public static final int NEUTRAL = 0xd4d7dc;

  private static final int MARGIN = 28;
  private static final int GAP = 18; // between cells
  private static final int FRAME = 3;
  private static final int MAT = 3; // white between frame and picture
  private static final int TITLE = 3; // dots of the sheet a dot of a letter takes
  private static final int TEXT = 2;
  private static final int LINE = 10 * TEXT; // from one line of text to the next
  private static final int TITLE_GAP = 24;
  private static final int COLUMN_GAP = 6;
  private static final int CAPTION_GAP = 8;
  private static final int INK = 0x22262c;
  private static final int PALE = 0x68707c;
  private static final int WIDEST_HEADING = 190;
  private static final int NARROWEST_CELL = 96; // room for a caption under small pictures

  private final String title;
  private final int scale;
  private final List<String> columns = new ArrayList<>();
  private final List<Row> rows = new ArrayList<>();

  /// A picture with a caption (may be empty) and the colour of its frame, `0xRRGGBB`.
  public record Cell(RgbImage image, String caption, int frame) {

    /// A picture with a frame that says nothing.
    public static Cell of(RgbImage image, String caption) {
      return new Cell(image, caption, NEUTRAL);
    }
  }

  private record Row(String heading, List<Cell> cells) {}

  /// Begins an empty sheet.
  ///
  /// @param title above all; may be empty
  /// @param scale dots per pixel of a picture, 1 to 16
  public ContactSheet(String title, int scale) {
    if (scale < 1 || scale > 16) {
      throw new IllegalArgumentException("scale must be 1 to 16, but was " + scale);
    }
    this.title = title;
    this.scale = scale;
  }

  /// Sets the headings of the columns, from the left.
  public ContactSheet columns(String... headings) {
    columns.clear();
    columns.addAll(List.of(headings));
    return this;
  }

  /// Adds a row; its heading may be empty.
  public ContactSheet row(String heading, List<Cell> cells) {
    rows.add(new Row(heading, List.copyOf(cells)));
    return this;
  }

  /// Adds rows of `perRow` cells without headings.
  public ContactSheet grid(int perRow, List<Cell> cells) {
    for (int from = 0; from < cells.size(); from += perRow) {
      row("", cells.subList(from, Math.min(cells.size(), from + perRow)));
    }
    return this;
  }

  /// Returns the sheet as a picture.
  ///
  /// @throws IllegalStateException if it has no cells
  public RgbImage draw() {
    Layout layout = new Layout(this);
    Canvas canvas = new Canvas(layout.width, layout.height);
    int top = MARGIN;
    String fitted = Glyphs.fit(title, (layout.width - 2 * MARGIN) / TITLE);
    canvas.text(fitted, MARGIN, top, TITLE, INK);
    top += layout.titleHeight + layout.columnsHeight;
    for (int i = 0; i < columns.size(); i++) {
      List<Line> lines = lines(columns.get(i), layout.cellWidth);
      int bottom = top - COLUMN_GAP;
      centred(canvas, lines, layout.left(i), bottom - lines.size() * LINE, layout.cellWidth);
    }
    for (Row row : rows) {
      List<Line> heading = lines(row.heading(), WIDEST_HEADING);
      int middle = top + layout.pictureHeight / 2;
      for (int i = 0; i < heading.size(); i++) {
        int line = middle - heading.size() * LINE / 2 + i * LINE;
        canvas.text(heading.get(i).text(), MARGIN, line, TEXT, INK);
      }
      for (int i = 0; i < row.cells().size(); i++) {
        cell(canvas, row.cells().get(i), layout.left(i), top, layout);
      }
      top += layout.rowHeight;
    }
    return canvas.image();
  }

  private void cell(Canvas canvas, Cell cell, int left, int top, Layout layout) {
    int border = FRAME + MAT;
    int width = cell.image().width() * scale;
    int height = cell.image().height() * scale;
    int x = left + (layout.cellWidth - width) / 2;
    int y = top + (layout.pictureHeight - height) / 2;
    canvas.fill(x - border, y - border, width + 2 * border, height + 2 * border, cell.frame());
    canvas.fill(x - MAT, y - MAT, width + 2 * MAT, height + 2 * MAT, 0xffffff);
    canvas.picture(cell.image(), x, y, scale);
    List<Line> lines = lines(cell.caption(), layout.cellWidth);
    centred(canvas, lines, left, top + layout.pictureHeight + CAPTION_GAP, layout.cellWidth);
  }

  private static void centred(Canvas canvas, List<Line> lines, int left, int top, int width) {
    for (int i = 0; i < lines.size(); i++) {
      Line line = lines.get(i);
      int indent = (width - Glyphs.width(line.text()) * TEXT) / 2;
      canvas.text(line.text(), left + indent, top + i * LINE, TEXT, line.rgb());
    }
  }

  private record Line(String text, int rgb) {}

  /// Returns a text's lines, each of its own at most broken once; the first stands out.
  private static List<Line> lines(String text, int width) {
    List<Line> lines = new ArrayList<>();
    if (text.isEmpty()) {
      return lines;
    }
    int rgb = INK;
    for (String own : text.split("\n", -1)) {
      for (String part : Glyphs.wrap(own, width / TEXT, 2)) {
        lines.add(new Line(part, rgb));
      }
      rgb = PALE;
    }
    return lines;
  }

  /// Where everything goes, in dots.
  private static final class Layout {
    private final int headingWidth;
    private final int cellWidth;
    private final int pictureHeight; // frame included
    private final int titleHeight;
    private final int columnsHeight;
    private final int rowHeight;
    private final int width;
    private final int height;

    Layout(ContactSheet sheet) {
      List<Cell> cells = sheet.rows.stream().flatMap(row -> row.cells().stream()).toList();
      if (cells.isEmpty()) {
        throw new IllegalStateException("a contact sheet needs at least one picture");
      }
      int border = 2 * (FRAME + MAT);
      cellWidth =
          Math.max(
              NARROWEST_CELL, most(cells, cell -> cell.image().width()) * sheet.scale + border);
      pictureHeight = most(cells, cell -> cell.image().height()) * sheet.scale + border;
      int captions = most(cells, cell -> lines(cell.caption(), cellWidth).size());
      int headings = most(sheet.columns, text -> lines(text, cellWidth).size());
      int heading =
          TEXT
              * most(
                  sheet.rows.stream().flatMap(r -> lines(r.heading(), WIDEST_HEADING).stream()),
                  line -> Glyphs.width(line.text()));
      headingWidth = heading == 0 ? 0 : heading + GAP;
      titleHeight = sheet.title.isEmpty() ? 0 : TITLE * Glyphs.HEIGHT + TITLE_GAP;
      columnsHeight = headings == 0 ? 0 : headings * LINE + COLUMN_GAP;
      rowHeight = pictureHeight + (captions == 0 ? 0 : CAPTION_GAP + captions * LINE) + GAP;
      int count = Math.max(sheet.columns.size(), most(sheet.rows, row -> row.cells().size()));
      width = 2 * MARGIN + headingWidth + count * (cellWidth + GAP) - GAP;
      height = 2 * MARGIN + titleHeight + columnsHeight + sheet.rows.size() * rowHeight - GAP;
    }

    private static <T> int most(List<T> items, ToIntFunction<T> size) {
      return most(items.stream(), size);
    }

    private static <T> int most(Stream<T> items, ToIntFunction<T> size) {
      return items.mapToInt(size).max().orElse(0);
    }

    int left(int column) {
      return MARGIN + headingWidth + column * (cellWidth + GAP);
    }
  }
}
