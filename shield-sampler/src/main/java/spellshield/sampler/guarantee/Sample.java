package spellshield.sampler.guarantee;

import java.util.Optional;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.shield.Activity;

/// One finished sample and what is known about it.
///
/// @param latent `[D]`; for a failed sample the last attempt, which must not be delivered
/// @param requestedSeed the seed that was asked for
/// @param seed the seed that made it: another one after resampling
/// @param attempts 1, and 1 more for each resampling
/// @param activity what the shield did, all attempts together
/// @param moved how far the guarantee moved it
/// @param rounds how often the guarantee checked it: 1 where nothing was to be done, 0 without one
/// @param picture that the latent becomes, where the guarantee checked its file
/// @param certificate the proof, where a guarantee was asked for and kept
/// @param failure why there is none although it was asked for; empty otherwise
public record Sample(
    float[] latent,
    long requestedSeed,
    long seed,
    int attempts,
    Activity activity,
    double moved,
    int rounds,
    Optional<RgbImage> picture,
    Optional<Certificate> certificate,
    String failure) {

  /// Returns whether a guarantee was asked for and could not be given.
  public boolean failed() {
    return !failure.isEmpty();
  }
}
