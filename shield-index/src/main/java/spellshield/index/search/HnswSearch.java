package spellshield.index.search;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.AcceptDocs;
import org.apache.lucene.store.Directory;
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
/// through a graph of their own. So is a query whose walk meets more nodes than a scan is worth:
/// where thousands of sketches are in reach, it gives up and the scan answers. The graph depends on
/// Lucene's own arithmetic, whose bits may differ between machines.
public final class HnswSearch implements NeighborSearch {
  private static final String FIELD = "sketch";

  /// A walk gives up at so many nodes, or at this part of all: it takes as long as a scan by then
  /// (measured at 1.2 million latents: 0.5 µs a node, 3 ms a scan at 0.4 of the typical distance).
  private static final long LEAST_VISITS = 4_000;

  private static final long VISITED_PART = 256;

  /// The most latents of one segment: while it grows, vectors and graph take some 600 bytes of heap
  /// each. A set of more has several, and a query walks through each of them.
  private static final int SEGMENT_LATENTS = 2_000_000;

  private final SketchTable table;
  private final LatentReader latents;
  private final double latentError;
  private final ExactScan exact;
  private final LivingItems living;
  private final List<Segment> segments = new ArrayList<>();
  private final int[] places;

  /// A graph of its own over the items from one on.
  private record Segment(
      LeafReader leaf, int firstItem, UnreachedNodes unreached, long visitLimit) {

    static Segment of(LeafReaderContext context) throws IOException {
      LeafReader leaf = context.reader();
      return new Segment(
          leaf,
          context.docBase,
          UnreachedNodes.of(leaf, FIELD),
          Math.max(LEAST_VISITS, leaf.maxDoc() / VISITED_PART));
    }

    /// Walks to the nodes of living items within a reach.
    BallCollector walk(float[] head, double reach, LivingItems living) {
      BallCollector collector = new BallCollector(reach, living, firstItem, visitLimit);
      try {
        leaf.searchNearestVectors(
            FIELD, head, collector, AcceptDocs.fromLiveDocs(null, leaf.maxDoc()));
      } catch (IOException e) {
        throw new UncheckedIOException("the graph could not be read", e);
      }
      if (!collector.gaveUp()) {
        unreached.collect(head, collector);
      }
      return collector;
    }
  }

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
    this.table = table;
    this.latents = latents;
    this.latentError = table.latentError();
    this.exact = exact;
    this.living = living;
    for (LeafReaderContext leaf : reader.leaves()) {
      segments.add(Segment.of(leaf));
    }
    this.places = table.places();
  }

  /// Writes the graph of sketches: one segment for two million, and more of equal size for a larger
  /// set. Document numbers are the items.
  public static void build(Sketches sketches, Directory directory) throws IOException {
    build(sketches, directory, SEGMENT_LATENTS);
  }

  /// Writes segments of at most so many latents.
  static void build(Sketches sketches, Directory directory, int most) throws IOException {
    int segments = Math.max(1, Math.ceilDiv(sketches.count(), most));
    IndexWriterConfig config = new IndexWriterConfig();
    config.setUseCompoundFile(false);
    // One flush a segment, no merge: merging would build the graph a second time.
    config.setMergePolicy(NoMergePolicy.INSTANCE);
    config.setMaxBufferedDocs(Math.max(2, Math.ceilDiv(sketches.count(), segments)));
    config.setRAMBufferSizeMB(IndexWriterConfig.DISABLE_AUTO_FLUSH);
    config.setRAMPerThreadHardLimitMB(2047);
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      for (int item = 0; item < sketches.count(); item++) {
        Document document = new Document();
        document.add(
            new KnnFloatVectorField(
                FIELD, sketches.head(item), VectorSimilarityFunction.EUCLIDEAN));
        writer.addDocument(document);
      }
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
    SketchQuery[] sketched = table.queries(queries, radii.length);
    IntStream range = IntStream.range(0, radii.length);
    List<Optional<Neighborhood>> walked =
        (radii.length > 1 ? range.parallel() : range)
            .mapToObj(q -> walk(sketched[q], queries, q, radii[q]))
            .toList();
    int[] all = IntStream.range(0, radii.length).toArray();
    int[] lost = Arrays.stream(all).filter(q -> walked.get(q).isEmpty()).toArray();
    int[] led = Arrays.stream(all).filter(q -> walked.get(q).isPresent()).toArray();
    boolean grown = table.groupCount() > table.builtGroups();
    List<Neighborhood> scanned = scan(lost, sketched, queries, radii, 0);
    List<Neighborhood> added =
        grown ? scan(led, sketched, queries, radii, table.builtGroups()) : List.of();
    Neighborhood[] answers = new Neighborhood[radii.length];
    for (int i = 0; i < lost.length; i++) {
      answers[lost[i]] = scanned.get(i);
    }
    for (int i = 0; i < led.length; i++) {
      Neighborhood found = walked.get(led[i]).orElseThrow();
      answers[led[i]] = grown ? found.and(added.get(i)) : found;
    }
    return List.of(answers);
  }

  /// Scans the groups from one on with some of the queries.
  private List<Neighborhood> scan(
      int[] some, SketchQuery[] sketched, float[] queries, double[] radii, int firstGroup) {
    int dim = latents.dim();
    float[] picked = new float[some.length * dim];
    for (int i = 0; i < some.length; i++) {
      System.arraycopy(queries, some[i] * dim, picked, i * dim, dim);
    }
    return exact.search(
        Arrays.stream(some).mapToObj(q -> sketched[q]).toArray(SketchQuery[]::new),
        picked,
        Arrays.stream(some).mapToDouble(q -> radii[q]).toArray(),
        firstGroup);
  }

  /// Returns the answer over the build, or nothing where the walk gave up.
  private Optional<Neighborhood> walk(SketchQuery query, float[] queries, int q, double radius) {
    double reach = query.headReach(radius, latentError);
    float[] head = query.headSketch();
    Refiner refiner = new Refiner(latents, table.scales(), queries, q);
    List<Neighbor> neighbors = new ArrayList<>();
    double clearance = Double.POSITIVE_INFINITY;
    for (Segment segment : segments) {
      BallCollector walked = segment.walk(head, reach, living);
      if (walked.gaveUp()) {
        return Optional.empty();
      }
      clearance = walked.excluded() ? Math.min(clearance, radius) : clearance;
      for (int node : walked.inside()) {
        int item = segment.firstItem + node;
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
    }
    neighbors.sort(Neighbor.NEAREST_FIRST);
    return Optional.of(new Neighborhood(neighbors, clearance));
  }
}
