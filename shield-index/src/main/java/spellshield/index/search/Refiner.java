package spellshield.index.search;

import spellshield.index.store.LatentReader;
import spellshield.index.store.RadiusScales;

/// Measures the distance of one query to whole latents. One thread at a time.
final class Refiner {
  private final LatentReader latents;
  private final RadiusScales scales;
  private final float[] queries;
  private final int offset;
  private final float[] latent;

  Refiner(LatentReader latents, RadiusScales scales, float[] queries, int query) {
    this.latents = latents;
    this.scales = scales;
    this.queries = queries;
    this.offset = query * latents.dim();
    this.latent = new float[latents.dim()];
  }

  Neighbor measure(long item) {
    double error = latents.read(item, latent);
    return Neighbor.measure(item, queries, offset, latent, error, scales.of(item));
  }

  /// Refuses what no search can answer.
  static void check(float[] queries, double[] radii, int dim) {
    for (double radius : radii) {
      NeighborSearch.requireRadius(radius);
    }
    checkQueries(queries, radii.length, dim);
  }

  static void checkQueries(float[] queries, int count, int dim) {
    if (count < 0 || queries.length < (long) count * dim) {
      throw new IllegalArgumentException(
          "%d values do not hold %d queries of %d values each"
              .formatted(queries.length, count, dim));
    }
    for (int i = 0; i < count * dim; i++) {
      if (!Float.isFinite(queries[i])) {
        throw new IllegalArgumentException(
            "query %d: value %d is %s; only finite latents can be searched for"
                .formatted(i / dim, i % dim, queries[i]));
      }
    }
  }
}
