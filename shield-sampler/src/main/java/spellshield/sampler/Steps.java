package spellshield.sampler;

/// What all samplers do alike: checks, the denoiser's call, and the sum of a step.
final class Steps {
  private Steps() {}

  /// Returns the number of steps, or refuses levels and batches that do not fit together.
  static int count(double[] sigmas, Latents start, Noise noise) {
    int steps = sigmas.length - 1;
    if (steps < 1 || sigmas[steps] != 0) {
      throw new IllegalArgumentException(
          "sigmas must be two or more levels, the last one 0, but %s"
              .formatted(
                  steps < 0
                      ? "there were none"
                      : "the last of " + (steps + 1) + " was " + sigmas[steps]));
    }
    if (!(sigmas[0] < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("sigmas[0] must be finite, but was " + sigmas[0]);
    }
    for (int i = 0; i < steps; i++) {
      if (!(sigmas[i] > sigmas[i + 1])) { // also refuses NaN
        throw new IllegalArgumentException(
            "sigmas must decrease strictly, but sigmas[%d]=%s, sigmas[%d]=%s"
                .formatted(i, sigmas[i], i + 1, sigmas[i + 1]));
      }
    }
    if (noise.seeds().length != start.batch()) {
      throw new IllegalArgumentException(
          "need one seed per row, but there were %d seeds for %d rows"
              .formatted(noise.seeds().length, start.batch()));
    }
    return steps;
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

  /// Returns the first-order step from σ to σ next: the straight line from x̂0 through x_t.
  ///
  /// ```text
  /// x_next = x_t + (σ_next − σ)·(x_t − x̂0)/σ = r·x_t + (1 − r)·x̂0,   r = σ_next/σ
  /// ```
  static Latents towards(Latents x0hat, Latents xt, double sigma, double sigmaNext) {
    double ratio = sigmaNext / sigma;
    return sum(ratio, xt, 1 - ratio, x0hat);
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
