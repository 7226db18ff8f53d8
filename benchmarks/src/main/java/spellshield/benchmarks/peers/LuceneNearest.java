package spellshield.benchmarks.peers;

import java.io.IOException;
import java.util.Arrays;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;

/// Lucene's query for the k nearest vectors, over the graph that ours walks, cut at the reach.
final class LuceneNearest implements Candidates {

  /// What `HnswSearch` calls the heads.
  static final String FIELD = "sketch";

  private final IndexSearcher searcher;
  private final int k;

  LuceneNearest(DirectoryReader reader, int k) {
    this.searcher = new IndexSearcher(reader);
    this.searcher.setQueryCache(null);
    this.k = k;
  }

  @Override
  public int[] within(float[] head, double reach) throws IOException {
    float least = Candidates.score(reach);
    return Arrays.stream(searcher.search(new KnnFloatVectorQuery(FIELD, head, k), k).scoreDocs)
        .filter(hit -> hit.score >= least)
        .mapToInt(hit -> hit.doc)
        .toArray();
  }
}
