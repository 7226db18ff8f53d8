package spellshield.benchmarks;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.search.HnswSearch;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.LatentReader;

/// `./shield bench Build --cache CACHE`
///
/// What making the two searches from stored latents costs: the exact one (principal directions,
/// sketches, order, codes) and, beside it, the graph from sketches that are there. Both use all
/// cores where they can; the graph is built by one thread.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(3)
@Warmup(iterations = 1)
@Measurement(iterations = 3)
public class BuildBenchmark {
  @Param({"10000", "50000"})
  int size;

  private BenchmarkSet set;
  private LatentReader latents;
  private Sketches sketches;

  /// Opens the latents and sketches them for the graph.
  @Setup
  public void open() throws IOException {
    set = BenchmarkSet.open(OpenSet.cache(), size);
    latents = set.latents();
    sketches = Sketches.of(fit(), latents);
  }

  /// Closes the latents.
  @TearDown
  public void close() throws IOException {
    set.close();
  }

  @Benchmark
  public SketchTable codes() {
    return SketchTable.of(Sketches.of(fit(), latents));
  }

  @Benchmark
  public long graph() throws IOException {
    try (ByteBuffersDirectory directory = new ByteBuffersDirectory()) {
      HnswSearch.build(sketches, directory);
      return directory.listAll().length;
    }
  }

  private Sketcher fit() {
    return Sketcher.fit(latents, ProtectedSetBuilder.SKETCH_DIM, ProtectedSetBuilder.TAIL_DIM);
  }
}
