package spellshield.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ForkJoinPool;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.benchmarks.latents.BenchmarkSet.Regime;
import spellshield.index.search.NeighborSearch;
import spellshield.index.search.Neighborhood;

/// Our side of a comparison: answers each line on standard input with one on standard output, so
/// that a driver can take turns with other programs. `java … Stopwatch CACHE COUNT`.
///
/// A line is `SEARCH BATCH SHARE REGIME`, such as `exact 1 0.3 late`: all queries of the regime are
/// asked, BATCH at a time, r being SHARE of the typical distance. The answer has wall and CPU
/// milliseconds a query, the median and the 99 % quantile of one call over its queries, and the
/// pairs found, as JSON. The line `warm …` does the same until the JIT has settled.
public final class Stopwatch {
  private Stopwatch() {}

  /// Answers until standard input ends.
  ///
  /// @param args the cache and the number of latents
  public static void main(String[] args) throws IOException {
    try (BenchmarkSet set = BenchmarkSet.open(Path.of(args[0]), Integer.parseInt(args[1]));
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.out.printf(
          Locale.ROOT,
          "{\"count\":%d,\"typicalDistance\":%.6f}%n",
          set.latents().count(),
          set.typicalDistance());
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        String[] words = line.strip().split(" ");
        boolean warm = words[0].equals("warm");
        List<String> call = Arrays.asList(words).subList(warm ? 1 : 0, words.length);
        NeighborSearch search = call.get(0).equals("hnsw") ? set.hnsw() : set.exact();
        int batch = Integer.parseInt(call.get(1));
        double radius = Double.parseDouble(call.get(2)) * set.typicalDistance();
        float[] queries = set.queries(Regime.valueOf(call.get(3).toUpperCase(Locale.ROOT)));
        String answer = "";
        long until = System.nanoTime() + (warm ? 3_000_000_000L : 0);
        do {
          answer = measure(search, queries, set.latents().dim(), batch, radius);
        } while (System.nanoTime() < until);
        System.out.println(answer);
      }
    }
  }

  private static String measure(
      NeighborSearch search, float[] queries, int dim, int batch, double radius) {
    int count = queries.length / dim;
    List<Double> calls = new ArrayList<>();
    long pairs = 0;
    long cpu = ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
    long wall = 0;
    for (int from = 0; from + batch <= count; from += batch) {
      float[] part = Arrays.copyOfRange(queries, from * dim, (from + batch) * dim);
      long start = System.nanoTime();
      List<Neighborhood> answers = search.search(part, batch, radius);
      long nanos = System.nanoTime() - start;
      wall += nanos;
      calls.add(nanos / 1e6 / batch);
      for (Neighborhood answer : answers) {
        pairs += answer.neighbors().size();
      }
    }
    cpu = ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos() - cpu;
    calls.sort(null);
    int asked = calls.size() * batch;
    return String.format(
        Locale.ROOT,
        "{\"ms\":%.4f,\"cpuMs\":%.4f,\"p50\":%.4f,\"p99\":%.4f,\"pairs\":%d,\"queries\":%d,\"threads\":%d}",
        wall / 1e6 / asked,
        cpu / 1e6 / asked,
        calls.get(calls.size() / 2),
        calls.get((int) (0.99 * (calls.size() - 1))),
        pairs,
        asked,
        ForkJoinPool.getCommonPoolParallelism() + 1);
  }
}
