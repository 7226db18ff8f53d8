package spellshield.sampler.scheduler;

import java.util.Arrays;
import java.util.OptionalInt;
import spellshield.sampler.Euler;
import spellshield.sampler.NoiseSchedule;

/// Euler with EDM's preconditioning: the network is told `¼·ln σ`.
///
/// @param schedule spreads the levels
/// @param startScale of the initial noise, `√(1 + σ_max²)`
/// @param zero whether the last step lands at 0; else it stays where it is
record EdmRecipe(
    SchedulerConfig config,
    NoiseSchedule schedule,
    double sigmaData,
    double startScale,
    boolean zero)
    implements Recipe {

  private static final int MOST_STEPS = 1_000_000;

  static EdmRecipe of(SchedulerConfig config) {
    config.choice("prediction_type", "epsilon", "epsilon");
    double lowest = config.number("sigma_min", 0.002);
    double highest = config.number("sigma_max", 80);
    String kind = config.choice("sigma_schedule", "karras", "karras", "exponential");
    if (!(0 < lowest && lowest < highest && highest < Double.POSITIVE_INFINITY)) {
      throw config.refusal(
          "need 0 < sigma_min < sigma_max < ∞, but sigma_min=%s, sigma_max=%s"
              .formatted(lowest, highest));
    }
    NoiseSchedule schedule =
        kind.equals("karras")
            ? new NoiseSchedule.Karras(lowest, highest, config.positive("rho", 7))
            : new NoiseSchedule.Exponential(lowest, highest);
    return new EdmRecipe(
        config,
        schedule,
        config.positive("sigma_data", 0.5),
        Math.hypot(highest, 1),
        config.choice("final_sigmas_type", "zero", "zero", "sigma_min").equals("zero"));
  }

  @Override
  public Plan plan(int steps, OptionalInt patches) {
    Recipe.requireSteps(config, steps, MOST_STEPS);
    double[] sigmas = Arrays.copyOf(schedule.sigmas(steps), steps);
    double[] timesteps = Arrays.stream(sigmas).map(sigma -> 0.25 * Math.log(sigma)).toArray();
    return new Plan(
        new Euler(),
        Recipe.descending(sigmas, zero ? 0 : sigmas[steps - 1], 1, startScale),
        timesteps,
        new Prediction.Edm(sigmaData),
        new Clipping.None());
  }
}
