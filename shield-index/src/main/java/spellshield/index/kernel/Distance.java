package spellshield.index.kernel;

/// The Euclidean distance of two latents, and how far from the true one it may be.
///
/// The arithmetic is called `f64-16way-v1` and is part of what a certificate states: differences
/// and squares in float64, term `i` added to partial sum `i mod 16`, the 16 partial sums added in
/// order. The inputs are float32, so every difference has one rounding, every square one more, and
/// no term goes through more than `D + 1` additions. With `v = 2⁻⁵³` the square `t` of D terms
/// obeys
///
/// ```text
/// |t − ‖a − b‖²| ≤ (D + 3)·v·‖a − b‖²
/// ```
///
/// because all terms are positive. [#lower] and [#upper] turn that into an interval that holds the
/// true distance, rounding of the square root included; see
/// `DistanceTest.the_interval_holds_the_true_distance`. Squares below 2⁻¹⁰²² would void the bound;
/// float32 inputs cannot make them: their smallest difference is 2⁻¹⁴⁹, its square 2⁻²⁹⁸.
public final class Distance {

  /// The name of this arithmetic in certificates.
  public static final String ARITHMETIC = "f64-16way-v1";

  private Distance() {}

  /// Returns `‖a − b‖` of two rows of D = `dim` values.
  public static double between(float[] a, int aOffset, float[] b, int bOffset, int dim) {
    return Math.sqrt(Kernels.distanceSquared(a, aOffset, b, bOffset, dim));
  }

  /// Returns `‖a − b‖`.
  public static double between(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalArgumentException(
          "the latents have %d and %d values".formatted(a.length, b.length));
    }
    return between(a, 0, b, 0, a.length);
  }

  /// Returns a number that the true distance is not below, given the computed one.
  public static double lower(double distance, int dim) {
    return distance * (1 - relativeError(dim));
  }

  /// Returns a number that the true distance is not above, given the computed one.
  public static double upper(double distance, int dim) {
    return distance * (1 + relativeError(dim));
  }

  /// The relative error of a distance: half that of its square, one rounding of the root, one of
  /// the product in [#lower] and [#upper], and room for the second-order terms.
  private static double relativeError(int dim) {
    return (0.5 * (dim + 4) + 4) * 0x1p-53;
  }
}
