package spellshield.tools.image;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Means of two samples, rounded up: what a box filter with two weights of ½ comes to.
///
/// ```text
/// ⌊(½ + ½·a + ½·b)⌋ = ⌊(a + b + 1) / 2⌋ = (a | b) − ⌊(a ^ b) / 2⌋
/// ```
///
/// The last form never leaves its byte, so eight samples go through a long at once, which the
/// compiler does not find by itself (measured: halving a picture takes a fifth of the time).
final class Halving {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /// All bits of each byte but the lowest.
  private static final long UPPER = 0xfefefefefefefefeL;

  private static final long PIXEL = 0xffffff; // red, green, blue

  private Halving() {}

  private static long means(long a, long b) {
    return (a | b) - (((a ^ b) & UPPER) >>> 1);
  }

  private static byte mean(byte a, byte b) {
    return (byte) (((a & 0xff) + (b & 0xff) + 1) >> 1);
  }

  /// Halves a row: each pixel becomes the mean of two neighbours.
  ///
  /// @param length of the result, in samples
  static void along(byte[] in, int from, int channels, byte[] out, int to, int length) {
    int done = channels == 3 ? alongColour(in, from, out, to, length) : 0;
    int at = from + 2 * done;
    for (int i = done; i < length; at += 2 * channels) {
      for (int c = 0; c < channels; c++) {
        out[to + i++] = mean(in[at + c], in[at + channels + c]);
      }
    }
  }

  /// Halves four pixels to two at a time, and returns how many samples of the result that made. Two
  /// bytes too many are written each time, of this row, which the next pixels replace.
  private static int alongColour(byte[] in, int from, byte[] out, int to, int length) {
    int most = Math.min(length - 8, (in.length - from - 14) / 2);
    int i = 0;
    for (; i <= most; i += 6) {
      long first = (long) LONGS.get(in, from + 2 * i);
      long second = (long) LONGS.get(in, from + 2 * i + 6);
      long even = (first & PIXEL) | ((second & PIXEL) << 24);
      long odd = ((first >>> 24) & PIXEL) | (((second >>> 24) & PIXEL) << 24);
      LONGS.set(out, to + i, means(even, odd));
    }
    return i;
  }

  /// Makes a row of the means of two.
  static void across(byte[] in, int first, int second, byte[] out, int to, int length) {
    int i = 0;
    for (; i <= length - 8; i += 8) {
      long a = (long) LONGS.get(in, first + i);
      long b = (long) LONGS.get(in, second + i);
      LONGS.set(out, to + i, means(a, b));
    }
    for (; i < length; i++) {
      out[to + i] = mean(in[first + i], in[second + i]);
    }
  }
}
