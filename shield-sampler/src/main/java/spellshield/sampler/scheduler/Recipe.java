package spellshield.sampler.scheduler;

import java.util.Arrays;
import java.util.OptionalInt;
import spellshield.sampler.Levels;

/// What a config says, independent of the number of steps.
sealed interface Recipe permits DiffusionRecipe, SigmaRecipe, SolverRecipe, FlowRecipe, EdmRecipe {

  /// The classes of diffusers that can be sampled, as a message lists them.
  String SUPPORTED =
      "DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EDMEulerScheduler, "
          + "EulerAncestralDiscreteScheduler, EulerDiscreteScheduler, "
          + "FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler, "
          + "HeunDiscreteScheduler, PNDMScheduler (as DPMSolverMultistepScheduler)";

  /// Returns the run of a number of steps.
  ///
  /// @param steps at least 1
  /// @param patches how many patches of the picture the network sees, if known
  Plan plan(int steps, OptionalInt patches);

  /// Returns the recipe of a config: the one place that maps classes and options.
  ///
  /// @throws IllegalArgumentException if the class or an option is not supported
  static Recipe of(SchedulerConfig config) {
    return switch (config.className()) {
      case "DDIMScheduler" -> DiffusionRecipe.ddim(config);
      case "DDPMScheduler" -> DiffusionRecipe.ddpm(config);
      case "EulerDiscreteScheduler" -> SigmaRecipe.euler(config);
      case "EulerAncestralDiscreteScheduler" -> SigmaRecipe.ancestral(config);
      case "HeunDiscreteScheduler" -> SigmaRecipe.heun(config);
      case "DPMSolverMultistepScheduler" -> SolverRecipe.of(config);
      case "PNDMScheduler" -> SolverRecipe.of(config.withClass("DPMSolverMultistepScheduler"));
      case "FlowMatchEulerDiscreteScheduler" -> FlowRecipe.euler(config);
      case "FlowMatchHeunDiscreteScheduler" -> FlowRecipe.heun(config);
      case "EDMEulerScheduler" -> EdmRecipe.of(config);
      default ->
          throw new IllegalArgumentException(
              "the scheduler class '%s' is not supported; supported: %s"
                  .formatted(config.className(), SUPPORTED));
    };
  }

  /// Returns what a network trained on a table of betas predicts.
  static Prediction prediction(SchedulerConfig config) {
    String type = config.choice("prediction_type", "epsilon", "epsilon", "v_prediction", "sample");
    return switch (type) {
      case "epsilon" -> new Prediction.Epsilon();
      case "v_prediction" -> new Prediction.Velocity();
      default -> new Prediction.Clean();
    };
  }

  /// Returns the dynamic thresholding that a config asks for; none unless it does.
  static Clipping thresholding(SchedulerConfig config) {
    return config.flag("thresholding", false)
        ? new Clipping.Dynamic(
            config.number("dynamic_thresholding_ratio", 0.995),
            Math.max(1, config.positive("sample_max_value", 1)))
        : new Clipping.None();
  }

  /// Returns the clipping to a range that a config asks for; none unless it does.
  static Clipping range(SchedulerConfig config, boolean fallback) {
    return config.flag("clip_sample", fallback)
        ? new Clipping.Fixed(config.positive("clip_sample_range", 1))
        : new Clipping.None();
  }

  /// Returns α of `α·x0 + s·ε` with α² + s² = 1.
  static double preservingAlpha(double sigma) {
    return 1 / Math.sqrt(1 + sigma * sigma);
  }

  /// Returns levels in which each step lands where the next one asks, but for the last.
  static Levels descending(double[] sigmas, double last, double lastGain, double startScale) {
    double[] landings = Arrays.copyOfRange(sigmas, 1, sigmas.length + 1);
    landings[sigmas.length - 1] = last;
    double[] gains = new double[sigmas.length];
    Arrays.fill(gains, 1);
    gains[sigmas.length - 1] = lastGain;
    return new Levels(sigmas, landings, gains, startScale);
  }

  /// Refuses timesteps outside a table.
  static double[] within(SchedulerConfig config, TrainingTable table, double[] timesteps) {
    for (double timestep : timesteps) {
      if (!(timestep >= 0 && timestep <= table.count() - 1)) {
        throw config.refusal(
            "%d steps ask for the training timestep %s, but there are 0 to %d; take fewer steps"
                .formatted(timesteps.length, timestep, table.count() - 1));
      }
    }
    return timesteps;
  }

  /// Refuses a number of steps below 1 or above what the training had.
  static void requireSteps(SchedulerConfig config, int steps, int most) {
    if (steps < 1 || steps > most) {
      throw config.refusal("steps must be 1 to %d, but was %d".formatted(most, steps));
    }
  }
}
