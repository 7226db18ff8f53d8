package spellshield.sampler;

/// DPM-Solver++(2M): second order from one denoiser call a step, by remembering the last x̂0.
///
/// With `λ = −ln σ` (α = 1 in these coordinates) and `h = λ_next − λ`:
///
/// ```text
/// r      = h_before / h
/// D      = (1 + 1/(2r))·x̂0 − 1/(2r)·x̂0_before
/// x_next = (σ_next/σ)·x_t + (1 − σ_next/σ)·D
/// ```
///
/// The first step has no x̂0 before it, and a step to σ = 0 must not extrapolate: both use D = x̂0.
/// The history holds what the denoiser answered, decorators included. At η = 0 it is deterministic
/// and the error of a run falls as 1/steps². Source: Lu et al. 2022, arXiv 2211.01095, algorithm 2.
///
/// With η above 0 the step towards D is [Ancestral]'s. At η = 1 that is the stochastic solver,
/// SDE-DPM-Solver++(2M) of the same paper's appendix, `e^(−h)` being σ_next/σ:
///
/// ```text
/// x_next = (σ_next/σ)·e^(−h)·x_t + (1 − e^(−2h))·D + σ_next·sqrt(1 − e^(−2h))·ε
/// ```
///
/// @param eta η, 0 to 1
/// @param firstOrderLast whether the last step uses D = x̂0 even where it ends above σ = 0
public record DpmSolver2M(double eta, boolean firstOrderLast) implements Sampler {
  public DpmSolver2M {
    if (!(0 <= eta && eta <= 1)) {
      throw new IllegalArgumentException("eta must lie in [0, 1], but was " + eta);
    }
  }

  /// The deterministic solver.
  public DpmSolver2M() {
    this(0, true);
  }

  @Override
  public Latents sample(
      Denoiser denoiser, Levels levels, Latents start, Draws noise, Condition condition) {
    Steps.requireRows(start, noise);
    Latents xt = start;
    Latents before = start; // replaced before it is read
    for (int i = 0; i < levels.steps(); i++) {
      double sigma = levels.sigmas()[i];
      double landing = levels.landings()[i];
      Latents x0hat = Steps.x0hat(denoiser, xt, sigma, condition);
      boolean firstOrder = i == 0 || landing == 0 || (firstOrderLast && i == levels.steps() - 1);
      Latents target = firstOrder ? x0hat : extrapolated(x0hat, before, levels, i);
      xt = Steps.ancestral(target, xt, eta, sigma, landing, levels.gains()[i], noise, i + 1);
      before = x0hat;
    }
    return xt;
  }

  private static Latents extrapolated(Latents x0hat, Latents before, Levels levels, int i) {
    double h = Math.log(levels.sigmas()[i] / levels.landings()[i]);
    double hBefore = Math.log(levels.sigmas()[i - 1] / levels.sigmas()[i]);
    double half = 0.5 * h / hBefore; // 1/(2r)
    return Steps.sum(1 + half, x0hat, -half, before);
  }

  @Override
  public String name() {
    return eta == 0 ? "dpm++2m" : "dpm++2m-sde";
  }
}
