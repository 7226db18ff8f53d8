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
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopKnnCollector;
import org.apache.lucene.store.Directory;
import spellshield.index.kernel.Kernels;
import spellshield.index.sketch.SketchTable;
import spellshield.index.store.LatentReader;

/// The latents within a radius that Lucene's HNSW graph over the sketches leads to.
///
/// A query asks for the k nearest sketches, k = 16, 64, 256, …, until the farthest of them is
/// outside the radius; those inside are measured in the full latents. A graph walk may pass a
/// neighbour by, so the answer is approximate: [Recall] measures how often. What it does return is
/// measured as exactly as by [ExactScan]. The graph depends on Lucene's own arithmetic, whose bits
/// may differ between machines.
public final class HnswSearch implements NeighborSearch {
  private static final String FIELD = "sketch";
  private static final int FIRST_K = 16;
  private static final int GROWTH = 4;

  private final DirectoryReader reader;
  private final SketchTable table;
  private final LatentReader latents;

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
  }

  /// Writes the graph of a table, one segment whose document numbers are the items.
  public static void build(SketchTable table, Directory directory) throws IOException {
    IndexWriterConfig config = new IndexWriterConfig();
    config.setUseCompoundFile(false);
    // One flush, no merge: merging would build the graph a second time.
    config.setRAMPerThreadHardLimitMB(2047);
    config.setRAMBufferSizeMB(2047);
    int count = Math.toIntExact(table.count());
    int[] slotOf = new int[count];
    for (int block = 0; block < table.blockCount(); block++) {
      for (int lane = 0; lane < table.size(block); lane++) {
        slotOf[table.item(block, lane)] = block * Kernels.BLOCK + lane;
      }
    }
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      for (int item = 0; item < count; item++) {
        float[] sketch = table.sketch(slotOf[item] / Kernels.BLOCK, slotOf[item] % Kernels.BLOCK);
        Document document = new Document();
        document.add(new KnnFloatVectorField(FIELD, sketch, VectorSimilarityFunction.EUCLIDEAN));
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
  public List<Neighborhood> search(float[] queries, int count, double radius) {
    latents.requireOpen();
    Refiner.check(queries, count, radius, latents.dim());
    if (reader.leaves().isEmpty()) {
      return Collections.nCopies(count, new Neighborhood(List.of(), Double.POSITIVE_INFINITY));
    }
    IntStream range = IntStream.range(0, count);
    return (count > 1 ? range.parallel() : range)
        .mapToObj(q -> neighborhood(queries, q, radius))
        .toList();
  }

  private Neighborhood neighborhood(float[] queries, int q, double radius) {
    float[] sketch = new float[table.sketcher().length()];
    double error = table.sketcher().sketch(queries, q * latents.dim(), sketch, 0);
    double limit =
        table.sketcher().scanLimit(radius + table.latentError(), error, table.sketchError());
    TopDocs found = walk(sketch, limit);
    Refiner refiner = new Refiner(latents, queries, q);
    List<Neighbor> neighbors = new ArrayList<>();
    double clearance = Double.POSITIVE_INFINITY;
    for (ScoreDoc hit : found.scoreDocs) {
      if (square(hit) > limit) {
        // Nothing behind this one is nearer, as far as the graph knows.
        clearance = Math.min(clearance, Math.sqrt(square(hit)));
        continue;
      }
      Neighbor neighbor = refiner.measure(hit.doc);
      if (neighbor.isInside(radius)) {
        neighbors.add(neighbor);
      } else {
        clearance = Math.min(clearance, neighbor.lower());
      }
    }
    neighbors.sort(Neighbor.NEAREST_FIRST);
    return new Neighborhood(neighbors, clearance);
  }

  private TopDocs walk(float[] sketch, double limit) {
    int count = Math.toIntExact(table.count());
    LeafReader leaf = reader.leaves().getFirst().reader();
    try {
      for (int k = FIRST_K; ; k = (int) Math.min(count, (long) k * GROWTH)) {
        TopKnnCollector collector = new TopKnnCollector(k, Integer.MAX_VALUE);
        leaf.searchNearestVectors(
            FIELD, sketch, collector, AcceptDocs.fromLiveDocs(null, leaf.maxDoc()));
        TopDocs found = collector.topDocs();
        int hits = found.scoreDocs.length;
        if (hits < k || k >= count || square(found.scoreDocs[hits - 1]) > limit) {
          return found;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the graph could not be read", e);
    }
  }

  /// Returns the squared distance of the sketches; Lucene's score is `1 / (1 + d²)`.
  private static double square(ScoreDoc hit) {
    return Math.max(0, 1.0 / hit.score - 1);
  }
}
