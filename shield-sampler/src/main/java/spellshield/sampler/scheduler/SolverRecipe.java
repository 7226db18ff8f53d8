package spellshield.sampler.scheduler;

import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import spellshield.sampler.Ancestral;
import spellshield.sampler.DpmSolver2M;
import spellshield.sampler.Euler;
import spellshield.sampler.Sampler;

/// DPM-Solver++ of first or second order, deterministic or stochastic.
///
/// The solver's `α·x_t` with α² + α²σ² = 1 is x_t but for the factor, which the first and the last
/// level carry. A curve spreads levels over the whole table, whatever the spacing says; the
/// timesteps are whole: Karras's are rounded, those of the other curves cut off.
///
/// @param stochastic whether it is the SDE's solver
/// @param lowerOrderFinal whether a run of fewer than 15 steps ends with a first-order step
/// @param eulerAtFinal whether every run does
/// @param lastSigma where the last step lands
/// @param bound timesteps with `λ = −ln σ` below are not visited
/// @param cosine whether the betas are cosine's, for which Karras's timesteps are cut off too
record SolverRecipe(
    SchedulerConfig config,
    TrainingTable table,
    int order,
    boolean stochastic,
    boolean lowerOrderFinal,
    boolean eulerAtFinal,
    Prediction prediction,
    Clipping clipping,
    Spacing spacing,
    int offset,
    Optional<Curve> curve,
    double lastSigma,
    double bound,
    boolean cosine)
    implements Recipe {

  /// From this many steps on, runs do not end with a first-order step for stability's sake.
  private static final int MANY_STEPS = 15;

  static SolverRecipe of(SchedulerConfig config) {
    int order = config.whole("solver_order", 2);
    if (order != 1 && order != 2) {
      throw config.refusal("solver_order %d is not supported; supported: 1, 2".formatted(order));
    }
    // diffusers reads "deis" and the three after midpoint as what stands first.
    String algorithm =
        config.choice("algorithm_type", "dpmsolver++", "dpmsolver++", "sde-dpmsolver++", "deis");
    config.choice("solver_type", "midpoint", "midpoint", "logrho", "bh1", "bh2");
    config.requireOff("use_lu_lambdas", false, "supported: use_karras_sigmas");
    config.requireOff("use_flow_sigmas", false, "supported: FlowMatchEulerDiscreteScheduler");
    TrainingTable table = TrainingTable.of(config, 0.0001, 0.02, 0x1p-24);
    boolean zero = config.choice("final_sigmas_type", "zero", "zero", "sigma_min").equals("zero");
    return new SolverRecipe(
        config,
        table,
        order,
        algorithm.startsWith("sde"),
        config.flag("lower_order_final", true),
        config.flag("euler_at_final", false),
        Recipe.prediction(config),
        Recipe.thresholding(config),
        Spacing.of(config, "linspace"),
        config.whole("steps_offset", 0),
        Curve.of(config),
        zero ? 0 : table.sigma(0),
        config.number("lambda_min_clipped", Double.NEGATIVE_INFINITY),
        config.text("beta_schedule", "linear").equals("squaredcos_cap_v2"));
  }

  @Override
  public Plan plan(int steps, OptionalInt patches) {
    Recipe.requireSteps(config, steps, table.count() - 1);
    double[] timesteps;
    double[] sigmas;
    if (curve.isPresent()) {
      Curve spread = curve.get();
      sigmas = spread.between(table.sigma(table.count() - 1), table.sigma(0), steps);
      boolean rounds = spread instanceof Curve.Karras && !cosine;
      timesteps =
          Arrays.stream(sigmas)
              .map(table::timestep)
              .map(t -> rounds ? Math.rint(t) : Math.floor(t))
              .toArray();
    } else {
      timesteps = Recipe.within(config, table, spaced(steps));
      sigmas = Arrays.stream(timesteps).map(t -> table.sigma((int) t)).toArray();
    }
    boolean firstOrderLast = eulerAtFinal || (lowerOrderFinal && steps < MANY_STEPS);
    return new Plan(
        sampler(firstOrderLast),
        Recipe.descending(
            sigmas,
            lastSigma,
            Recipe.preservingAlpha(lastSigma),
            1 / Recipe.preservingAlpha(sigmas[0])),
        timesteps,
        prediction,
        clipping);
  }

  private Sampler sampler(boolean firstOrderLast) {
    if (order == 1) {
      return stochastic ? new Ancestral(1) : new Euler();
    }
    return new DpmSolver2M(stochastic ? 1 : 0, firstOrderLast);
  }

  /// Returns one timestep more than steps, whole, without the last one: the step from there is the
  /// one to the end. Trailing timesteps need none more.
  private double[] spaced(int steps) {
    int count = table.count() - table.countBelow(bound);
    double[] timesteps =
        switch (spacing) {
          case LEADING, LINSPACE -> spacing.timesteps(count, steps + 1, offset);
          case TRAILING -> trailing(count, steps);
        };
    return Arrays.stream(timesteps).limit(steps).map(Math::rint).toArray();
  }

  /// The step is that of the whole table even where its noisy end is cut off.
  private double[] trailing(int count, int steps) {
    double ratio = (double) table.count() / steps;
    double[] timesteps = new double[steps];
    for (int i = 0; i < steps; i++) {
      timesteps[i] = Math.rint(count - i * ratio) - 1;
    }
    return timesteps;
  }
}
