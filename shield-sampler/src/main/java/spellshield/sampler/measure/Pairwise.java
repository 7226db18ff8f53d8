package spellshield.sampler.measure;

import spellshield.sampler.Latents;

/// Distances between the rows of one set.
public final class Pairwise {
  private Pairwise() {}

  /// Returns the mean of ‖x_i − x_j‖ over the unordered pairs of two rows or more.
  ///
  /// @throws IllegalArgumentException if there are fewer than two rows
  public static double meanDistance(Latents rows) {
    int n = rows.batch();
    if (n < 2) {
      throw new IllegalArgumentException("a pair needs at least 2 rows, but there were " + n);
    }
    double sum = 0;
    for (int i = 0; i < n; i++) {
      for (int j = i + 1; j < n; j++) {
        sum += Math.sqrt(distanceSquared(rows, i, j));
      }
    }
    return sum / (0.5 * n * (n - 1.0));
  }

  /// Returns ‖x_i − x_j‖².
  static double distanceSquared(Latents rows, int i, int j) {
    int dim = rows.dim();
    double sum = 0;
    for (int l = 0; l < dim; l++) {
      double difference = (double) rows.values()[i * dim + l] - rows.values()[j * dim + l];
      sum += difference * difference;
    }
    return sum;
  }
}
