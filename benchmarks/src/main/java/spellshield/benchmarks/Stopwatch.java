package spellshield.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.benchmarks.latents.BenchmarkSet.Regime;
import spellshield.benchmarks.peers.Heads;
import spellshield.benchmarks.peers.Peers;
import spellshield.index.search.Neighbor;
import spellshield.index.search.NeighborSearch;
import spellshield.index.search.Neighborhood;

/// Our side of a comparison, and that of the peers on the JVM: answers each line on standard input
/// with one of JSON on standard output, so that a driver can take turns with other programs. `java
/// … Stopwatch CACHE COUNT`.
///
/// ```text
/// SEARCH BATCH SHARE REGIME EVERY   wall and CPU time a query, quantiles of one call, pairs found
/// warm SEARCH …                     the same until the JIT has settled
/// pairs SEARCH SHARE REGIME EVERY   [query, item, distance] of all pairs found
/// heads SHARE                       writes the heads of the sketches; the largest reach
/// ```
///
/// SEARCH is a name that [Peers] knows, r is SHARE of the typical distance, and of the queries of
/// REGIME every EVERY-th is asked, BATCH at a time: `exact 1 0.3 late 1`. A measurement goes over
/// its queries until it has lasted for a while.
public final class Stopwatch {
  private static final Duration MEASUREMENT = Duration.ofMillis(300);
  private static final Duration WARM_UP = Duration.ofSeconds(1);

  private final BenchmarkSet set;
  private final Peers peers;

  private Stopwatch(BenchmarkSet set) {
    this.set = set;
    this.peers = new Peers(set);
  }

  /// Answers until standard input ends.
  ///
  /// @param args the cache and the number of latents
  public static void main(String[] args) throws IOException {
    try (BenchmarkSet set = BenchmarkSet.open(Path.of(args[0]), Integer.parseInt(args[1]));
        BufferedReader in =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      Stopwatch stopwatch = new Stopwatch(set);
      System.out.printf(
          Locale.ROOT,
          "{\"count\":%d,\"typicalDistance\":%.9f,\"java\":\"%s\"}%n",
          set.latents().count(),
          set.typicalDistance(),
          Runtime.version());
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        System.out.println(stopwatch.answer(List.of(line.strip().split(" "))));
      }
    }
  }

  private String answer(List<String> words) throws IOException {
    List<String> rest = words.subList(1, words.size());
    return switch (words.getFirst()) {
      case "warm" -> measure(rest, WARM_UP);
      case "pairs" -> pairs(rest);
      case "heads" -> heads(radius(rest.getFirst()));
      default -> measure(words, MEASUREMENT);
    };
  }

  private double radius(String share) {
    return Double.parseDouble(share) * set.typicalDistance();
  }

  private float[] queries(String regime) {
    return set.queries(Regime.valueOf(regime.toUpperCase(Locale.ROOT)));
  }

  private String heads(double radius) throws IOException {
    Heads heads = new Heads(set);
    heads.write();
    return String.format(Locale.ROOT, "{\"reach\":%.9f}", heads.reach(radius));
  }

  private String pairs(List<String> words) throws IOException {
    float[] queries = every(queries(words.get(2)), Integer.parseInt(words.get(3)));
    int count = queries.length / set.latents().dim();
    NeighborSearch search = peers.search(words.getFirst());
    List<Neighborhood> answers = search.search(queries, count, radius(words.get(1)));
    StringJoiner pairs = new StringJoiner(",", "{\"pairs\":[", "]}");
    for (int q = 0; q < count; q++) {
      for (Neighbor neighbor : answers.get(q).neighbors()) {
        pairs.add("[%d,%d,%s]".formatted(q, neighbor.item(), neighbor.distance()));
      }
    }
    return pairs.toString();
  }

  private String measure(List<String> words, Duration length) throws IOException {
    NeighborSearch search = peers.search(words.getFirst());
    int batch = Integer.parseInt(words.get(1));
    double radius = radius(words.get(2));
    float[] queries = every(queries(words.get(3)), Integer.parseInt(words.get(4)));
    int dim = set.latents().dim();
    List<Double> calls = new ArrayList<>();
    long pairs = 0;
    int passes = 0;
    long cpu = cpuNanos();
    long wall = 0;
    for (; wall < length.toNanos(); passes++) {
      for (int from = 0; from + batch * dim <= queries.length; from += batch * dim) {
        float[] part = Arrays.copyOfRange(queries, from, from + batch * dim);
        long start = System.nanoTime();
        List<Neighborhood> answers = search.search(part, batch, radius);
        long nanos = System.nanoTime() - start;
        wall += nanos;
        calls.add(nanos / 1e6 / batch);
        for (Neighborhood answer : answers) {
          pairs += answer.neighbors().size();
        }
      }
    }
    cpu = cpuNanos() - cpu;
    calls.sort(null);
    int asked = calls.size() * batch;
    return String.format(
        Locale.ROOT,
        "{\"ms\":%.5f,\"cpuMs\":%.5f,\"p50\":%.5f,\"p99\":%.5f,\"pairs\":%d,\"queries\":%d}",
        wall / 1e6 / asked,
        cpu / 1e6 / asked,
        calls.get(calls.size() / 2),
        calls.get((int) (0.99 * (calls.size() - 1))),
        pairs / passes,
        asked / passes);
  }

  private static long cpuNanos() {
    return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
  }

  private float[] every(float[] queries, int step) {
    int dim = set.latents().dim();
    int count = Math.ceilDiv(queries.length / dim, step);
    float[] some = new float[count * dim];
    for (int i = 0; i < count; i++) {
      System.arraycopy(queries, i * step * dim, some, i * dim, dim);
    }
    return some;
  }
}
