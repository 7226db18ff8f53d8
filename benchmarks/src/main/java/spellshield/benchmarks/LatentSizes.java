package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.index.search.ExactScan;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.LatentStore;
import spellshield.index.store.Precision;
import spellshield.index.store.SetWriter;
import spellshield.index.store.Verification;

/// What the size of a latent costs a search: `java … LatentSizes CACHE COUNT`.
///
/// The first COUNT latents of the cache, D = 2,048, and the same spread over 16,384 and 65,536
/// values: value i of the copies is `±z_{i mod 2048} / √copies`, which keeps every distance, so the
/// sieves let pass the same items. Late steps, one query at a time, one thread; medians of five
/// rounds in turns. Of a search, the sketch of the query and the reading of latents are timed
/// apart; the rest is the scan.
public final class LatentSizes {
  private static final int ROUNDS = 5;
  private static final double[] SHARES = {0.2, 0.3, 0.4};

  private LatentSizes() {}

  /// Measures.
  ///
  /// @param args the cache and the number of latents
  public static void main(String[] args) throws IOException {
    Path cache = Path.of(args[0]);
    int count = Integer.parseInt(args[1]);
    try (BenchmarkSet base = BenchmarkSet.open(cache, count)) {
      System.out.println(
          "| values | r, share | sketch of the query ms | scan ms | reading ms | all ms | inside |");
      System.out.println("|---|---|---|---|---|---|---|");
      for (int copies : new int[] {1, 8, 32}) {
        Path folder = cache.resolve("wide-%d-%d".formatted(count, copies));
        write(base, count, copies, folder);
        try (LatentStore store = LatentStore.open(DiskStorage.at(folder), Verification.ON_USE)) {
          measure(base, store, copies);
        }
      }
    }
  }

  private static void write(BenchmarkSet base, int count, int copies, Path folder)
      throws IOException {
    if (folder.toFile().isDirectory()) {
      return;
    }
    int[] shape = base.shape().clone();
    shape[0] *= copies;
    LatentSpace space = new LatentSpace("spread over %d copies".formatted(copies), shape);
    float[] latent = new float[base.latents().dim()];
    try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT16)) {
      for (int item = 0; item < count; item++) {
        base.latents().read(item, latent);
        writer.add(new Item("latent-%d".formatted(item), "", ""), spread(latent, 0, copies));
      }
      writer.commit(Map.of(), Instant.EPOCH);
    }
  }

  private static float[] spread(float[] latents, int from, int copies) {
    int dim = 2048;
    float[] wide = new float[dim * copies];
    float scale = (float) (1 / Math.sqrt(copies));
    for (int i = 0; i < wide.length; i++) {
      // Signs that differ between copies, so that no two values are alike.
      float sign = (i / dim * 0x9e3779b9 + i % dim * 0x85ebca6b) >>> 31 == 0 ? scale : -scale;
      wide[i] = sign * latents[from + i % dim];
    }
    return wide;
  }

  private static void measure(BenchmarkSet base, LatentStore store, int copies) {
    SketchTable table = SketchTable.of(Sketches.of(Sketcher.fit(store, 63, 63), store));
    Timed timed = new Timed(store);
    ExactScan scan = new ExactScan(table, timed);
    float[] late = base.queries(BenchmarkSet.Regime.LATE);
    int dim = base.latents().dim();
    int queries = late.length / dim / 4;
    for (double share : SHARES) {
      double[][] millis = new double[4][ROUNDS];
      long inside = 0;
      for (int round = -2; round < ROUNDS; round++) {
        long sketch = 0;
        long all = 0;
        timed.nanos = 0;
        inside = 0;
        for (int q = 0; q < queries; q++) {
          float[] query = spread(late, 4 * q * dim, copies);
          table.query(query, 0); // the next one finds in the caches what that of the search finds
          long start = System.nanoTime();
          table.query(query, 0);
          sketch += System.nanoTime() - start;
          start = System.nanoTime();
          inside +=
              scan.search(query, 1, share * base.typicalDistance()).getFirst().neighbors().size();
          all += System.nanoTime() - start;
        }
        if (round >= 0) {
          millis[0][round] = sketch / 1e6 / queries;
          millis[1][round] = (all - sketch - timed.nanos) / 1e6 / queries;
          millis[2][round] = timed.nanos / 1e6 / queries;
          millis[3][round] = all / 1e6 / queries;
        }
      }
      System.out.printf(
          Locale.ROOT,
          "| %,d | %.1f | %.3f | %.3f | %.3f | %.3f | %d |%n",
          store.dim(),
          share,
          median(millis[0]),
          median(millis[1]),
          median(millis[2]),
          median(millis[3]),
          inside);
    }
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  /// Latents that time their reading. One thread.
  private static final class Timed implements LatentReader {
    private final LatentReader latents;
    long nanos;

    Timed(LatentReader latents) {
      this.latents = latents;
    }

    @Override
    public long count() {
      return latents.count();
    }

    @Override
    public int dim() {
      return latents.dim();
    }

    @Override
    public double read(long item, float[] into) {
      long start = System.nanoTime();
      double error = latents.read(item, into);
      nanos += System.nanoTime() - start;
      return error;
    }

    @Override
    public void requireOpen() {
      latents.requireOpen();
    }
  }
}
