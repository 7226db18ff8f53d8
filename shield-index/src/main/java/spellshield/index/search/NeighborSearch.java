package spellshield.index.search;

import java.util.Arrays;
import java.util.List;
import spellshield.index.store.RadiusScales;

/// Finds the protected latents within a radius of each query.
///
/// Some may have wider or narrower balls than others ([RadiusScales]): asked for the radius r, a
/// search returns every latent k that cannot be shown to be farther away than `s_k·r`.
///
/// Implementations are safe for any number of threads, and answer each query with the same bits
/// whatever the batch and the number of threads.
public interface NeighborSearch {

  /// Returns one neighbourhood per query, in the order of the queries.
  ///
  /// @param queries `[radii.length, D]`, row by row; rows behind these are not looked at
  /// @param radii r > 0, finite, in the unit of the latents, for each query
  /// @throws IllegalArgumentException if a radius is not positive and finite, or a query is not
  ///   finite
  /// @throws IllegalStateException if the set was closed
  List<Neighborhood> search(float[] queries, double... radii);

  /// Returns one neighbourhood per query, all of one radius.
  default List<Neighborhood> search(float[] queries, int count, double radius) {
    requireRadius(radius);
    double[] radii = new double[count];
    Arrays.fill(radii, radius);
    return search(queries, radii);
  }

  /// Returns a radius that can be searched with, or refuses it.
  ///
  /// @throws IllegalArgumentException if it is not positive and finite
  static double requireRadius(double radius) {
    if (!(radius > 0 && radius < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("radius must be positive and finite, but was " + radius);
    }
    return radius;
  }

  /// Returns how wide the balls of the items are.
  RadiusScales scales();

  /// Returns whether neighbours may be missing from an answer.
  boolean approximate();
}
