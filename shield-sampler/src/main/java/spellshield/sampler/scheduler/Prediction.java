package spellshield.sampler.scheduler;

import spellshield.sampler.Latents;

/// What a network predicts, as a preconditioning: how its input is scaled and its output read.
///
/// ```text
/// F  = network(c_in(σ)·x_t)
/// x̂0 = c_skip(σ)·x_t + c_out(σ)·F
/// ```
///
/// with x_t = x0 + σ·ε. As x̂0 is affine in F, guidance that mixes outputs with weights that add up
/// to 1 gives the same as mixing x̂0. Source: Karras et al. 2022, arXiv 2206.00364, equation 7 and
/// table 1.
public sealed interface Prediction {

  /// Returns c_in, with which the network sees `c_in·x_t`.
  double inputScale(double sigma);

  /// Returns c_skip, the share of x_t in x̂0.
  double skip(double sigma);

  /// Returns c_out, the factor of the output in x̂0; never 0 for σ > 0.
  double outputScale(double sigma);

  /// Returns x̂0 of a network's output at x_t, summed in float64.
  default Latents x0hat(Latents output, Latents xt, double sigma) {
    double skip = skip(sigma);
    double scale = outputScale(sigma);
    float[] x0hat = new float[xt.values().length];
    for (int i = 0; i < x0hat.length; i++) {
      x0hat[i] = (float) (skip * xt.values()[i] + scale * output.values()[i]);
    }
    return xt.with(x0hat);
  }

  /// Returns the output that says x̂0 at x_t: the inverse of [#x0hat].
  default Latents output(Latents x0hat, Latents xt, double sigma) {
    double skip = skip(sigma);
    double scale = outputScale(sigma);
    float[] output = new float[xt.values().length];
    for (int i = 0; i < output.length; i++) {
      output[i] = (float) ((x0hat.values()[i] - skip * xt.values()[i]) / scale);
    }
    return xt.with(output);
  }

  /// The noise ε in `α·x0 + s·ε`, α² + s² = 1: `x̂0 = x_t − σ·F`.
  record Epsilon() implements Prediction {
    @Override
    public double inputScale(double sigma) {
      return preservingAlpha(sigma);
    }

    @Override
    public double skip(double sigma) {
      return 1;
    }

    @Override
    public double outputScale(double sigma) {
      return -sigma;
    }
  }

  /// The velocity `v = α·ε − s·x0` of the same: `x̂0 = α²·x_t − α·σ·F`.
  ///
  /// Source: Salimans and Ho 2022, arXiv 2202.00512, appendix D.
  record Velocity() implements Prediction {
    @Override
    public double inputScale(double sigma) {
      return preservingAlpha(sigma);
    }

    @Override
    public double skip(double sigma) {
      return 1 / (1 + sigma * sigma);
    }

    @Override
    public double outputScale(double sigma) {
      return -sigma * preservingAlpha(sigma);
    }
  }

  /// The clean latent itself, of the same: `x̂0 = F`.
  record Clean() implements Prediction {
    @Override
    public double inputScale(double sigma) {
      return preservingAlpha(sigma);
    }

    @Override
    public double skip(double sigma) {
      return 0;
    }

    @Override
    public double outputScale(double sigma) {
      return 1;
    }
  }

  /// The clean latent, from x_t as it is: `x̂0 = F(x_t)`, a denoiser that scales for itself.
  record Direct() implements Prediction {
    @Override
    public double inputScale(double sigma) {
      return 1;
    }

    @Override
    public double skip(double sigma) {
      return 0;
    }

    @Override
    public double outputScale(double sigma) {
      return 1;
    }
  }

  /// The velocity `ε − x0` of rectified flow, `(1 − t)·x0 + t·ε`: `x̂0 = α·x_t − t·F`, α = 1 − t.
  record Flow() implements Prediction {
    @Override
    public double inputScale(double sigma) {
      return 1 / (1 + sigma);
    }

    @Override
    public double skip(double sigma) {
      return 1 / (1 + sigma);
    }

    @Override
    public double outputScale(double sigma) {
      return -sigma / (1 + sigma);
    }
  }

  /// EDM's own, for data of the standard deviation σ_data.
  ///
  /// ```text
  /// c_in = 1/√(σ² + σ_data²),  c_skip = σ_data²/(σ² + σ_data²),  c_out = σ·σ_data/√(σ² + σ_data²)
  /// ```
  ///
  /// @param sigmaData σ_data, above 0
  record Edm(double sigmaData) implements Prediction {
    public Edm {
      if (!(sigmaData > 0 && sigmaData < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "sigmaData must be positive and finite, but was " + sigmaData);
      }
    }

    @Override
    public double inputScale(double sigma) {
      return 1 / Math.hypot(sigma, sigmaData);
    }

    @Override
    public double skip(double sigma) {
      double share = sigmaData / Math.hypot(sigma, sigmaData);
      return share * share;
    }

    @Override
    public double outputScale(double sigma) {
      return sigma * sigmaData / Math.hypot(sigma, sigmaData);
    }
  }

  /// Returns α = 1/√(1 + σ²), with which `α·x_t` has the variance of data and noise of variance 1.
  private static double preservingAlpha(double sigma) {
    return 1 / Math.sqrt(1 + sigma * sigma);
  }
}
