package spellshield.sampler.guarantee;

import java.util.SplittableRandom;

/// Distances and sets by the plain formula, in float64.
final class Plain {
  private Plain() {}

  /// Returns the distance to the nearest row of `[K, D]`.
  static double nearest(float[] x, float[] rows) {
    double least = Double.POSITIVE_INFINITY;
    for (int from = 0; from < rows.length; from += x.length) {
      double sum = 0;
      for (int i = 0; i < x.length; i++) {
        double difference = (double) x[i] - rows[from + i];
        sum += difference * difference;
      }
      least = Math.min(least, Math.sqrt(sum));
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
}
