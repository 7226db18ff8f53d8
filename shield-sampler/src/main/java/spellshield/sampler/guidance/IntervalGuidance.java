package spellshield.sampler.guidance;

import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;

/// Guidance in an interval of noise levels only; outside, the positive condition alone.
///
/// ```text
/// w(σ) = w for σ_low < σ ≤ σ_high, else 1
/// ```
///
/// Source: Kynkäänniemi et al. 2024, arXiv 2404.07724, equation 5.
///
/// @param guided asked within the interval
/// @param plain asked outside of it
/// @param sigmaLow σ_low, 0 or more
/// @param sigmaHigh σ_high, above σ_low; may be infinite
public record IntervalGuidance(Denoiser guided, Denoiser plain, double sigmaLow, double sigmaHigh)
    implements Denoiser {
  public IntervalGuidance {
    if (!(0 <= sigmaLow && sigmaLow < sigmaHigh)) {
      throw new IllegalArgumentException(
          "need 0 ≤ sigmaLow < sigmaHigh, but sigmaLow=%s, sigmaHigh=%s"
              .formatted(sigmaLow, sigmaHigh));
    }
  }

  @Override
  public Latents denoise(Latents xt, double sigma, Condition condition) {
    if (sigma > sigmaLow && sigma <= sigmaHigh) {
      return guided.denoise(xt, sigma, condition);
    }
    Condition positive = condition instanceof Condition.Guided both ? both.positive() : condition;
    return plain.denoise(xt, sigma, positive);
  }
}
