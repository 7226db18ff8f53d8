package spellshield.sampler.denoiser;

/// Sums of squares of float32 vectors in float64, always in the same order.
final class Distances {
  /// Beyond this the products of two vectors may leave float32's range.
  static final double MAX_NORM_SQUARED = 1e30;

  private Distances() {}

  /// Returns ‖x‖² of the `dim` values from `offset`.
  static double normSquared(float[] x, int offset, int dim) {
    double sum = 0;
    for (int i = offset; i < offset + dim; i++) {
      sum += (double) x[i] * x[i];
    }
    return sum;
  }

  /// Returns ‖x − z‖², `x` the values from `offset`, as many as `z` has.
  ///
  /// Relative error below `(D/4 + 5)·2⁻⁵³`. Four sums, because one would wait for each addition.
  static double distanceSquared(float[] x, int offset, float[] z) {
    double a = 0;
    double b = 0;
    double c = 0;
    double d = 0;
    int i = 0;
    for (; i + 3 < z.length; i += 4) {
      double p = (double) x[offset + i] - z[i];
      double q = (double) x[offset + i + 1] - z[i + 1];
      double r = (double) x[offset + i + 2] - z[i + 2];
      double s = (double) x[offset + i + 3] - z[i + 3];
      a += p * p;
      b += q * q;
      c += r * r;
      d += s * s;
    }
    for (; i < z.length; i++) {
      double p = (double) x[offset + i] - z[i];
      a += p * p;
    }
    return (a + b) + (c + d);
  }
}
