package spellshield.benchmarks.peers;

import io.github.jbellis.jvector.disk.ReaderSupplierFactory;
import io.github.jbellis.jvector.graph.GraphIndexBuilder;
import io.github.jbellis.jvector.graph.GraphSearcher;
import io.github.jbellis.jvector.graph.ListRandomAccessVectorValues;
import io.github.jbellis.jvector.graph.RandomAccessVectorValues;
import io.github.jbellis.jvector.graph.SearchResult;
import io.github.jbellis.jvector.graph.disk.OnDiskGraphIndex;
import io.github.jbellis.jvector.graph.similarity.BuildScoreProvider;
import io.github.jbellis.jvector.graph.similarity.DefaultSearchScoreProvider;
import io.github.jbellis.jvector.util.Bits;
import io.github.jbellis.jvector.vector.VectorSimilarityFunction;
import io.github.jbellis.jvector.vector.VectorizationProvider;
import io.github.jbellis.jvector.vector.types.VectorFloat;
import io.github.jbellis.jvector.vector.types.VectorTypeSupport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ForkJoinPool;

/// JVector's search with a threshold, over a graph of its own on the same heads.
///
/// The graph has 32 edges a node, as many as Lucene's has on its lowest level, and was built with
/// the same beam of 100; the vectors stay in memory, the edges in a mapped file.
final class JVectorGraph implements Candidates {
  private static final int EDGES = 32;
  private static final int BEAM = 100;
  private static final float OVERFLOW = 1.2f;
  private static final float ALPHA = 1.2f;
  private static final VectorTypeSupport VECTORS =
      VectorizationProvider.getInstance().getVectorTypeSupport();

  private final RandomAccessVectorValues heads;
  private final OnDiskGraphIndex graph;
  private final ThreadLocal<GraphSearcher> searchers;
  private final int topK;

  private JVectorGraph(RandomAccessVectorValues heads, OnDiskGraphIndex graph, int topK) {
    this.heads = heads;
    this.graph = graph;
    this.searchers = ThreadLocal.withInitial(() -> new GraphSearcher(graph));
    this.topK = topK;
  }

  /// Opens the graph in a file, which is built where it is missing.
  ///
  /// @param topK the most items of an answer
  static JVectorGraph open(Path file, float[][] rows, int topK) throws IOException {
    List<VectorFloat<?>> vectors = new ArrayList<>(rows.length);
    for (float[] row : rows) {
      vectors.add(VECTORS.createFloatVector(row));
    }
    RandomAccessVectorValues heads = new ListRandomAccessVectorValues(vectors, rows[0].length);
    if (!Files.exists(file)) {
      build(file, heads);
    }
    return new JVectorGraph(heads, OnDiskGraphIndex.load(ReaderSupplierFactory.open(file)), topK);
  }

  /// Returns the same graph, asked for another number of items.
  JVectorGraph asking(int items) {
    return new JVectorGraph(heads, graph, items);
  }

  private static void build(Path file, RandomAccessVectorValues heads) throws IOException {
    Path pending = file.resolveSibling(file.getFileName() + ".pending");
    Files.deleteIfExists(pending);
    BuildScoreProvider scores =
        BuildScoreProvider.randomAccessScoreProvider(heads, VectorSimilarityFunction.EUCLIDEAN);
    try (ForkJoinPool pool = new ForkJoinPool(Runtime.getRuntime().availableProcessors());
        GraphIndexBuilder builder =
            new GraphIndexBuilder(
                scores, heads.dimension(), EDGES, BEAM, OVERFLOW, ALPHA, true, true, pool, pool)) {
      OnDiskGraphIndex.write(builder.build(heads), heads, pending);
    }
    Files.move(pending, file, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public int[] within(float[] head, double reach) {
    DefaultSearchScoreProvider scores =
        DefaultSearchScoreProvider.exact(
            VECTORS.createFloatVector(head), VectorSimilarityFunction.EUCLIDEAN, heads);
    SearchResult found = searchers.get().search(scores, topK, Candidates.score(reach), Bits.ALL);
    return Arrays.stream(found.getNodes()).mapToInt(node -> node.node).toArray();
  }
}
