package spellshield.sampler.scheduler;

import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Draws;
import spellshield.sampler.Latents;
import spellshield.sampler.Levels;
import spellshield.sampler.Sampler;

/// One run of a scheduler: everything but the network.
///
/// @param sampler takes the steps
/// @param levels where it asks and lands
/// @param timesteps what the network is told at each of the levels' sigmas
/// @param prediction what the network predicts
/// @param clipping what happens to x̂0 before guidance and shield see it
public record Plan(
    Sampler sampler, Levels levels, double[] timesteps, Prediction prediction, Clipping clipping) {
  public Plan {
    if (timesteps.length != levels.steps()) {
      throw new IllegalArgumentException(
          "need a timestep for each of %d steps, but there were %d"
              .formatted(levels.steps(), timesteps.length));
    }
  }

  /// Returns the network as a denoiser: scales x_t, asks, and reads x̂0 from the answer.
  public Denoiser denoiser(Network network) {
    return (xt, sigma, condition) -> {
      Latents output = network.predict(input(xt, sigma), timestep(sigma), condition);
      if (output.batch() != xt.batch() || output.dim() != xt.dim()) {
        throw new IllegalArgumentException(
            "the network must answer [%d, %d] values, but answered [%d, %d]"
                .formatted(xt.batch(), xt.dim(), output.batch(), output.dim()));
      }
      return clipping.clip(prediction.x0hat(output, xt, sigma));
    };
  }

  /// Returns what the network sees of x_t: `c_in(σ)·x_t`.
  public Latents input(Latents xt, double sigma) {
    double scale = prediction.inputScale(sigma);
    float[] input = new float[xt.values().length];
    for (int i = 0; i < input.length; i++) {
      input[i] = (float) (scale * xt.values()[i]);
    }
    return xt.with(input);
  }

  /// Returns the timestep that belongs to a level; between two levels it is interpolated over ln σ.
  public double timestep(double sigma) {
    double[] sigmas = levels.sigmas();
    int above = 0; // the last level that is not below σ
    while (above + 1 < sigmas.length && sigmas[above + 1] >= sigma) {
      above++;
    }
    if (sigma >= sigmas[above] || above == sigmas.length - 1) {
      return timesteps[above];
    }
    double share = Math.log(sigmas[above] / sigma) / Math.log(sigmas[above] / sigmas[above + 1]);
    return timesteps[above] + share * (timesteps[above + 1] - timesteps[above]);
  }

  /// Runs from draw 0 of the noise.
  ///
  /// @param denoiser such as [#denoiser], with whatever decorates it
  /// @param shape of one latent
  /// @return the finished latents as the autoencoder's decoder takes them, scaled by the model
  public Latents sample(Denoiser denoiser, Draws noise, Condition condition, int... shape) {
    return sampler.sample(denoiser, levels, levels.start(noise, shape), noise, condition);
  }
}
