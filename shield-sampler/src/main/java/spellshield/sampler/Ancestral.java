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
/// it is [Euler], bit for bit. The last step, to σ = 0, adds no noise. Source: k-diffusion's
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
      Denoiser denoiser, double[] sigmas, Latents start, Noise noise, Condition condition) {
    int last = Steps.count(sigmas, start, noise) - 1;
    Latents xt = start;
    for (int i = 0; i < last; i++) {
      double sigma = sigmas[i];
      double sigmaNext = sigmas[i + 1];
      double ratio = sigmaNext / sigma;
      double sigmaUp = eta * sigmaNext * Math.sqrt(1 - ratio * ratio);
      double sigmaDown = Math.sqrt(sigmaNext * sigmaNext - sigmaUp * sigmaUp);
      Latents x0hat = Steps.x0hat(denoiser, xt, sigma, condition);
      xt = Steps.towards(x0hat, xt, sigma, sigmaDown);
      if (sigmaUp > 0) {
        xt = Steps.sum(1, xt, sigmaUp, noise.draw(i + 1, xt.shape()));
      }
    }
    return Steps.x0hat(denoiser, xt, sigmas[last], condition).copy();
  }

  @Override
  public String name() {
    return "ancestral";
  }
}
