package spellshield.tools.calibrate;

import java.util.Arrays;
import spellshield.index.Proportion;

/// Distances of a sample.
public final class Distances {
  private final double[] sorted;

  private Distances(double[] sorted) {
    this.sorted = sorted;
  }

  /// Takes distances in any order.
  ///
  /// @param distances not negative; not kept
  /// @throws IllegalArgumentException if there is none, or one is NaN or negative
  public static Distances of(double... distances) {
    double[] sorted = distances.clone();
    Arrays.sort(sorted);
    if (sorted.length == 0 || !(sorted[0] >= 0) || Double.isNaN(sorted[sorted.length - 1])) {
      throw new IllegalArgumentException(
          "distances are at least one, none negative or NaN, but were %d from %s"
              .formatted(sorted.length, sorted.length == 0 ? "none" : sorted[0]));
    }
    return new Distances(sorted);
  }

  public int count() {
    return sorted.length;
  }

  /// Returns the least of the distances that at least the share `p` of them does not exceed.
  ///
  /// @param p above 0, at most 1
  public double quantile(double p) {
    if (!(p > 0 && p <= 1)) {
      throw new IllegalArgumentException("p must lie in (0, 1], but was " + p);
    }
    // Of 100 the 7th is due at 7 %, though 0.07·100 is above 7 in float64.
    int rank = (int) Math.ceil(p * sorted.length * (1 - 0x1p-40));
    return sorted[Math.max(1, rank) - 1];
  }

  /// Returns how many of the distances do not exceed the radius.
  public Proportion within(double radius) {
    int count = 0;
    for (double distance : sorted) {
      count += distance <= radius ? 1 : 0;
    }
    return new Proportion(count, sorted.length);
  }
}
