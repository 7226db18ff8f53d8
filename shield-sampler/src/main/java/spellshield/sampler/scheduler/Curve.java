package spellshield.sampler.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.statistics.distribution.BetaDistribution;
import spellshield.sampler.NoiseSchedule;

/// How the levels of a run are spread between its highest and its lowest.
sealed interface Curve {

  /// Returns levels that take the place of others, from the first of them to the last; a single one
  /// is the first.
  default double[] between(double highest, double lowest, int steps) {
    return steps == 1 ? new double[] {highest} : spread(highest, lowest, steps);
  }

  /// Returns two or more levels.
  double[] spread(double highest, double lowest, int steps);

  /// Karras et al. 2022 with ρ = 7.
  record Karras() implements Curve {
    @Override
    public double[] spread(double highest, double lowest, int steps) {
      NoiseSchedule schedule = new NoiseSchedule.Karras(lowest, highest, 7);
      return exactEnds(schedule.sigmas(steps), highest, lowest, steps);
    }
  }

  /// A constant ratio between levels.
  record Exponential() implements Curve {
    @Override
    public double[] spread(double highest, double lowest, int steps) {
      NoiseSchedule schedule = new NoiseSchedule.Exponential(lowest, highest);
      return exactEnds(schedule.sigmas(steps), highest, lowest, steps);
    }
  }

  /// Quantiles of a beta distribution, which crowd at both ends.
  ///
  /// ```text
  /// σ_i = σ_min + (σ_max − σ_min)·F⁻¹(1 − i/(n − 1)),   F = Beta(0.6, 0.6)
  /// ```
  ///
  /// Source: Lee et al. 2024, arXiv 2407.12173.
  record Beta() implements Curve {
    private static final BetaDistribution QUANTILES = BetaDistribution.of(0.6, 0.6);

    @Override
    public double[] spread(double highest, double lowest, int steps) {
      double[] sigmas = new double[steps];
      for (int i = 0; i < steps; i++) {
        double probability = 1 - (double) i / (steps - 1);
        double quantile = QUANTILES.inverseCumulativeProbability(probability);
        sigmas[i] = lowest + quantile * (highest - lowest);
      }
      return sigmas;
    }
  }

  /// Returns the first levels, their ends being what was asked for: a power of a root is not.
  private static double[] exactEnds(double[] sigmas, double highest, double lowest, int steps) {
    double[] ends = Arrays.copyOf(sigmas, steps);
    ends[steps - 1] = lowest;
    ends[0] = highest;
    return ends;
  }

  /// Returns the curve that a config asks for; none keeps the levels of the timesteps.
  static Optional<Curve> of(SchedulerConfig config) {
    List<Curve> asked = new ArrayList<>();
    if (config.flag("use_karras_sigmas", false)) {
      asked.add(new Karras());
    }
    if (config.flag("use_exponential_sigmas", false)) {
      asked.add(new Exponential());
    }
    if (config.flag("use_beta_sigmas", false)) {
      asked.add(new Beta());
    }
    if (asked.size() > 1) {
      throw config.refusal(
          "only one of use_karras_sigmas, use_exponential_sigmas, use_beta_sigmas may be true");
    }
    return asked.stream().findFirst();
  }
}
