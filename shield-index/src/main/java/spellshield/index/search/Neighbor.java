package spellshield.index.search;

import java.util.Comparator;
import spellshield.index.kernel.Distance;
import spellshield.index.store.RadiusScales;

/// A protected latent near a query.
///
/// @param item its position in the set
/// @param distance the computed `‖q − z‖`, arithmetic
///   [spellshield.index.kernel.Distance#ARITHMETIC]
/// @param lower a number that the true distance to the latent, as it was before it was stored, is
///   not below
/// @param scale s, how wide the item's ball is: `s·r` for the radius r ([RadiusScales])
public record Neighbor(long item, double distance, double lower, double scale) {

  /// Nearest first; equals go by item.
  public static final Comparator<Neighbor> NEAREST_FIRST =
      Comparator.comparingDouble(Neighbor::distance).thenComparingLong(Neighbor::item);

  /// The item first whose ball comes to the query at the smallest radius; equals go by item. Where
  /// all scales are 1 it is [#NEAREST_FIRST].
  public static final Comparator<Neighbor> REACHED_FIRST =
      Comparator.comparingDouble(Neighbor::reachedAt).thenComparingLong(Neighbor::item);

  /// Measures a query against a latent.
  ///
  /// @param query holds the query's D values from `offset`
  /// @param latent the stored latent, `[D]`
  /// @param error how far storing may have moved it
  /// @param scale of its ball
  public static Neighbor measure(
      long item, float[] query, int offset, float[] latent, double error, double scale) {
    double distance = Distance.between(query, offset, latent, 0, latent.length);
    double lower = Distance.lower(distance, latent.length);
    return new Neighbor(item, distance, error == 0 ? lower : Math.nextDown(lower - error), scale);
  }

  /// Returns the radius r at which the item's ball comes to the query, as computed: `distance / s`.
  public double reachedAt() {
    return distance / scale;
  }

  /// Returns a radius at which the item's ball is sure not to reach farther than to the query: the
  /// true distance is not below `s·clearance`. It is `lower / s`, not rounded up.
  public double clearance() {
    return scale == 1 ? lower : Math.nextDown(lower / scale);
  }

  /// Returns the radius of the item's ball, `s·radius`, not rounded down.
  public double ball(double radius) {
    return RadiusScales.ball(scale, radius);
  }

  /// Returns whether the latent cannot be shown to be farther away than `s·radius`.
  ///
  /// Where it is not, `clearance > radius`, so that the true distance is at least `s·clearance >
  /// s·radius`, with no rounding in between.
  public boolean isInside(double radius) {
    return !(clearance() > radius);
  }
}
