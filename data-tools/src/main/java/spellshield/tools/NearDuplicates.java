package spellshield.tools;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import spellshield.index.ProtectedSet;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.store.Item;

/// Protected pictures that are all but equal: exactly which, by the search that certifies.
final class NearDuplicates {
  private static final int BATCH = 64;

  private NearDuplicates() {}

  /// Two pictures and how far apart they are.
  ///
  /// @param edit what was done to the second one, empty for itself
  record Pair(String first, String second, String edit, double distance) {}

  /// Returns all pairs of different pictures within a radius, nearest first; each pair once, by its
  /// nearest variants.
  static List<Pair> find(ProtectedSet set, double radius, boolean quiet) {
    List<Pair> pairs = new ArrayList<>();
    int dim = set.space().dim();
    float[] latent = new float[dim];
    // Variants are not asked about: each picture meets those of the others.
    long[] numbers = set.living().items().filter(number -> !set.item(number).isVariant()).toArray();
    try (Progress progress = Progress.start("near-duplicates", numbers.length, quiet)) {
      for (int from = 0; from < numbers.length; from += BATCH) {
        int count = Math.min(BATCH, numbers.length - from);
        float[] queries = new float[count * dim];
        for (int i = 0; i < count; i++) {
          set.latents().read(numbers[from + i], latent);
          System.arraycopy(latent, 0, queries, i * dim, dim);
        }
        List<Neighborhood> found = set.exact().search(queries, count, radius);
        for (int i = 0; i < count; i++) {
          collect(set, numbers[from + i], found.get(i).neighbors(), radius, pairs);
        }
        progress.step(count);
      }
    }
    pairs.sort(
        Comparator.comparingDouble(Pair::distance)
            .thenComparing(Pair::first)
            .thenComparing(Pair::second));
    return pairs;
  }

  private static void collect(
      ProtectedSet set, long number, List<Neighbor> near, double radius, List<Pair> pairs) {
    if (near.size() < 2) {
      return; // itself
    }
    Item first = set.item(number);
    List<String> seen = new ArrayList<>(List.of(first.id()));
    for (Neighbor neighbor : near) {
      Item second = set.item(neighbor.item());
      // Of two pictures the first one tells, unless only a variant of the second is near.
      boolean told = neighbor.item() < number && !second.isVariant();
      if (!told && neighbor.distance() <= radius && !seen.contains(second.id())) {
        pairs.add(new Pair(first.id(), second.id(), second.edit(), neighbor.distance()));
        seen.add(second.id());
      }
    }
  }
}
