package spellshield.tools.image;

import java.util.Arrays;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;

/// Pillow's resize, bit for bit, and the ways to bring pictures to a size on top of it.
///
/// A resize is two passes, rows first, with 8-bit samples between them. Output sample `i` of a pass
/// lies at `c = (i + ½)·s`, `s = in / out`; with `f = max(s, 1)` it is
///
/// ```text
/// clip((½ + Σ_j K_j·in_j), 0, 255),  K_j ∝ filter((j + ½ − c) / f), Σ K_j = 1
/// ```
///
/// over `|j + ½ − c| ≤ support·f`, where K is rounded to 22 fractional bits and a pass that would
/// change nothing is left out. Source: Pillow 12, `src/libImaging/Resample.c` (MIT-CMU licence).
public final class Resample {
  private static final int PRECISION = 32 - 8 - 2; // two bits for the overshoot of a filter

  private static final int HALF = 1 << (PRECISION - 1);

  private Resample() {}

  /// The filters of Pillow that the field prepares images with.
  public enum Filter {
    BOX(0.5) {
      @Override
      double at(double x) {
        return x > -0.5 && x <= 0.5 ? 1 : 0;
      }
    },
    /// Keys' cubic with a = −½.
    BICUBIC(2) {
      @Override
      double at(double x) {
        double a = -0.5;
        double d = Math.abs(x);
        if (d < 1) {
          return ((a + 2) * d - (a + 3)) * d * d + 1;
        }
        return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
      }
    },
    LANCZOS(3) {
      @Override
      double at(double x) {
        return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
      }

      private double sinc(double x) {
        return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
      }
    };

    private final double support;

    Filter(double support) {
      this.support = support;
    }

    abstract double at(double x);
  }

  /// Returns the picture resized to `width × height`, as `Image.resize` does.
  public static RgbImage resize(RgbImage image, int width, int height, Filter filter) {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(
          "an image is resized to at least 1×1, but %d×%d was asked".formatted(width, height));
    }
    return new Window(image, 0, 0)
        .filtered(
            Pass.of(image.width(), width, 0, width, filter),
            Pass.of(image.height(), height, 0, height, filter));
  }

  /// Returns the picture at the size `width × height`, brought there as the crop says.
  public static RgbImage fit(RgbImage image, int width, int height, Crop crop) {
    return switch (crop) {
      case ADM -> centreCrop(image, width, height);
      case CENTER -> centre(image, width, height);
      case RESIZE -> resize(image, width, height, Filter.LANCZOS);
    };
  }

  /// Returns the largest rectangle in the middle that has the shape of `width × height`, scaled to
  /// that by [Filter#LANCZOS]; its other side is rounded half to even. For a square this is EDM's
  /// `center-crop`.
  private static RgbImage centre(RgbImage image, int width, int height) {
    boolean wide = (long) image.width() * height > (long) image.height() * width;
    int cutWidth = wide ? share(image.height(), width, height) : image.width();
    int cutHeight = wide ? image.height() : share(image.width(), height, width);
    int left = (image.width() - cutWidth) / 2;
    int top = (image.height() - cutHeight) / 2;
    return new Window(image, -left, -top)
        .filtered(
            Pass.of(cutWidth, width, 0, width, Filter.LANCZOS),
            Pass.of(cutHeight, height, 0, height, Filter.LANCZOS));
  }

  private static int share(int side, int of, int to) {
    return Math.max(1, (int) Math.rint((double) side * of / to));
  }

  /// Returns the centre of the picture, scaled so that it just covers `width × height`.
  ///
  /// For a square this is ADM's crop (guided-diffusion's `center_crop_arr`, also of DiT and EDM2):
  /// halve both sides with [Filter#BOX] while the shorter one is at least twice too long, scale
  /// with [Filter#BICUBIC] to sides rounded half to even, cut out the centre. Only what the cut
  /// needs is computed, so a very long strip costs no more than its centre.
  public static RgbImage centreCrop(RgbImage image, int width, int height) {
    int halvings = 0;
    while (image.width() >> halvings >= 2L * width && image.height() >> halvings >= 2L * height) {
      halvings++;
    }
    int halfWidth = image.width() >> halvings;
    int halfHeight = image.height() >> halvings;
    double scale = Math.max((double) width / halfWidth, (double) height / halfHeight);
    long fullWidth = (long) Math.rint(halfWidth * scale);
    long fullHeight = (long) Math.rint(halfHeight * scale);
    Pass horizontal = Pass.of(halfWidth, fullWidth, (fullWidth - width) / 2, width, Filter.BICUBIC);
    Pass vertical =
        Pass.of(halfHeight, fullHeight, (fullHeight - height) / 2, height, Filter.BICUBIC);
    return halved(image, halvings, horizontal, vertical).filtered(horizontal, vertical);
  }

  /// Returns what two passes need of the picture halved so many times.
  private static Window halved(RgbImage image, int times, Pass horizontal, Pass vertical) {
    if (times == 0) {
      return new Window(image, 0, 0);
    }
    int before = times - 1; // halves of halves, rounded down, are shifts
    Pass across = horizontal.before(image.width() >> before, image.width() >> times);
    Pass down = vertical.before(image.height() >> before, image.height() >> times);
    RgbImage half = halved(image, before, across, down).filtered(across, down);
    return new Window(half, horizontal.first(), vertical.first());
  }

  /// Pixels of a picture of which not all are there, or which is a part of what is there.
  ///
  /// @param image what is there
  /// @param left where the picture's column 0 would be left of it; negative where it is inside
  /// @param top the same of row 0
  private record Window(RgbImage image, int left, int top) {

    /// Returns what both passes make of it, the horizontal one first.
    RgbImage filtered(Pass horizontal, Pass vertical) {
      int firstRow = vertical.first();
      int rows = vertical.end() - firstRow;
      int channels = image.channels();
      int line = Math.multiplyExact(horizontal.count(), channels);
      byte[] between = new byte[Math.multiplyExact(rows, line)];
      for (int y = 0; y < rows; y++) {
        int from = ((firstRow + y - top) * image.width() - left) * channels;
        horizontal.along(image.samples(), from, channels, between, y * line);
      }
      byte[] out = new byte[Math.multiplyExact(line, vertical.count())];
      vertical.across(between, firstRow, line, out);
      return new RgbImage(horizontal.count(), vertical.count(), channels, out);
    }
  }

  /// One pass: where each output sample's inputs begin, and their weights.
  ///
  /// @param halves whether every output is the mean of two inputs, and those of the next follow
  private record Pass(int[] starts, int[][] weights, boolean halves) {

    static Pass of(int in, long out, long from, int count, Filter filter) {
      double scale = (double) in / out;
      double stretch = Math.max(scale, 1);
      double support = filter.support * stretch;
      int[] starts = new int[count];
      int[][] weights = new int[count][];
      for (int i = 0; i < count; i++) {
        double centre = (from + i + 0.5) * scale;
        int start = Math.max(0, (int) (centre - support + 0.5));
        int end = Math.min(in, (int) (centre + support + 0.5));
        starts[i] = start;
        weights[i] =
            in == out ? identity(starts, i, from) : weights(start, end, centre, stretch, filter);
      }
      return new Pass(starts, weights, filter == Filter.BOX && in == 2 * out);
    }

    /// Returns the pass of [Filter#BOX] that makes the inputs of this one.
    Pass before(int in, int out) {
      return of(in, out, first(), end() - first(), Filter.BOX);
    }

    int count() {
      return starts.length;
    }

    private static int[] identity(int[] starts, int i, long from) {
      starts[i] = (int) from + i;
      return new int[] {1 << PRECISION};
    }

    private static int[] weights(int start, int end, double centre, double stretch, Filter filter) {
      double[] exact = new double[end - start];
      double sum = 0;
      for (int j = 0; j < exact.length; j++) {
        exact[j] = filter.at((j + start - centre + 0.5) * (1 / stretch));
        sum += exact[j];
      }
      int[] fixed = new int[exact.length];
      for (int j = 0; j < exact.length; j++) {
        double weight = sum == 0 ? exact[j] : exact[j] / sum;
        fixed[j] = (int) (weight * (1 << PRECISION) + (weight < 0 ? -0.5 : 0.5));
      }
      return fixed;
    }

    int first() {
      int first = Integer.MAX_VALUE;
      for (int start : starts) {
        first = Math.min(first, start);
      }
      return first;
    }

    int end() {
      int end = 0;
      for (int i = 0; i < starts.length; i++) {
        end = Math.max(end, starts[i] + weights[i].length);
      }
      return end;
    }

    private static byte clip(int sum) {
      return (byte) Math.max(0, Math.min(255, sum >> PRECISION));
    }

    /// Filters a row.
    ///
    /// @param from where input 0 is, or would be
    void along(byte[] in, int from, int channels, byte[] out, int to) {
      if (halves) {
        Halving.along(in, from + starts[0] * channels, channels, out, to, count() * channels);
      } else if (channels == 3) {
        alongColour(in, from, out, to);
      } else {
        alongGrey(in, from, out, to);
      }
    }

    /// Filters a row of grey pixels.
    private void alongGrey(byte[] in, int from, byte[] out, int to) {
      for (int i = 0; i < starts.length; i++) {
        int[] kernel = weights[i];
        int first = from + starts[i];
        int sum = HALF;
        for (int j = 0; j < kernel.length; j++) {
          sum += kernel[j] * (in[first + j] & 0xff);
        }
        out[to + i] = clip(sum);
      }
    }

    /// Filters a row of red, green, blue pixels, two at a time: kernels are too short for the
    /// compiler to unroll (measured: a third faster at 256 pixels).
    private void alongColour(byte[] in, int from, byte[] out, int to) {
      for (int i = 0; i < starts.length; i++) {
        int[] kernel = weights[i];
        int at = from + 3 * starts[i];
        int red = HALF;
        int green = HALF;
        int blue = HALF;
        int j = 0;
        for (; j + 1 < kernel.length; j += 2) {
          int weight = kernel[j];
          int next = kernel[j + 1];
          red += weight * (in[at] & 0xff) + next * (in[at + 3] & 0xff);
          green += weight * (in[at + 1] & 0xff) + next * (in[at + 4] & 0xff);
          blue += weight * (in[at + 2] & 0xff) + next * (in[at + 5] & 0xff);
          at += 6;
        }
        if (j < kernel.length) {
          red += kernel[j] * (in[at] & 0xff);
          green += kernel[j] * (in[at + 1] & 0xff);
          blue += kernel[j] * (in[at + 2] & 0xff);
        }
        out[to + 3 * i] = clip(red);
        out[to + 3 * i + 1] = clip(green);
        out[to + 3 * i + 2] = clip(blue);
      }
    }

    /// Filters all columns at once, row by row: neighbours in memory, which the compiler takes into
    /// the lanes of vectors.
    ///
    /// @param firstRow the number of the first row in `in`
    void across(byte[] in, int firstRow, int line, byte[] out) {
      int[] sums = new int[line];
      for (int i = 0; i < starts.length; i++) {
        int from = (starts[i] - firstRow) * line;
        if (weights[i].length == 2 && weights[i][0] == HALF && weights[i][1] == HALF) {
          Halving.across(in, from, from + line, out, i * line, line);
          continue;
        }
        Arrays.fill(sums, HALF);
        for (int weight : weights[i]) {
          addRow(sums, in, from, weight);
          from += line;
        }
        clipRow(sums, out, i * line);
      }
    }

    private static void addRow(int[] sums, byte[] in, int from, int weight) {
      for (int x = 0; x < sums.length; x++) {
        sums[x] += weight * (in[from + x] & 0xff);
      }
    }

    private static void clipRow(int[] sums, byte[] out, int to) {
      for (int x = 0; x < sums.length; x++) {
        out[to + x] = clip(sums[x]);
      }
    }
  }
}
