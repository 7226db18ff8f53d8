package spellshield.index.sketch;

import java.util.Arrays;

/// Turns coordinates into codes from 0 to 255: `code_i = round((x_i − low_i) / step)`, clamped.
///
/// All coordinates share one step, so that a sum of squared differences of codes is a squared
/// distance in units of step².
///
/// @param low what code 0 stands for, per coordinate
/// @param step the width of a code, positive
record Quantizer(float[] low, float step) {
  private static final int CODES = 255;
  private static final int SAMPLE = 1 << 16;

  /// Chooses low and step so that nearly all values fit; what does not is clamped, and its error
  /// tells.
  ///
  /// The range of a coordinate is that of its values, but no wider than twice the range between the
  /// 0.1 % and the 99.9 % quantile: one far outlier must not coarsen the codes of all others.
  static Quantizer fit(Sketches sketches, int from, int length) {
    float[] low = new float[length];
    if (sketches.count() == 0) {
      return new Quantizer(low, 1);
    }
    double widest = 0;
    double[] middles = new double[length];
    int rows = Math.min(sketches.count(), SAMPLE);
    float[] values = new float[rows];
    for (int i = 0; i < length; i++) {
      for (int row = 0; row < rows; row++) {
        int item = (int) ((long) row * sketches.count() / rows);
        values[row] = sketches.value(item, from + i);
      }
      Arrays.sort(values);
      double least = values[0];
      double most = values[rows - 1];
      double low999 = values[rows / 1000];
      double high999 = values[rows - 1 - rows / 1000];
      // A sample does not see the extremes of all; an eighth more on both sides does.
      double whole = 1.25 * (most - least);
      double inner = 2 * (high999 - low999);
      middles[i] = 0.5 * (whole <= inner ? least + most : low999 + high999);
      widest = Math.max(widest, Math.min(whole, inner));
    }
    float step = (float) (widest / CODES);
    if (!(step >= Float.MIN_NORMAL && step <= Float.MAX_VALUE)) {
      step = 1; // one point, or nothing to tell apart by
    }
    for (int i = 0; i < length; i++) {
      low[i] = (float) (middles[i] - 0.5 * CODES * (double) step);
      if (!Float.isFinite(low[i])) {
        low[i] = 0;
      }
    }
    return new Quantizer(low, step);
  }

  /// Returns the code of a value of coordinate `i`.
  byte code(float value, int i) {
    double code = ((double) value - low[i]) / step;
    return (byte) (int) Math.clamp(Math.rint(code), 0, CODES); // NaN becomes 0; its error is NaN
  }

  /// Returns the largest code that does not stand for more than a value, or 0: clamping a value to
  /// `[low, low + 255·step]` does not take it below its code.
  byte below(float value, int i) {
    // A quotient off by its last place must not become the next whole number.
    return (byte)
        (int) Math.clamp(Math.floor(((double) value - low[i]) / step - 0x1p-30), 0, CODES);
  }

  /// Returns the least code that does not stand for less than a value, or 255.
  byte above(float value, int i) {
    return (byte) (int) Math.clamp(Math.ceil(((double) value - low[i]) / step + 0x1p-30), 0, CODES);
  }

  /// Returns how far a value is from the nearest that its clamped form can be told from: the error
  /// of a query, whose part outside of `[low, low + 255·step]` may be dropped.
  ///
  /// Clamping both sides of a distance never makes it longer, and codes are inside.
  double squaredQueryError(float value, int i, byte code) {
    double clamped = Math.clamp((double) value, (double) low[i], low[i] + (double) step * CODES);
    double difference = clamped - (low[i] + (double) step * (code & 0xff));
    return difference * difference;
  }
}
