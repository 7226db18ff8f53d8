package spellshield.sampler;

/// DDIM; in the coordinates of σ it is [Ancestral], with the same η.
///
/// The paper steps `y_t = √ᾱ·x_t` with `σ² = (1 − ᾱ)/ᾱ`, that is `ᾱ = 1/(1 + σ²)`, and predicts `ε̂
/// = (x_t − x̂0)/σ`:
///
/// ```text
/// y_next = √ᾱ_next·x̂0 + sqrt(1 − ᾱ_next − s²)·ε̂ + s·ε
/// s²     = η²·(1 − ᾱ_next)/(1 − ᾱ)·(1 − ᾱ/ᾱ_next)
/// ```
///
/// Divide by √ᾱ_next and insert. With `(1 − ᾱ_next)/ᾱ_next = σ_next²`, `1 − ᾱ = σ²/(1 + σ²)` and `1
/// − ᾱ/ᾱ_next = (σ² − σ_next²)/(1 + σ²)`:
///
/// ```text
/// s²/ᾱ_next = η²·σ_next²·(σ² − σ_next²)/σ² = σ_up²
/// x_next    = x̂0 + sqrt(σ_next² − σ_up²)·(x_t − x̂0)/σ + σ_up·ε
/// ```
///
/// which is Ancestral's step. `SamplerTest.ddim_takes_the_steps_of_its_paper` computes it in the
/// paper's own coordinates. Source: Song et al. 2021, arXiv 2010.02502, equations 12 and 16.
///
/// @param eta η, 0 to 1; 0 is deterministic, 1 is DDPM
public record Ddim(double eta) implements Sampler {
  public Ddim {
    if (!(0 <= eta && eta <= 1)) {
      throw new IllegalArgumentException("eta must lie in [0, 1], but was " + eta);
    }
  }

  @Override
  public Latents sample(
      Denoiser denoiser, Levels levels, Latents start, Draws noise, Condition condition) {
    return new Ancestral(eta).sample(denoiser, levels, start, noise, condition);
  }

  @Override
  public String name() {
    return "ddim";
  }
}
