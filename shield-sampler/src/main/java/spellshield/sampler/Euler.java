package spellshield.sampler;

/// The first-order step, once a level: `x_next = x_t + (σ_next − σ)·dx/dσ`.
///
/// Deterministic; the error of a run falls as 1/steps. Churn is left to [Heun], which is what it
/// was published with.
public record Euler() implements Sampler {

  @Override
  public Latents sample(
      Denoiser denoiser, double[] sigmas, Latents start, Noise noise, Condition condition) {
    int last = Steps.count(sigmas, start, noise) - 1;
    Latents xt = start;
    for (int i = 0; i < last; i++) {
      Latents x0hat = Steps.x0hat(denoiser, xt, sigmas[i], condition);
      xt = Steps.towards(x0hat, xt, sigmas[i], sigmas[i + 1]);
    }
    return Steps.x0hat(denoiser, xt, sigmas[last], condition).copy();
  }

  @Override
  public String name() {
    return "euler";
  }
}
