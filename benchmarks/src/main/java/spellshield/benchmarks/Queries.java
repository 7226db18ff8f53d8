package spellshield.benchmarks;

import java.util.Arrays;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import spellshield.benchmarks.latents.BenchmarkSet.Regime;

/// What is asked: predictions from the early, middle or late steps of 16 trajectories, and r as a
/// share of the typical distance.
@State(Scope.Benchmark)
public class Queries {
  @Param Regime regime;

  @Param({"0.2", "0.3", "0.4", "0.5"})
  double share;

  double radius;

  /// All queries, `[n, D]`.
  float[] all;

  private float[][] single;
  private int next;

  /// Reads the queries.
  @Setup
  public void read(OpenSet opened) {
    int dim = opened.set.latents().dim();
    radius = share * opened.set.typicalDistance();
    all = opened.set.queries(regime);
    single = new float[all.length / dim][];
    for (int q = 0; q < single.length; q++) {
      single[q] = Arrays.copyOfRange(all, q * dim, (q + 1) * dim);
    }
  }

  int count() {
    return single.length;
  }

  /// Returns one query after the other, from the first again after the last.
  float[] next() {
    next = (next + 1) % single.length;
    return single[next];
  }
}
