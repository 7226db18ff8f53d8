package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import spellshield.benchmarks.latents.BenchmarkSet;

/// The first latents of the cache that `shield bench` names to its JVMs.
@State(Scope.Benchmark)
public class OpenSet {
  static final String CACHE = "shield.bench.cache";

  @Param({"10000", "100000", "1200000"})
  int count;

  BenchmarkSet set;

  /// Opens the latents.
  @Setup
  public void open() throws IOException {
    set = BenchmarkSet.open(cache(), count);
  }

  /// Closes the latents.
  @TearDown
  public void close() throws IOException {
    set.close();
  }

  static Path cache() {
    String cache = System.getProperty(CACHE);
    if (cache == null) {
      throw new IllegalStateException(
          "no cache of latents is named; run the benchmarks with 'shield bench'");
    }
    return Path.of(cache);
  }
}
