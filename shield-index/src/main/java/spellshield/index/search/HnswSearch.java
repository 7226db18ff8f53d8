package spellshield.index.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.store.Directory;
import spellshield.index.sketch.SketchQuery;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.LatentReader;

/// The latents within a radius that Lucene's HNSW graph over the heads of the sketches leads to.
///
/// The walk keeps going while what it meets is in the ball, or among the nearest few so far
/// ([BallCollector]); what lies inside is measured in the full latents. A walk may pass a neighbour
/// by, so the answer is approximate: [Recall] measures how often. What it does return is measured
/// as exactly as by [ExactScan]. The graph depends on Lucene's own arithmetic, whose bits may
/// differ between machines.
public final class HnswSearch implements NeighborSearch {
  private static final String FIELD = "sketch";

  private final DirectoryReader reader;
  private final SketchTable table;
  private final LatentReader latents;
  private final double latentError;

  /// Takes an open index that [#build] wrote, and what it was made from. The caller closes the
  /// reader.
  ///
  /// @throws IOException if the index is not one of these sketches
  public HnswSearch(DirectoryReader reader, SketchTable table, LatentReader latents)
      throws IOException {
    if (reader.maxDoc() != table.count() || reader.numDocs() != table.count()) {
      throw new IOException(
          "the graph has %d nodes, but the set has %d latents; rebuild the index"
              .formatted(reader.numDocs(), table.count()));
    }
    if (reader.leaves().size() > 1) {
      throw new IOException(
          "the graph has %d segments, but one was built; rebuild the index"
              .formatted(reader.leaves().size()));
    }
    this.reader = reader;
    this.table = table;
    this.latents = latents;
    this.latentError = table.latentError();
  }

  /// Writes the graph of sketches, one segment whose document numbers are the items.
  public static void build(Sketches sketches, Directory directory) throws IOException {
    IndexWriterConfig config = new IndexWriterConfig();
    config.setUseCompoundFile(false);
    // One flush, no merge: merging would build the graph a second time.
    config.setRAMPerThreadHardLimitMB(2047);
    config.setRAMBufferSizeMB(2047);
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      for (int item = 0; item < sketches.count(); item++) {
        Document document = new Document();
        document.add(
            new KnnFloatVectorField(
                FIELD, sketches.head(item), VectorSimilarityFunction.EUCLIDEAN));
        writer.addDocument(document);
      }
      writer.forceMerge(1);
      writer.commit();
    }
  }

  @Override
  public boolean approximate() {
    return true;
  }

  @Override
  public List<Neighborhood> search(float[] queries, double... radii) {
    latents.requireOpen();
    Refiner.check(queries, radii, latents.dim());
    if (reader.leaves().isEmpty()) {
      return Collections.nCopies(
          radii.length, new Neighborhood(List.of(), Double.POSITIVE_INFINITY));
    }
    IntStream range = IntStream.range(0, radii.length);
    return (radii.length > 1 ? range.parallel() : range)
        .mapToObj(q -> neighborhood(queries, q, radii[q]))
        .toList();
  }

  private Neighborhood neighborhood(float[] queries, int q, double radius) {
    SketchQuery query = table.query(queries, q * latents.dim());
    double reach = query.headReach(radius, latentError);
    BallCollector collector = new BallCollector(reach);
    LeafReader leaf = reader.leaves().getFirst().reader();
    try {
      leaf.searchNearestVectors(
          FIELD, query.headSketch(), collector, AcceptDocs.fromLiveDocs(null, leaf.maxDoc()));
    } catch (IOException e) {
      throw new UncheckedIOException("the graph could not be read", e);
    }
    Refiner refiner = new Refiner(latents, queries, q);
    List<Neighbor> neighbors = new ArrayList<>();
    double clearance = collector.excluded() ? radius : Double.POSITIVE_INFINITY;
    for (int item : collector.inside()) {
      Neighbor neighbor = refiner.measure(item);
      if (neighbor.isInside(radius)) {
        neighbors.add(neighbor);
      } else {
        clearance = Math.min(clearance, neighbor.lower());
      }
    }
    neighbors.sort(Neighbor.NEAREST_FIRST);
    return new Neighborhood(neighbors, clearance);
  }
}
