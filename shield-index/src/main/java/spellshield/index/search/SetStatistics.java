package spellshield.index.search;

import java.util.Arrays;
import java.util.SplittableRandom;
import spellshield.index.kernel.Distance;
import spellshield.index.sketch.SketchTable;
import spellshield.index.store.LatentReader;

/// The scale of a set, by which a radius is chosen.
///
/// @param typicalDistance the median distance of two different latents (of 20,000 random pairs)
///   when the set was built; 0 where there were fewer than two. Radii travel between models as a
///   share of it
/// @param meanClearance m: no latent that is there now is nearer to the mean of the build than its
///   scale times m. At a radius above it the mean itself is forbidden, and with it the start of
///   every trajectory
public record SetStatistics(double typicalDistance, double meanClearance) {
  private static final int PAIRS = 20_000;
  private static final long SEED = 0x7d157;

  /// Measures a set.
  public static SetStatistics of(SketchTable table, LatentReader latents) {
    return new SetStatistics(typicalDistance(latents), meanClearance(table, latents));
  }

  /// Returns the statistics of the set after a change: the clearance measured anew from the same
  /// mean, the typical distance as it was.
  public SetStatistics measuredAnew(SketchTable table, LatentReader latents) {
    return new SetStatistics(typicalDistance, meanClearance(table, latents));
  }

  private static double typicalDistance(LatentReader latents) {
    long count = latents.count();
    if (count < 2) {
      return 0;
    }
    SplittableRandom random = new SplittableRandom(SEED);
    float[] a = new float[latents.dim()];
    float[] b = new float[latents.dim()];
    double[] distances = new double[PAIRS];
    for (int pair = 0; pair < PAIRS; pair++) {
      long first = random.nextLong(count);
      long second = (first + 1 + random.nextLong(count - 1)) % count;
      latents.read(first, a);
      latents.read(second, b);
      distances[pair] = Distance.between(a, b);
    }
    Arrays.sort(distances);
    return distances[PAIRS / 2];
  }

  private static double meanClearance(SketchTable table, LatentReader latents) {
    return new ExactScan(table, latents)
        .nearest(table.sketcher().mean(), 1)
        .getFirst()
        .map(neighbor -> Math.max(0, neighbor.clearance() * rounding(table)))
        .orElse(Double.POSITIVE_INFINITY);
  }

  /// The item of the least quotient as computed may have another of a quotient that is less by two
  /// roundings.
  private static double rounding(SketchTable table) {
    return table.scales().areOnes() ? 1 : 1 - 0x1p-50;
  }
}
