package spellshield.sampler.scheduler;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import spellshield.sampler.Euler;
import spellshield.sampler.FlowHeun;
import spellshield.sampler.Sampler;

/// Rectified flow, `(1 − t)·x0 + t·ε`: Euler and Heun over a shifted line of times.
///
/// The times of a run lie evenly between `t_max` and `t_min`, which were shifted when the scheduler
/// was made, and are shifted again. The network is told `count·t`, which is not whole. In our
/// coordinates `σ = t/(1 − t)`, α = 1 − t; at t = 1 σ is 2²⁴.
///
/// @param count of training timesteps
/// @param shift of all times; not used where the shift follows the size of the picture
/// @param dynamic the shift that follows the size
/// @param terminal what the last time is stretched to; 0 for as it is
record FlowRecipe(
    SchedulerConfig config,
    Sampler sampler,
    int count,
    double shift,
    Optional<DynamicShift> dynamic,
    double terminal,
    Optional<Curve> curve)
    implements Recipe {

  private static final double NO_SIGNAL = 0x1p24;

  /// A shift that grows with the number of patches: `t → e^μ / (e^μ + 1/t − 1)`, μ linear.
  ///
  /// @param linear whether μ itself stands in the place of e^μ
  record DynamicShift(
      double baseShift, double maxShift, double basePatches, double maxPatches, boolean linear) {

    double shifted(double time, int patches) {
      double slope = (maxShift - baseShift) / (maxPatches - basePatches);
      double mu = baseShift + slope * (patches - basePatches);
      double factor = linear ? mu : Math.exp(mu);
      return factor / (factor + (1 / time - 1));
    }
  }

  static FlowRecipe euler(SchedulerConfig config) {
    config.requireOff("invert_sigmas", false, "supported: false");
    config.requireOff("stochastic_sampling", false, "supported: false");
    Optional<DynamicShift> dynamic =
        config.flag("use_dynamic_shifting", false)
            ? Optional.of(
                new DynamicShift(
                    config.number("base_shift", 0.5),
                    config.number("max_shift", 1.15),
                    config.number("base_image_seq_len", 256),
                    config.number("max_image_seq_len", 4096),
                    config
                        .choice("time_shift_type", "exponential", "exponential", "linear")
                        .equals("linear")))
            : Optional.empty();
    return new FlowRecipe(
        config,
        new Euler(),
        config.count("num_train_timesteps", 1000),
        config.positive("shift", 1),
        dynamic,
        terminal(config),
        Curve.of(config));
  }

  /// Heun's class has a shift and nothing else.
  static FlowRecipe heun(SchedulerConfig config) {
    return new FlowRecipe(
        config,
        new FlowHeun(),
        config.count("num_train_timesteps", 1000),
        config.positive("shift", 1),
        Optional.empty(),
        0,
        Optional.empty());
  }

  private static double terminal(SchedulerConfig config) {
    double terminal = config.number("shift_terminal", 0);
    if (!(terminal >= 0 && terminal < 1)) {
      throw config.refusal("shift_terminal must lie in [0, 1), but was " + terminal);
    }
    return terminal;
  }

  @Override
  public Plan plan(int steps, OptionalInt patches) {
    Recipe.requireSteps(config, steps, count);
    if (dynamic.isPresent() && patches.isEmpty()) {
      throw config.refusal(
          "use_dynamic_shifting=true needs the number of patches of the picture; give it with the steps");
    }
    // With a dynamic shift the ends are not shifted, and each time is shifted once.
    double lowest = dynamic.isPresent() ? 1.0 / count : shifted(1.0 / count);
    double[] times = new double[steps];
    for (int i = 0; i < steps; i++) {
      double line = steps == 1 ? 1 : 1 + (lowest - 1) * i / (steps - 1);
      times[i] =
          dynamic.isPresent() ? dynamic.get().shifted(line, patches.getAsInt()) : shifted(line);
    }
    stretch(times);
    if (curve.isPresent()) {
      times = curve.get().between(times[0], times[steps - 1], steps);
    }
    double[] sigmas = Arrays.stream(times).map(t -> Math.min(t / (1 - t), NO_SIGNAL)).toArray();
    double[] timesteps = Arrays.stream(times).map(t -> t * count).toArray();
    return new Plan(
        sampler,
        Recipe.descending(sigmas, 0, 1, 1 + sigmas[0]),
        timesteps,
        new Prediction.Flow(),
        new Clipping.None());
  }

  private double shifted(double time) {
    return shift * time / (1 + (shift - 1) * time);
  }

  /// Stretches 1 − t so that the last time is `terminal`.
  private void stretch(double[] times) {
    double last = times[times.length - 1];
    for (int i = 0; terminal > 0 && i < times.length; i++) {
      times[i] = 1 - (1 - times[i]) * (1 - terminal) / (1 - last);
    }
  }
}
