package spellshield.index.search;

import it.unimi.dsi.fastutil.ints.IntArrayFIFOQueue;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import it.unimi.dsi.fastutil.ints.IntOpenHashSet;
import java.io.IOException;
import java.util.BitSet;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.hnsw.HnswGraphProvider;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.index.CodecReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.hnsw.HnswGraph;
import org.jspecify.annotations.Nullable;
import spellshield.index.kernel.Distance;

/// The nodes of a graph to which walks hardly lead, and their vectors, to be compared with one by
/// one.
///
/// A node that is linked gives its neighbours a link back, and neighbours that have too many drop
/// the longest: of 1.2 million nodes some 400 are left without an edge that leads to them, and
/// 3,400 with one or two. However wide a walk, it may pass them by.
///
/// @param nodes not reachable from the entry node over the edges of the lowest level, or with at
///   most two edges that lead to them
/// @param vectors of these nodes, one after the other
/// @param dim of a vector
record UnreachedNodes(int[] nodes, float[] vectors, int dim) {

  /// So few edges may all come from far away.
  private static final int FEW_EDGES = 2;

  /// Walks the whole graph of a field, a third of a second per million nodes.
  static UnreachedNodes of(LeafReader leaf, String field) throws IOException {
    HnswGraph graph = graph(leaf, field);
    FloatVectorValues values = leaf.getFloatVectorValues(field);
    // Few nodes have no graph: they are compared with one by one as it is.
    if (graph == null || graph.size() == 0 || values == null) {
      return new UnreachedNodes(new int[0], new float[0], 0);
    }
    BitSet reached = new BitSet(graph.size());
    int[] edges = new int[graph.size()];
    IntArrayFIFOQueue next = new IntArrayFIFOQueue();
    reached.set(graph.entryNode());
    next.enqueue(graph.entryNode());
    while (!next.isEmpty()) {
      graph.seek(0, next.dequeueInt());
      for (int node = graph.nextNeighbor();
          node != DocIdSetIterator.NO_MORE_DOCS;
          node = graph.nextNeighbor()) {
        edges[node]++;
        if (!reached.get(node)) {
          reached.set(node);
          next.enqueue(node);
        }
      }
    }
    IntArrayList unreached = new IntArrayList();
    for (int node = 0; node < graph.size(); node++) {
      if (!reached.get(node) || edges[node] <= FEW_EDGES) {
        unreached.add(node);
      }
    }
    int dim = values.dimension();
    float[] vectors = new float[unreached.size() * dim];
    for (int i = 0; i < unreached.size(); i++) {
      System.arraycopy(values.vectorValue(unreached.getInt(i)), 0, vectors, i * dim, dim);
    }
    return new UnreachedNodes(unreached.toIntArray(), vectors, dim);
  }

  private static @Nullable HnswGraph graph(LeafReader leaf, String field) throws IOException {
    if (!(leaf instanceof CodecReader codecReader)) {
      throw new IOException("the graph cannot be read from a " + leaf.getClass().getSimpleName());
    }
    KnnVectorsReader vectors = codecReader.getVectorReader();
    if (vectors instanceof PerFieldKnnVectorsFormat.FieldsReader fields) {
      vectors = fields.getFieldReader(field);
    }
    return vectors instanceof HnswGraphProvider provider ? provider.getGraph(field) : null;
  }

  /// Tells the collector of those of these nodes that its walk has not found.
  void collect(float[] query, BallCollector collector) {
    IntOpenHashSet found = new IntOpenHashSet(collector.inside());
    for (int i = 0; i < nodes.length; i++) {
      if (!found.contains(nodes[i])) {
        collector.note(nodes[i], Distance.between(query, 0, vectors, i * dim, dim));
      }
    }
  }
}
