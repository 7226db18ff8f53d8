package spellshield.sampler.guarantee;

import java.util.SplittableRandom;
import spellshield.index.store.RadiusScales;

/// Distances and sets by the plain formula, in float64.
final class Plain {
  private Plain() {}

  /// Returns the distance to the nearest row of `[K, D]`.
  static double nearest(float[] x, float[] rows) {
    return nearest(x, rows, RadiusScales.ONES);
  }

  /// Returns the least distance to a row of `[K, D]` divided by the row's scale: the radius at
  /// which a ball comes to `x`.
  static double nearest(float[] x, float[] rows, RadiusScales scales) {
    double least = Double.POSITIVE_INFINITY;
    for (int from = 0; from < rows.length; from += x.length) {
      double sum = 0;
      for (int i = 0; i < x.length; i++) {
        double difference = (double) x[i] - rows[from + i];
        sum += difference * difference;
      }
      least = Math.min(least, Math.sqrt(sum) / scales.of(from / x.length));
    }
    return least;
  }

  /// Draws `[count, dim]` normal values.
  static float[] gaussian(SplittableRandom random, int count, int dim) {
    float[] values = new float[count * dim];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /// Draws scales from 1/4 to 4, a tenth of them 1, and powers of two among them.
  static RadiusScales scales(SplittableRandom random, int count) {
    float[] scales = new float[count];
    for (int item = 0; item < count; item++) {
      double exponent = 4 * random.nextDouble() - 2;
      scales[item] =
          switch (random.nextInt(10)) {
            case 0 -> 1;
            case 1 -> Math.scalb(1f, (int) Math.rint(exponent));
            default -> (float) Math.pow(2, exponent);
          };
    }
    return RadiusScales.from(scales);
  }
}
