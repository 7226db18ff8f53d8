package spellshield.index;

import java.util.Locale;
import org.apache.commons.statistics.distribution.BetaDistribution;

/// A share of a sample, with bounds for the share of all that it was drawn from.
///
/// Each bound is missed with a probability of at most 2.5 %, whatever the true share p:
///
/// ```text
/// lower = the p at which P(Bin(n, p) ≥ k) = 0.025, 0 where k = 0     = Beta(k, n − k + 1) at 0.025
/// upper = the p at which P(Bin(n, p) ≤ k) = 0.025, 1 where k = n     = Beta(k + 1, n − k) at 0.975
/// ```
///
/// They hold for independent draws. Source: Clopper and Pearson 1934, Biometrika 26.
///
/// @param hits k
/// @param trials n, at least 1
public record Proportion(long hits, long trials) {
  private static final double MISSED = 0.025;

  public Proportion {
    if (!(0 <= hits && hits <= trials && trials >= 1)) {
      throw new IllegalArgumentException("%d hits of %d cannot be".formatted(hits, trials));
    }
  }

  public double share() {
    return (double) hits / trials;
  }

  public double lower() {
    return hits == 0
        ? 0
        : BetaDistribution.of((double) hits, trials - hits + 1.0)
            .inverseCumulativeProbability(MISSED);
  }

  public double upper() {
    return hits == trials
        ? 1
        : BetaDistribution.of(hits + 1.0, (double) (trials - hits))
            .inverseSurvivalProbability(MISSED);
  }

  /// Returns the least number of trials whose lower bound reaches a share when all are hits, and by
  /// symmetry whose upper bound is as near to 0 when none is: `0.025^(1/n) ≥ share`.
  ///
  /// @param share 0 to 1, both excluded
  public static long trialsToShow(double share) {
    return (long) Math.ceil(Math.log(MISSED) / Math.log(share));
  }

  /// Returns it in percent, such as `99.4 % (98.3–99.9)`.
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "%.1f %% (%.1f–%.1f)", 100 * share(), 100 * lower(), 100 * upper());
  }
}
