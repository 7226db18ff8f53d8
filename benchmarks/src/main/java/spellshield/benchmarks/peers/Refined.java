package spellshield.benchmarks.peers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import spellshield.index.search.Neighbor;
import spellshield.index.search.NeighborSearch;
import spellshield.index.search.Neighborhood;
import spellshield.index.sketch.SketchQuery;
import spellshield.index.sketch.SketchTable;
import spellshield.index.store.LatentReader;
import spellshield.index.store.RadiusScales;

/// A peer's candidates, measured in the full latents.
///
/// The clearance is the radius: of what a peer left out nothing more is known.
record Refined(Candidates candidates, SketchTable table, LatentReader latents)
    implements NeighborSearch {

  @Override
  public boolean approximate() {
    return true;
  }

  @Override
  public RadiusScales scales() {
    return table.scales();
  }

  @Override
  public List<Neighborhood> search(float[] queries, double... radii) {
    return IntStream.range(0, radii.length)
        .mapToObj(q -> neighborhood(queries, q * latents.dim(), radii[q]))
        .toList();
  }

  private Neighborhood neighborhood(float[] queries, int offset, double radius) {
    SketchQuery query = table.query(queries, offset);
    int[] items;
    try {
      items = candidates.within(query.headSketch(), query.headReach(radius, table.latentError()));
    } catch (IOException e) {
      throw new UncheckedIOException("the peer's graph could not be read", e);
    }
    float[] latent = new float[latents.dim()];
    List<Neighbor> neighbors = new ArrayList<>();
    for (int item : items) {
      double error = latents.read(item, latent);
      Neighbor neighbor = Neighbor.measure(item, queries, offset, latent, error, scales().of(item));
      if (neighbor.isInside(radius)) {
        neighbors.add(neighbor);
      }
    }
    neighbors.sort(Neighbor.NEAREST_FIRST);
    return new Neighborhood(neighbors, radius);
  }
}
