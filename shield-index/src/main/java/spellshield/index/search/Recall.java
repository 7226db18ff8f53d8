package spellshield.index.search;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import spellshield.index.kernel.Distance;
import spellshield.index.store.LatentReader;

/// How many of the true in-radius pairs an approximate search finds.
///
/// Asked like a sampler asks: half of the queries lie at a random point of the ball around a latent
/// (its distance uniform in [0, r], its direction Gaussian), half on the way between two latents,
/// at most r from the first.
///
/// @param radius r
/// @param queries the number of queries
/// @param pairs the number of (query, latent) pairs within r, by the exact search
/// @param found how many of them the approximate search returned
public record Recall(double radius, int queries, long pairs, long found) {

  /// Returns the share found; 1 when there was nothing to find.
  public double share() {
    return pairs == 0 ? 1 : (double) found / pairs;
  }

  /// Measures the recall of a search at one radius.
  ///
  /// @param seed draws the queries
  public static Recall measure(
      ExactScan exact,
      NeighborSearch search,
      LatentReader latents,
      double radius,
      int queries,
      long seed) {
    float[] points = latents.count() == 0 ? new float[0] : points(latents, radius, queries, seed);
    int count = points.length / latents.dim();
    List<Neighborhood> truth = exact.search(points, count, radius);
    List<Neighborhood> answers = search.search(points, count, radius);
    long pairs = 0;
    long found = 0;
    for (int q = 0; q < count; q++) {
      pairs += truth.get(q).neighbors().size();
      Set<Long> returned = new HashSet<>();
      answers.get(q).neighbors().forEach(neighbor -> returned.add(neighbor.item()));
      for (Neighbor neighbor : truth.get(q).neighbors()) {
        found += returned.contains(neighbor.item()) ? 1 : 0;
      }
    }
    return new Recall(radius, count, pairs, found);
  }

  private static float[] points(LatentReader latents, double radius, int queries, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int dim = latents.dim();
    float[] points = new float[queries * dim];
    float[] from = new float[dim];
    float[] to = new float[dim];
    for (int q = 0; q < queries; q++) {
      latents.read(random.nextLong(latents.count()), from);
      if (q % 2 == 0) {
        for (int i = 0; i < dim; i++) {
          to[i] = (float) (from[i] + random.nextGaussian());
        }
      } else {
        latents.read(random.nextLong(latents.count()), to);
      }
      double distance = Distance.between(from, to);
      double step = distance == 0 ? 0 : Math.min(1, radius * random.nextDouble() / distance);
      for (int i = 0; i < dim; i++) {
        points[q * dim + i] = (float) (from[i] + step * ((double) to[i] - from[i]));
      }
    }
    return points;
  }

  /// Returns the measurements of one search at several radii.
  public static List<Recall> measure(
      ExactScan exact,
      NeighborSearch search,
      LatentReader latents,
      double[] radii,
      int queries,
      long seed) {
    List<Recall> recalls = new ArrayList<>();
    for (double radius : radii) {
      recalls.add(measure(exact, search, latents, radius, queries, seed));
    }
    return recalls;
  }
}
