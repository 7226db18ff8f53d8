package spellshield.sampler.measure;

import spellshield.index.linalg.Matrix;
import spellshield.sampler.Latents;

/// The Vendi score: the effective number of different rows, from 1 to n.
///
/// ```text
/// exp(−Σ_i λ_i·ln λ_i),   λ the eigenvalues of K/n,   0·ln 0 = 0
/// ```
///
/// K is a similarity with ones on its diagonal, so that the λ sum to 1. Costs n³; a set of one row
/// scores 1. Source: Friedman and Dieng 2023 (TMLR), arXiv 2210.02410.
public final class Vendi {
  private Vendi() {}

  /// Returns the score with `K_ij = x_i·x_j / (‖x_i‖‖x_j‖)`.
  ///
  /// @throws IllegalArgumentException if there is no row, or one is zero or not finite
  public static double cosine(Latents rows) {
    int n = rows.batch();
    int dim = rows.dim();
    double[] unit = new double[n * dim];
    for (int i = 0; i < n; i++) {
      double norm = norm(rows, i);
      if (!(norm > 0 && norm < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "a cosine needs rows of positive and finite norm, but that of row %d is %s"
                .formatted(i, norm));
      }
      for (int l = i * dim; l < (i + 1) * dim; l++) {
        unit[l] = rows.values()[l] / norm;
      }
    }
    return ofKernel(n, (i, j) -> dot(unit, i * dim, j * dim, dim));
  }

  /// Returns the score with `K_ij = exp(−‖x_i − x_j‖² / (2σ²))`.
  ///
  /// @param bandwidth σ, above 0, in the unit of the rows
  /// @throws IllegalArgumentException if there is no row, or one is not finite
  public static double rbf(Latents rows, double bandwidth) {
    if (!(bandwidth > 0 && bandwidth < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "bandwidth must be positive and finite, but was " + bandwidth);
    }
    double scale = -1 / (2 * bandwidth * bandwidth);
    return ofKernel(rows.batch(), (i, j) -> Math.exp(scale * Pairwise.distanceSquared(rows, i, j)));
  }

  /// The similarity of rows i and j.
  @FunctionalInterface
  private interface Kernel {
    double at(int i, int j);
  }

  private static double ofKernel(int n, Kernel kernel) {
    if (n < 1) {
      throw new IllegalArgumentException("a score needs at least 1 row, but there was none");
    }
    double[] k = new double[Math.multiplyExact(n, n)];
    for (int i = 0; i < n; i++) {
      for (int j = i; j < n; j++) {
        double similarity = kernel.at(i, j);
        if (!Double.isFinite(similarity)) {
          throw new IllegalArgumentException(
              "rows must be finite, but the similarity of rows %d and %d is %s"
                  .formatted(i, j, similarity));
        }
        k[i * n + j] = similarity / n;
        k[j * n + i] = similarity / n;
      }
    }
    double entropy = 0;
    for (double lambda : Matrix.symmetricEigen(k, n).values()) {
      if (lambda > 0) { // rounding leaves some a little below 0
        entropy -= lambda * Math.log(lambda);
      }
    }
    return Math.exp(entropy);
  }

  private static double dot(double[] x, int i, int j, int dim) {
    double sum = 0;
    for (int l = 0; l < dim; l++) {
      sum += x[i + l] * x[j + l];
    }
    return sum;
  }

  private static double norm(Latents rows, int i) {
    double sum = 0;
    for (float value : rows.row(i)) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum);
  }
}
