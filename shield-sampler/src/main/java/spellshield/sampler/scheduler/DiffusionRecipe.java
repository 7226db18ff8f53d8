package spellshield.sampler.scheduler;

import java.util.Arrays;
import java.util.OptionalInt;
import spellshield.sampler.Ddim;
import spellshield.sampler.Levels;

/// DDIM and DDPM: steps between whole training timesteps of the variance-preserving diffusion.
///
/// A state `y = √ᾱ·x_t` starts as pure noise of variance 1 and is handed out as it is, so that x_t
/// starts at `ε/√ᾱ` and what is reached at the end is multiplied by √ᾱ. DDPM's posterior is DDIM's
/// step with η = 1 (see [Ddim]).
///
/// DDIM steps down by `⌊count/steps⌋` training timesteps whether or not the next timestep lies
/// there. It does for leading spacing; elsewhere the state is taken for one of the next level as it
/// is: y stays, so that x_t is multiplied by the ratio of the two √ᾱ.
///
/// @param eta 0 is deterministic, 1 is DDPM
/// @param jumps whether steps go down by a fixed number of timesteps
/// @param lastSigma where the last step lands: 0, or the level of the first training timestep
record DiffusionRecipe(
    SchedulerConfig config,
    TrainingTable table,
    Prediction prediction,
    Clipping clipping,
    Spacing spacing,
    int offset,
    double eta,
    boolean jumps,
    double lastSigma)
    implements Recipe {

  static DiffusionRecipe ddim(SchedulerConfig config) {
    String why =
        "DDIM in diffusers steps along the noise of the prediction before clipping; supported: "
            + "false, or DDPMScheduler";
    config.requireOff("clip_sample", true, why);
    config.requireOff("thresholding", false, why);
    TrainingTable table = table(config);
    double last = config.flag("set_alpha_to_one", true) ? 0 : table.sigma(0);
    return new DiffusionRecipe(
        config,
        table,
        Recipe.prediction(config),
        new Clipping.None(),
        Spacing.of(config, "leading"),
        config.whole("steps_offset", 0),
        0,
        true,
        last);
  }

  static DiffusionRecipe ddpm(SchedulerConfig config) {
    // The logarithmic kind is the same number by another way.
    config.choice("variance_type", "fixed_small", "fixed_small", "fixed_small_log");
    Clipping thresholding = Recipe.thresholding(config);
    return new DiffusionRecipe(
        config,
        table(config),
        Recipe.prediction(config),
        thresholding instanceof Clipping.None ? Recipe.range(config, true) : thresholding,
        Spacing.of(config, "leading"),
        config.whole("steps_offset", 0),
        1,
        false,
        0);
  }

  private static TrainingTable table(SchedulerConfig config) {
    if (config.flag("rescale_betas_zero_snr", false)
        && Recipe.prediction(config) instanceof Prediction.Epsilon) {
      throw config.refusal(
          "rescale_betas_zero_snr with prediction_type 'epsilon' divides by zero; supported: "
              + "v_prediction, sample");
    }
    return TrainingTable.of(config, 0.0001, 0.02, TrainingTable.NO_SIGNAL);
  }

  DiffusionRecipe withEta(double otherEta) {
    return new DiffusionRecipe(
        config, table, prediction, clipping, spacing, offset, otherEta, jumps, lastSigma);
  }

  @Override
  public Plan plan(int steps, OptionalInt patches) {
    Recipe.requireSteps(config, steps, table.count());
    double[] timesteps =
        Recipe.within(
            config,
            table,
            Arrays.stream(spacing.timesteps(table.count(), steps, offset))
                .map(Math::rint)
                .toArray());
    double[] sigmas = Arrays.stream(timesteps).map(t -> table.sigma((int) t)).toArray();
    double[] landings = new double[steps];
    double[] gains = new double[steps];
    for (int i = 0; i < steps; i++) {
      boolean last = i == steps - 1;
      landings[i] = jumps ? below((int) timesteps[i], steps) : last ? lastSigma : sigmas[i + 1];
      double alphaNext = last ? 1 : Recipe.preservingAlpha(sigmas[i + 1]);
      boolean tidy = !last && landings[i] == sigmas[i + 1];
      gains[i] = tidy ? 1 : Recipe.preservingAlpha(landings[i]) / alphaNext;
    }
    double startScale = 1 / Recipe.preservingAlpha(sigmas[0]);
    return new Plan(
        new Ddim(eta),
        new Levels(sigmas, landings, gains, startScale),
        timesteps,
        prediction,
        clipping);
  }

  private double below(int timestep, int steps) {
    int landing = timestep - table.count() / steps;
    return landing >= 0 ? table.sigma(landing) : lastSigma;
  }
}
