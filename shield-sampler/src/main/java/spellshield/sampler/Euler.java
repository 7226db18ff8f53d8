package spellshield.sampler;

/// The first-order step, once a level: `x_next = x_t + (σ_next − σ)·dx/dσ`.
///
/// Deterministic; the error of a run falls as 1/steps. Churn is left to [Heun], which is what it
/// was published with.
public record Euler() implements Sampler {

  @Override
  public Latents sample(
      Denoiser denoiser, Levels levels, Latents start, Draws noise, Condition condition) {
    Steps.requireRows(start, noise);
    Latents xt = start;
    for (int i = 0; i < levels.steps(); i++) {
      double sigma = levels.sigmas()[i];
      Latents x0hat = Steps.x0hat(denoiser, xt, sigma, condition);
      xt = Steps.towards(x0hat, xt, sigma, levels.landings()[i], levels.gains()[i]);
    }
    return xt;
  }

  @Override
  public String name() {
    return "euler";
  }
}
