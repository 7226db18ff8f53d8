package spellshield.sampler.scheduler;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import spellshield.sampler.Ancestral;
import spellshield.sampler.Euler;
import spellshield.sampler.Heun;
import spellshield.sampler.Sampler;

/// Euler, Euler ancestral and Heun as k-diffusion has them: our own coordinates.
///
/// Timesteps need not be whole; σ between them is interpolated, and where a curve takes the place
/// of the levels, timesteps are read off the table. The initial noise is multiplied by σ_0 where
/// the spacing reaches the last timestep and by `√(1 + σ_0²)` where it is leading.
///
/// @param curve spreads the levels; none keeps those of the timesteps
/// @param highest the level that a curve starts from; else that of the first timestep
/// @param lowest the level that a curve ends at; else that of the last timestep
/// @param lastSigma where the last step lands
record SigmaRecipe(
    SchedulerConfig config,
    TrainingTable table,
    Sampler sampler,
    Prediction prediction,
    Clipping clipping,
    Spacing spacing,
    int offset,
    Optional<Curve> curve,
    OptionalDouble highest,
    OptionalDouble lowest,
    double lastSigma)
    implements Recipe {

  static SigmaRecipe euler(SchedulerConfig config) {
    config.choice("interpolation_type", "linear", "linear");
    config.choice("timestep_type", "discrete", "discrete");
    TrainingTable table = TrainingTable.of(config, 0.0001, 0.02, 0x1p-24);
    boolean zero = config.choice("final_sigmas_type", "zero", "zero", "sigma_min").equals("zero");
    return new SigmaRecipe(
        config,
        table,
        new Euler(),
        Recipe.prediction(config),
        new Clipping.None(),
        Spacing.of(config, "linspace"),
        config.whole("steps_offset", 0),
        Curve.of(config),
        config.number("sigma_max"),
        config.number("sigma_min"),
        zero ? 0 : table.sigma(0));
  }

  static SigmaRecipe ancestral(SchedulerConfig config) {
    return new SigmaRecipe(
        config,
        TrainingTable.of(config, 0.0001, 0.02, 0x1p-24),
        new Ancestral(1),
        Recipe.prediction(config),
        new Clipping.None(),
        Spacing.of(config, "linspace"),
        config.whole("steps_offset", 0),
        Optional.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        0);
  }

  static SigmaRecipe heun(SchedulerConfig config) {
    return new SigmaRecipe(
        config,
        TrainingTable.of(config, 0.00085, 0.012, 0x1p-24),
        Heun.deterministic(),
        Recipe.prediction(config),
        Recipe.range(config, false),
        Spacing.of(config, "linspace"),
        config.whole("steps_offset", 0),
        Curve.of(config),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        0);
  }

  @Override
  public Plan plan(int steps, OptionalInt patches) {
    Recipe.requireSteps(config, steps, table.count());
    double[] timesteps =
        Recipe.within(config, table, spacing.timesteps(table.count(), steps, offset));
    double[] sigmas = Arrays.stream(timesteps).map(table::sigma).toArray();
    if (curve.isPresent()) {
      double from = highest.orElse(sigmas[0]);
      double to = lowest.orElse(sigmas[steps - 1]);
      sigmas = curve.get().between(from, to, steps);
      timesteps = Arrays.stream(sigmas).map(table::timestep).toArray();
    }
    double startScale = spacing == Spacing.LEADING ? Math.hypot(sigmas[0], 1) : sigmas[0];
    return new Plan(
        sampler,
        Recipe.descending(sigmas, lastSigma, 1, startScale),
        timesteps,
        prediction,
        clipping);
  }
}
