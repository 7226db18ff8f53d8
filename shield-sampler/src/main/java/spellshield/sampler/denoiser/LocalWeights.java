package spellshield.sampler.denoiser;

/// `exp(−y)` for many y at once, exactly 0 from y = 28 on.
///
/// A Taylor polynomial at `t = y/64 < 0.44`, squared six times. Its first term left out, `t⁹/9! <
/// 1.7·10⁻⁹`, is at most `2.6·10⁻⁹` of `e⁻ᵗ`; six squarings make that `1.7·10⁻⁷`. So, with
/// rounding,
///
/// ```text
/// |weight(y) − e^(−y)| ≤ 10⁻⁶·e^(−y) + 10⁻¹²
/// ```
///
/// the last term because e⁻²⁸ is subtracted, which is what makes the tail exactly 0 without a
/// branch. There is no branch and no table, so that the compiler can work on eight numbers at once;
/// see `LocalWeightsTest.weights_are_within_a_millionth_of_the_exponential`.
final class LocalWeights {
  /// The exponent from which on a weight is 0.
  static final double CUT = 28;

  private static final double AT_CUT = power(CUT);

  private LocalWeights() {}

  /// Returns the weight of one exponent, 0 or more; +∞ gives 0.
  static double weight(double y) {
    return Math.max(0, power(Math.min(y, CUT)) - AT_CUT);
  }

  /// Puts the weights of `(energy − least)·scale` into `weights`, for `n` positions.
  ///
  /// They are float32, which is precise enough and tells the compiler that writing them changes no
  /// energy: among arrays of one type it would have to fear that, and take them one by one.
  ///
  /// @param scale 1/(2σ²)
  static void weigh(
      double[] energy, int from, double[] least, int first, double scale, float[] weights, int n) {
    for (int i = 0; i < n; i++) {
      weights[i] = (float) weight((energy[from + i] - least[first + i]) * scale);
    }
  }

  private static double power(double y) {
    double t = y * (-1.0 / 64);
    double e =
        1
            + t
                * (1
                    + t
                        * (1. / 2
                            + t
                                * (1. / 6
                                    + t
                                        * (1. / 24
                                            + t
                                                * (1. / 120
                                                    + t
                                                        * (1. / 720
                                                            + t
                                                                * (1. / 5040
                                                                    + t * (1. / 40320))))))));
    e *= e;
    e *= e;
    e *= e;
    e *= e;
    e *= e;
    return e * e;
  }
}
