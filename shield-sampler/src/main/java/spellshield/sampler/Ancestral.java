package spellshield.sampler;

/// Steps below the next level and comes back up to it with fresh noise.
///
/// ```text
/// σ_up   = η·σ_next·sqrt(1 − σ_next²/σ²)
/// σ_down = sqrt(σ_next² − σ_up²)
/// x_next = x_t + (σ_down − σ)·(x_t − x̂0)/σ + σ_up·ε
/// ```
///
/// At η = 1 each step draws from the posterior of x_next given x_t and x̂0, as DDPM does; at η = 0
/// it is [Euler], bit for bit. A step to σ = 0 adds no noise. Source: k-diffusion's
/// `sample_euler_ancestral`; its `min(σ_next, …)` is not needed for η ≤ 1.
///
/// @param eta η, 0 to 1
public record Ancestral(double eta) implements Sampler {
  public Ancestral {
    if (!(0 <= eta && eta <= 1)) {
      throw new IllegalArgumentException("eta must lie in [0, 1], but was " + eta);
    }
  }

  @Override
  public Latents sample(
      Denoiser denoiser, Levels levels, Latents start, Draws noise, Condition condition) {
    Steps.requireRows(start, noise);
    Latents xt = start;
    for (int i = 0; i < levels.steps(); i++) {
      double sigma = levels.sigmas()[i];
      double landing = levels.landings()[i];
      Latents x0hat = Steps.x0hat(denoiser, xt, sigma, condition);
      xt = Steps.ancestral(x0hat, xt, eta, sigma, landing, levels.gains()[i], noise, i + 1);
    }
    return xt;
  }

  @Override
  public String name() {
    return "ancestral";
  }
}
