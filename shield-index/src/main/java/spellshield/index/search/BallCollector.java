package spellshield.index.search;

import it.unimi.dsi.fastutil.floats.FloatHeapPriorityQueue;
import it.unimi.dsi.fastutil.ints.IntArrayList;
import org.apache.lucene.search.KnnCollector;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TotalHits;
import org.apache.lucene.search.knn.KnnSearchStrategy;
import org.jspecify.annotations.Nullable;
import spellshield.index.store.LivingItems;

/// Collects all graph nodes in a ball, and has the walk go on while it meets such nodes, nodes in
/// the shell around the ball, or nodes among the few nearest so far.
///
/// The few nearest bring the walk to the ball; the shell joins parts of it that no edge inside
/// does. Lucene's score of two vectors is `1 / (1 + d²)`.
///
/// Removed items lead the walk like all others and are left out of the answer. So a walk goes the
/// same way before and after a removal, and takes as long; told to Lucene as deleted, they would
/// not count among the nearest, and the walk would go farther.
final class BallCollector implements KnnCollector {

  /// The nearest nodes that the walk follows while the ball is not reached.
  static final int NEAREST = 100;

  /// The outer radius of the shell as a share of the ball's.
  static final double SHELL = 1.1;

  private final float ball;
  private final float shell;
  private final LivingItems living;
  private final int firstItem;
  private final IntArrayList inside = new IntArrayList();
  private final FloatHeapPriorityQueue nearest = new FloatHeapPriorityQueue(NEAREST + 1);
  private final long visitLimit;
  private boolean excluded;
  private long visited;

  /// Begins a walk to the nodes of living items within `reach`.
  ///
  /// @param firstItem the item that node 0 is
  /// @param visitLimit a walk that meets so many nodes gives up
  BallCollector(double reach, LivingItems living, int firstItem, long visitLimit) {
    this.living = living;
    this.firstItem = firstItem;
    this.visitLimit = visitLimit;
    this.ball = score(reach);
    this.shell = score(SHELL * reach);
  }

  /// Rounded down: a node on the edge is inside.
  private static float score(double distance) {
    return Math.nextDown((float) (1 / (1 + distance * distance * (1 + 1e-5))));
  }

  /// Returns the living nodes in the ball, in the order in which they were met.
  int[] inside() {
    return inside.toIntArray();
  }

  /// Returns whether a living node outside of the ball was met.
  boolean excluded() {
    return excluded;
  }

  /// Returns whether the walk met too many nodes and ended early.
  boolean gaveUp() {
    return visited >= visitLimit;
  }

  /// Takes a node that does not lead the walk.
  void note(int node, double distance) {
    take(node, (float) (1 / (1 + distance * distance)));
  }

  private void take(int node, float score) {
    if (living.contains((long) firstItem + node)) {
      if (score >= ball) {
        inside.add(node);
      } else {
        excluded = true;
      }
    }
  }

  @Override
  public boolean collect(int node, float score) {
    take(node, score);
    nearest.enqueue(score);
    if (nearest.size() > NEAREST) {
      nearest.dequeueFloat();
    }
    return true;
  }

  @Override
  public float minCompetitiveSimilarity() {
    return nearest.size() < NEAREST
        ? Float.NEGATIVE_INFINITY
        : Math.min(shell, nearest.firstFloat());
  }

  @Override
  public TopDocs topDocs() {
    ScoreDoc[] found = new ScoreDoc[inside.size()];
    for (int i = 0; i < found.length; i++) {
      found[i] = new ScoreDoc(inside.getInt(i), ball);
    }
    return new TopDocs(
        new TotalHits(found.length, TotalHits.Relation.GREATER_THAN_OR_EQUAL_TO), found);
  }

  @Override
  public int k() {
    return NEAREST;
  }

  @Override
  public boolean earlyTerminated() {
    return gaveUp() || Thread.currentThread().isInterrupted();
  }

  @Override
  public void incVisitedCount(int count) {
    visited += count;
  }

  @Override
  public long visitedCount() {
    return visited;
  }

  @Override
  public long visitLimit() {
    return visitLimit;
  }

  @Override
  public @Nullable KnnSearchStrategy getSearchStrategy() {
    return KnnSearchStrategy.Hnsw.DEFAULT;
  }
}
