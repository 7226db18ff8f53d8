package spellshield.index.search;

import java.util.Comparator;
import spellshield.index.kernel.Distance;

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

  /// Measures a query against a latent.
  ///
  /// @param query holds the query's D values from `offset`
  /// @param latent the stored latent, `[D]`
  /// @param error how far storing may have moved it
  public static Neighbor measure(
      long item, float[] query, int offset, float[] latent, double error) {
    double distance = Distance.between(query, offset, latent, 0, latent.length);
    double lower = Distance.lower(distance, latent.length);
    return new Neighbor(item, distance, error == 0 ? lower : Math.nextDown(lower - error));
  }

  /// Returns whether the latent cannot be shown to be farther away than `radius`.
  public boolean isInside(double radius) {
    return !(lower > radius);
  }
}
