package spellshield.benchmarks.peers;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.index.search.NeighborSearch;

/// The searches of a set by name, ours and those of others, opened at the first use.
///
/// ```text
/// exact            ours, by sketches
/// hnsw             ours, by Lucene's graph
/// similarity:DECAY Lucene's query for a least similarity; DECAY 1 compares every vector
/// nearest:K        Lucene's query for the K nearest
/// jvector:K        JVector's search with a threshold, at most K
/// ```
public final class Peers {
  private final BenchmarkSet set;
  private final Map<String, NeighborSearch> open = new HashMap<>();
  private @Nullable JVectorGraph jvector;

  public Peers(BenchmarkSet set) {
    this.set = set;
  }

  /// Returns a search.
  ///
  /// @throws IllegalArgumentException if there is none of that name
  public NeighborSearch search(String name) throws IOException {
    NeighborSearch search = open.get(name);
    if (search == null) {
      search = make(name);
      open.put(name, search);
    }
    return search;
  }

  private NeighborSearch make(String name) throws IOException {
    String[] parts = name.split(":", 2);
    return switch (parts[0]) {
      case "exact" -> set.exact();
      case "hnsw" -> set.hnsw();
      case "similarity" -> refined(new LuceneSimilarity(set.graph(), Float.parseFloat(parts[1])));
      case "nearest" -> refined(new LuceneNearest(set.graph(), Integer.parseInt(parts[1])));
      case "jvector" -> refined(jvector().asking(Integer.parseInt(parts[1])));
      default -> throw new IllegalArgumentException("no search is called '%s'".formatted(name));
    };
  }

  private Refined refined(Candidates candidates) {
    return new Refined(candidates, set.table(), set.latents());
  }

  private JVectorGraph jvector() throws IOException {
    if (jvector == null) {
      jvector = JVectorGraph.open(set.file("jvector"), new Heads(set).read(), 1);
    }
    return jvector;
  }
}
