package spellshield.sampler.pipeline;

import spellshield.index.LiveSet;
import spellshield.index.ProtectedSet;
import spellshield.sampler.shield.Shield;

/// What a pipeline keeps its pictures out of.
///
/// @param set whose latents are of the pipeline's own space
/// @param radius r, in the unit of the latents, such as [ProtectedSet#radius]
/// @param shield pushes while a picture is sampled
public record Protection(LiveSet set, double radius, Shield shield) {

  /// Protects with the exact search at each step and the paper's overcompensation.
  public static Protection of(ProtectedSet set, double radius) {
    return of(LiveSet.still(set), radius);
  }

  /// Protects with a shield of the caller's.
  public static Protection of(ProtectedSet set, double radius, Shield shield) {
    return new Protection(LiveSet.still(set), radius, shield);
  }

  /// Protects what is in the set at each step and after the last one, with the exact search and the
  /// paper's overcompensation.
  public static Protection of(LiveSet set, double radius) {
    return new Protection(set, radius, Shield.builder().protecting(set, radius).build());
  }
}
