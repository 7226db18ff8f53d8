package spellshield.index.search;

import java.util.Comparator;

/// A protected latent near a query.
///
/// @param item its position in the set
/// @param distance the computed `‖q − z‖`, arithmetic
///   [spellshield.index.kernel.Distance#ARITHMETIC]
/// @param lower a number that the true distance to the latent, as it was before it was stored, is
///   not below
public record Neighbor(long item, double distance, double lower) {

  /// Nearest first; equals go by item.
  public static final Comparator<Neighbor> NEAREST_FIRST =
      Comparator.comparingDouble(Neighbor::distance).thenComparingLong(Neighbor::item);

  /// Returns whether the latent cannot be shown to be farther away than `radius`.
  public boolean isInside(double radius) {
    return !(lower > radius);
  }
}
