package spellshield.index.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
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
import org.jspecify.annotations.Nullable;
import spellshield.index.sketch.Group;
import spellshield.index.sketch.SketchQuery;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LivingItems;
import spellshield.index.store.RadiusScales;

/// The latents within a radius that Lucene's HNSW graph over the heads of the sketches leads to.
///
/// The walk keeps going while what it meets is in the ball, or among the nearest few so far
/// ([BallCollector]). Nodes to which few edges lead are compared with one by one
/// ([UnreachedNodes]). What the tails of the sketches do not exclude is measured in the full
/// latents. A walk may pass a neighbour by, so the answer is approximate: [Recall] measures how
/// often. What it does return is measured as exactly as by [ExactScan]. Where items have balls of
/// their own the walk is as wide as the widest, the answer of each item's own. Removed items are
/// walked through, but not returned; items that were added after the graph was built are not in it,
/// and are searched for by the exact scan: of some per cent of a set that is faster than a walk
/// through a graph of their own. The graph depends on Lucene's own arithmetic, whose bits may
/// differ between machines.
public final class HnswSearch implements NeighborSearch {
  private static final String FIELD = "sketch";

  private final DirectoryReader reader;
  private final SketchTable table;
  private final LatentReader latents;
  private final double latentError;
  private final ExactScan exact;
  private final LivingItems living;
  private final @Nullable UnreachedNodes unreached;
  private final int[] places;

  /// Takes an open index of a set from which nothing was removed.
  public HnswSearch(DirectoryReader reader, SketchTable table, LatentReader latents)
      throws IOException {
    this(reader, table, latents, LivingItems.all(latents.count()));
  }

  /// Takes an open index that [#build] wrote, and what it was made from. The caller closes the
  /// reader.
  ///
  /// @param table of the same items, and those that were added since
  /// @param living the items to be found
  /// @throws IOException if the index is not one of these sketches
  public HnswSearch(
      DirectoryReader reader, SketchTable table, LatentReader latents, LivingItems living)
      throws IOException {
    this(reader, table, latents, living, new ExactScan(table, latents));
  }

  /// Takes also the exact scan of the same items, which answers where nothing is near.
  public HnswSearch(
      DirectoryReader reader,
      SketchTable table,
      LatentReader latents,
      LivingItems living,
      ExactScan exact)
      throws IOException {
    if (reader.maxDoc() != table.builtCount() || reader.numDocs() != table.builtCount()) {
      throw new IOException(
          "the graph has %d nodes, but the set was built of %d latents; rebuild the index"
              .formatted(reader.numDocs(), table.builtCount()));
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
    this.exact = exact;
    this.living = living;
    this.unreached =
        reader.leaves().isEmpty()
            ? null
            : UnreachedNodes.of(reader.leaves().getFirst().reader(), FIELD);
    this.places = table.places();
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
  public RadiusScales scales() {
    return table.scales();
  }

  @Override
  public List<Neighborhood> search(float[] queries, double... radii) {
    latents.requireOpen();
    Refiner.check(queries, radii, latents.dim());
    return exact.searchUnlessClear(queries, radii, this::walk);
  }

  private List<Neighborhood> walk(float[] queries, double[] radii) {
    SketchQuery[] sketched = exact.sketch(queries, radii.length);
    IntStream range = IntStream.range(0, radii.length);
    List<Neighborhood> walked =
        (radii.length > 1 ? range.parallel() : range)
            .mapToObj(q -> walk(sketched[q], queries, q, radii[q]))
            .toList();
    if (table.groupCount() == table.builtGroups()) {
      return walked;
    }
    List<Neighborhood> added = exact.search(sketched, queries, radii, table.builtGroups());
    return IntStream.range(0, radii.length).mapToObj(q -> walked.get(q).and(added.get(q))).toList();
  }

  private Neighborhood walk(SketchQuery query, float[] queries, int q, double radius) {
    if (unreached == null) { // an empty graph
      return new Neighborhood(List.of(), Double.POSITIVE_INFINITY);
    }
    double reach = query.headReach(radius, latentError);
    float[] head = query.headSketch();
    BallCollector collector = new BallCollector(reach, living);
    LeafReader leaf = reader.leaves().getFirst().reader();
    try {
      leaf.searchNearestVectors(
          FIELD, head, collector, AcceptDocs.fromLiveDocs(null, leaf.maxDoc()));
    } catch (IOException e) {
      throw new UncheckedIOException("the graph could not be read", e);
    }
    unreached.collect(head, collector);
    Refiner refiner = new Refiner(latents, table.scales(), queries, q);
    List<Neighbor> neighbors = new ArrayList<>();
    double clearance = collector.excluded() ? radius : Double.POSITIVE_INFINITY;
    for (int item : collector.inside()) {
      Group group = table.group(places[item] / Group.ITEMS);
      if (!query.mayHold(group, places[item] % Group.ITEMS, radius)) {
        clearance = Math.min(clearance, radius);
        continue;
      }
      Neighbor neighbor = refiner.measure(item);
      if (neighbor.isInside(radius)) {
        neighbors.add(neighbor);
      } else {
        clearance = Math.min(clearance, neighbor.clearance());
      }
    }
    neighbors.sort(Neighbor.NEAREST_FIRST);
    return new Neighborhood(neighbors, clearance);
  }
}
