package spellshield.sampler;

/// What all samplers do alike: checks, the denoiser's call, and the sum of a step.
final class Steps {
  private Steps() {}

  /// Refuses noise and a start that do not fit together.
  static void requireRows(Latents start, Draws noise) {
    if (noise.batch() != start.batch()) {
      throw new IllegalArgumentException(
          "need one seed per row, but there were %d seeds for %d rows"
              .formatted(noise.batch(), start.batch()));
    }
  }

  /// Returns x̂0 = D(x_t, σ), having checked that it has the shape of x_t.
  static Latents x0hat(Denoiser denoiser, Latents xt, double sigma, Condition condition) {
    Latents x0hat = denoiser.denoise(xt, sigma, condition);
    if (x0hat.batch() != xt.batch() || x0hat.dim() != xt.dim()) {
      throw new IllegalArgumentException(
          "the denoiser must answer [%d, %d] values, but answered [%d, %d]"
              .formatted(xt.batch(), xt.dim(), x0hat.batch(), x0hat.dim()));
    }
    return x0hat;
  }

  /// Returns the first-order step `g·x_next` from σ to σ next: the straight line from x̂0 through
  /// x_t; at σ_next = 0 and g = 1 it is x̂0 bit for bit.
  ///
  /// ```text
  /// x_next = x_t + (σ_next − σ)·(x_t − x̂0)/σ = r·x_t + (1 − r)·x̂0,   r = σ_next/σ
  /// ```
  static Latents towards(Latents x0hat, Latents xt, double sigma, double sigmaNext, double gain) {
    double ratio = sigmaNext / sigma;
    if (ratio == 0 && gain == 1) {
      return x0hat.copy(); // a sum would lose the sign of zeros
    }
    return sum(gain * ratio, xt, gain * (1 - ratio), x0hat);
  }

  /// Returns the step `g·x_next` that goes below σ next and comes back up with fresh noise.
  ///
  /// ```text
  /// σ_up   = η·σ_next·sqrt(1 − σ_next²/σ²)
  /// σ_down = sqrt(σ_next² − σ_up²)
  /// x_next = x_t + (σ_down − σ)·(x_t − x̂0)/σ + σ_up·ε
  /// ```
  ///
  /// @param draw the number of the draw ε, made only where σ_up is above 0
  static Latents ancestral(
      Latents x0hat,
      Latents xt,
      double eta,
      double sigma,
      double sigmaNext,
      double gain,
      Draws noise,
      int draw) {
    double ratio = sigmaNext / sigma;
    double sigmaUp = eta * sigmaNext * Math.sqrt(1 - ratio * ratio);
    double sigmaDown = Math.sqrt(sigmaNext * sigmaNext - sigmaUp * sigmaUp);
    Latents down = towards(x0hat, xt, sigma, sigmaDown, gain);
    return sigmaUp > 0 ? sum(1, down, gain * sigmaUp, noise.draw(draw, xt.shape())) : down;
  }

  /// Returns `g·x`; x itself where g is 1.
  static Latents scaled(double gain, Latents x) {
    return gain == 1 ? x : sum(gain, x, 0, x);
  }

  /// Returns `a·x + b·y`, summed in float64, rounded once.
  static Latents sum(double a, Latents x, double b, Latents y) {
    float[] p = x.values();
    float[] q = y.values();
    float[] out = new float[p.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (a * p[i] + b * q[i]);
    }
    return x.with(out);
  }
}
