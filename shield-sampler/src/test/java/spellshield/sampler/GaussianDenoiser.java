package spellshield.sampler;

/// The posterior mean for data of the distribution `N(μ, diag(s²))`, per dimension.
///
/// `D(x, σ) = μ + s²/(s² + σ²)·(x − μ)`. The deterministic path through x_T at σ_T is known: `x(σ)
/// = μ + (x_T − μ)·sqrt((s² + σ²)/(s² + σ_T²))`.
record GaussianDenoiser(double[] mean, double[] std) implements Denoiser {

  @Override
  public Latents denoise(Latents xt, double sigma, Condition condition) {
    Latents x0hat = xt.copy();
    for (int i = 0; i < x0hat.values().length; i++) {
      int l = i % mean.length;
      double shrink = std[l] * std[l] / (std[l] * std[l] + sigma * sigma);
      x0hat.values()[i] = (float) (mean[l] + shrink * (xt.values()[i] - mean[l]));
    }
    return x0hat;
  }

  double path(double start, int l, double sigmaStart, double sigma) {
    double variance = std[l] * std[l];
    return mean[l]
        + (start - mean[l])
            * Math.sqrt((variance + sigma * sigma) / (variance + sigmaStart * sigmaStart));
  }
}
