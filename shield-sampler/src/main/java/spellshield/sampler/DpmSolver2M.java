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
/// The first step has no x̂0 before it, and the last one, to σ = 0, must not extrapolate: both use
/// D = x̂0. The history holds what the denoiser answered, decorators included. Deterministic; the
/// error of a run falls as 1/steps². Source: Lu et al. 2022, arXiv 2211.01095, algorithm 2.
public record DpmSolver2M() implements Sampler {

  @Override
  public Latents sample(
      Denoiser denoiser, double[] sigmas, Latents start, Noise noise, Condition condition) {
    int last = Steps.count(sigmas, start, noise) - 1;
    Latents xt = start;
    Latents before = start; // replaced before it is read
    for (int i = 0; i < last; i++) {
      Latents x0hat = Steps.x0hat(denoiser, xt, sigmas[i], condition);
      Latents target = i == 0 ? x0hat : extrapolated(x0hat, before, sigmas, i);
      xt = Steps.towards(target, xt, sigmas[i], sigmas[i + 1]);
      before = x0hat;
    }
    return Steps.x0hat(denoiser, xt, sigmas[last], condition).copy();
  }

  private static Latents extrapolated(Latents x0hat, Latents before, double[] sigmas, int i) {
    double h = Math.log(sigmas[i] / sigmas[i + 1]);
    double hBefore = Math.log(sigmas[i - 1] / sigmas[i]);
    double half = 0.5 * h / hBefore; // 1/(2r)
    return Steps.sum(1 + half, x0hat, -half, before);
  }

  @Override
  public String name() {
    return "dpm++2m";
  }
}
