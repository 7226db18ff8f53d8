package spellshield.sampler.scheduler;

import java.util.Locale;

/// Which of the training timesteps a run visits.
///
/// All return `steps` timesteps, falling, before any offset. Rounding is to the nearest and half to
/// even. Source: Lin et al. 2023, arXiv 2305.08891, table 2.
enum Spacing {
  /// Multiples of `⌊count/steps⌋`, from 0 on.
  LEADING,
  /// Multiples of `count/steps`, from the last timestep down, rounded.
  TRAILING,
  /// Evenly from the last timestep to the first.
  LINSPACE;

  static Spacing of(SchedulerConfig config, String fallback) {
    return valueOf(
        config
            .choice("timestep_spacing", fallback, "leading", "trailing", "linspace")
            .toUpperCase(Locale.ROOT));
  }

  /// Returns the timesteps of a run among `count`.
  ///
  /// @param offset is added to leading timesteps
  double[] timesteps(int count, int steps, int offset) {
    double[] timesteps = new double[steps];
    int stride = count / steps; // rounded down
    for (int i = 0; i < steps; i++) {
      int fromEnd = steps - 1 - i;
      timesteps[i] =
          switch (this) {
            case LEADING -> (double) fromEnd * stride + offset;
            case TRAILING -> Math.rint(count - i * ((double) count / steps)) - 1;
            case LINSPACE -> steps == 1 ? 0 : (double) fromEnd * (count - 1) / (steps - 1);
          };
    }
    return timesteps;
  }
}
