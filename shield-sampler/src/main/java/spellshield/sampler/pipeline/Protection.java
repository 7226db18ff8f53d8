package spellshield.sampler.pipeline;

import spellshield.index.ProtectedSet;
import spellshield.sampler.shield.Shield;

/// What a pipeline keeps its pictures out of.
///
/// @param set whose latents are of the pipeline's own space
/// @param radius r, in the unit of the latents, such as [ProtectedSet#radius]
/// @param shield pushes while a picture is sampled
public record Protection(ProtectedSet set, double radius, Shield shield) {

  /// Protects with the exact search at each step and the paper's overcompensation.
  public static Protection of(ProtectedSet set, double radius) {
    return new Protection(
        set, radius, Shield.builder().protecting(set.exact(), set.latents(), radius).build());
  }
}
