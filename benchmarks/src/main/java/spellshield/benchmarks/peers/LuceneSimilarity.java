package spellshield.benchmarks.peers;

import it.unimi.dsi.fastutil.ints.IntArrayList;
import java.io.IOException;
import java.util.Collection;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.CollectorManager;
import org.apache.lucene.search.FloatVectorSimilarityQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.SimpleCollector;

/// Lucene's query for all vectors of at least a similarity, over the graph that ours walks.
///
/// It goes on while what it meets is above a bar, which falls from the best by the factor `decay` a
/// step; at 1 it compares every vector. The query cache is off: queries do not come twice.
final class LuceneSimilarity implements Candidates {
  private final IndexSearcher searcher;
  private final float decay;

  LuceneSimilarity(DirectoryReader reader, float decay) {
    this.searcher = new IndexSearcher(reader);
    this.searcher.setQueryCache(null);
    this.decay = decay;
  }

  @Override
  public int[] within(float[] head, double reach) throws IOException {
    return searcher.search(
        new FloatVectorSimilarityQuery.Adaptive(
            LuceneNearest.FIELD, head, Candidates.score(reach), decay, null),
        new Documents());
  }

  /// Collects the numbers of all documents found.
  private static final class Documents implements CollectorManager<Documents.Of, int[]> {
    @Override
    public Of newCollector() {
      return new Of();
    }

    @Override
    public int[] reduce(Collection<Of> parts) {
      IntArrayList all = new IntArrayList();
      parts.forEach(part -> all.addAll(part.found));
      return all.toIntArray();
    }

    private static final class Of extends SimpleCollector {
      private final IntArrayList found = new IntArrayList();
      private int base;

      @Override
      protected void doSetNextReader(LeafReaderContext leaf) {
        base = leaf.docBase;
      }

      @Override
      public void collect(int document) {
        found.add(base + document);
      }

      @Override
      public ScoreMode scoreMode() {
        return ScoreMode.COMPLETE_NO_SCORES;
      }
    }
  }
}
