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
    return window(image, width, height, 0, 0, width, height, filter);
  }

  /// Returns the picture at the size `width × height`, brought there as the crop says.
  public static RgbImage fit(RgbImage image, int width, int height, Crop crop) {
    return switch (crop) {
      case ADM -> centreCrop(image, width, height);
      case CENTER -> resize(centre(image, width, height), width, height, Filter.LANCZOS);
      case RESIZE -> resize(image, width, height, Filter.LANCZOS);
    };
  }

  /// Cuts out the largest rectangle in the middle that has the shape of `width × height`, its other
  /// side rounded half to even: for a square EDM's `center-crop`, before its resize.
  private static RgbImage centre(RgbImage image, int width, int height) {
    boolean wide = (long) image.width() * height > (long) image.height() * width;
    int cutWidth = wide ? share(image.height(), width, height) : image.width();
    int cutHeight = wide ? image.height() : share(image.width(), height, width);
    int left = (image.width() - cutWidth) / 2;
    int top = (image.height() - cutHeight) / 2;
    int line = cutWidth * image.channels();
    byte[] cut = new byte[cutHeight * line];
    for (int y = 0; y < cutHeight; y++) {
      int from = ((top + y) * image.width() + left) * image.channels();
      System.arraycopy(image.samples(), from, cut, y * line, line);
    }
    return new RgbImage(cutWidth, cutHeight, image.channels(), cut);
  }

  private static int share(int side, int of, int to) {
    return Math.max(1, (int) Math.rint((double) side * of / to));
  }

  /// Returns the centre of the picture, scaled so that it just covers `width × height`.
  ///
  /// For a square this is ADM's crop (guided-diffusion's `center_crop_arr`, also of DiT and EDM2):
  /// halve both sides with [Filter#BOX] while the shorter one is at least twice too long, scale
  /// with [Filter#BICUBIC] to sides rounded half to even, cut out the centre. Only what is cut out
  /// is computed, so a very long strip costs no more than its centre.
  public static RgbImage centreCrop(RgbImage image, int width, int height) {
    RgbImage halved = image;
    while (halved.width() >= 2L * width && halved.height() >= 2L * height) {
      halved = resize(halved, halved.width() / 2, halved.height() / 2, Filter.BOX);
    }
    double scale = Math.max((double) width / halved.width(), (double) height / halved.height());
    long fullWidth = (long) Math.rint(halved.width() * scale);
    long fullHeight = (long) Math.rint(halved.height() * scale);
    return window(
        halved,
        fullWidth,
        fullHeight,
        (fullWidth - width) / 2,
        (fullHeight - height) / 2,
        width,
        height,
        Filter.BICUBIC);
  }

  /// Returns `width × height` pixels at (`left`, `top`) of the picture resized to the full size.
  private static RgbImage window(
      RgbImage image,
      long fullWidth,
      long fullHeight,
      long left,
      long top,
      int width,
      int height,
      Filter filter) {
    Pass horizontal = Pass.of(image.width(), fullWidth, left, width, filter);
    Pass vertical = Pass.of(image.height(), fullHeight, top, height, filter);
    int firstRow = vertical.first();
    int rows = vertical.end() - firstRow;
    int channels = image.channels();
    int line = Math.multiplyExact(width, channels);
    byte[] between = new byte[Math.multiplyExact(rows, line)];
    for (int y = 0; y < rows; y++) {
      int from = (firstRow + y) * image.width() * channels;
      if (horizontal.halves) {
        halveRow(image.samples(), from, channels, between, y * line, line);
      } else if (channels == 3) {
        horizontal.alongColour(image.samples(), from, between, y * line);
      } else {
        horizontal.alongGrey(image.samples(), from, between, y * line);
      }
    }
    byte[] out = new byte[Math.multiplyExact(line, height)];
    vertical.across(between, firstRow, line, out);
    return new RgbImage(width, height, channels, out);
  }

  /// Halves a row with a box: both weights are ½ exactly, and `⌊(a + b + 1) / 2⌋` is what the
  /// general pass comes to.
  private static void halveRow(byte[] in, int from, int channels, byte[] out, int to, int length) {
    int at = from;
    for (int i = 0; i < length; at += 2 * channels) {
      for (int c = 0; c < channels; c++) {
        out[to + i++] = mean(in[at + c], in[at + channels + c]);
      }
    }
  }

  private static byte mean(byte a, byte b) {
    return (byte) (((a & 0xff) + (b & 0xff) + 1) >> 1);
  }

  /// One pass: where each output sample's inputs begin, and their weights.
  ///
  /// @param halves whether every output is the mean of two inputs, from the first on
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
      boolean halves = filter == Filter.BOX && in == 2 * out && from == 0 && count == out;
      return new Pass(starts, weights, halves);
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

    /// Filters a row of grey pixels.
    void alongGrey(byte[] in, int from, byte[] out, int to) {
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
    void alongColour(byte[] in, int from, byte[] out, int to) {
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
        if (halves) {
          meanOfRows(in, 2 * i * line, out, i * line, line);
          continue;
        }
        Arrays.fill(sums, HALF);
        int from = (starts[i] - firstRow) * line;
        for (int weight : weights[i]) {
          addRow(sums, in, from, weight);
          from += line;
        }
        clipRow(sums, out, i * line);
      }
    }

    private static void meanOfRows(byte[] in, int from, byte[] out, int to, int line) {
      for (int x = 0; x < line; x++) {
        out[to + x] = mean(in[from + x], in[from + line + x]);
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
