package spellshield.benchmarks;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;
import spellshield.benchmarks.latents.BenchmarkSet.Regime;
import spellshield.index.search.NeighborSearch;

/// `./shield bench Batch --cache CACHE`
///
/// What a query costs in a batch: 64 predictions of late steps, a batch at a time, the time divided
/// by 64. The exact scan on one thread and on all cores; the batch of 1 is the peer.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@OperationsPerInvocation(BatchBenchmark.QUERIES)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 2)
public class BatchBenchmark {
  static final int QUERIES = 64;

  /// Leaves the common pool, on which a search spreads, no thread but the caller's.
  static final String ONE_THREAD = "-Djava.util.concurrent.ForkJoinPool.common.parallelism=0";

  @Benchmark
  @Fork(value = 3, jvmArgsAppend = ONE_THREAD)
  public void exactOneThread(StepQueryBenchmark.Exact exact, Batches batches, Blackhole sink) {
    batches.search(exact.scan, sink);
  }

  @Benchmark
  public void exactAllCores(StepQueryBenchmark.Exact exact, Batches batches, Blackhole sink) {
    batches.search(exact.scan, sink);
  }

  /// The same queries, batch by batch.
  @State(Scope.Benchmark)
  public static class Batches {
    @Param({"1", "4", "16", "64"})
    int batch;

    @Param({"0.2", "0.3", "0.4", "0.5"})
    double share;

    private double radius;
    private float[][] queries;

    /// Cuts the queries into batches.
    @Setup
    public void cut(OpenSet opened) {
      if (QUERIES % batch != 0) {
        throw new IllegalArgumentException(
            "batch must divide %d, but was %d".formatted(QUERIES, batch));
      }
      radius = share * opened.set.typicalDistance();
      float[] all = opened.set.queries(Regime.LATE);
      int length = batch * opened.set.latents().dim();
      queries = new float[QUERIES / batch][];
      for (int i = 0; i < queries.length; i++) {
        queries[i] = Arrays.copyOfRange(all, i * length, (i + 1) * length);
      }
    }

    void search(NeighborSearch search, Blackhole sink) {
      for (float[] part : queries) {
        sink.consume(search.search(part, batch, radius));
      }
    }
  }
}
