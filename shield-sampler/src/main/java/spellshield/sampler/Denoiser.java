package spellshield.sampler;

/// Predicts the clean latents: `x̂0 = D(x_t, σ)`, the mean of what `x_t` may have come from.
///
/// Everything that steers sampling is a decorator of a denoiser. Row `i` of the answer belongs to
/// row `i` of the question, and unless a decorator says otherwise it does not depend on the other
/// rows: the bits are the same for any batch size.
@FunctionalInterface
public interface Denoiser {

  /// Returns x̂0 for every row.
  ///
  /// @param xt the noisy latents `[B, D]`, `x_t = x0 + σ·ε`; not changed
  /// @param sigma the noise level σ > 0, the same for all rows, in the unit of the latents
  /// @param condition what to sample; a condition per row has B entries
  /// @return x̂0, a new batch of the same shape
  Latents denoise(Latents xt, double sigma, Condition condition);
}
