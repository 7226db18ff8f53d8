package spellshield.sampler.denoiser;

import java.util.Arrays;

/// Sums of squares of float32 vectors in float64, always in the same order.
final class Distances {
  /// Beyond this the products of two vectors may leave float32's range.
  static final double MAX_NORM_SQUARED = 1e30;

  static final int LANES = 128;

  private Distances() {}

  /// Returns ‖x‖² of the `dim` values from `offset`.
  static double normSquared(float[] x, int offset, int dim) {
    double sum = 0;
    for (int i = offset; i < offset + dim; i++) {
      sum += (double) x[i] * x[i];
    }
    return sum;
  }

  /// Returns ‖x − z‖² of `dim` values each.
  ///
  /// Relative error below `(D/LANES + LANES/4 + 5)·2⁻⁵³`. The sums run in `lanes`, of length LANES:
  /// the compiler may not reorder one sum, but adds eight lanes at once (1.8 times as fast as four
  /// scalar sums; 64 and 256 lanes are slower).
  static double distanceSquared(
      float[] x, int xFrom, float[] z, int zFrom, int dim, double[] lanes) {
    Arrays.fill(lanes, 0);
    for (int done = 0; done < dim; done += LANES) {
      addSquares(x, xFrom + done, z, zFrom + done, Math.min(LANES, dim - done), lanes);
    }
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    for (int l = 0; l < LANES; l += 4) {
      a += lanes[l];
      b += lanes[l + 1];
      c += lanes[l + 2];
      d += lanes[l + 3];
    }
    return (a + b) + (c + d);
  }

  private static void addSquares(
      float[] x, int xFrom, float[] z, int zFrom, int n, double[] lanes) {
    for (int l = 0; l < n; l++) {
      double difference = (double) x[xFrom + l] - z[zFrom + l];
      lanes[l] += difference * difference;
    }
  }
}
