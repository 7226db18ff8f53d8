package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.benchmarks.latents.BenchmarkSet.Regime;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.ProtectedSetEditor;
import spellshield.index.search.NeighborSearch;
import spellshield.index.search.Neighborhood;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentStore;
import spellshield.index.store.Manifest;
import spellshield.index.store.Verification;

/// What a change costs and how much slower it makes searches: `java … ChangeCost CACHE COUNT
/// [ROUNDS]`.
///
/// Of the first COUNT latents of a cache that [spellshield.benchmarks.latents.MakeLatents] filled,
/// 99 % are built into a set (kept in the cache for the next run), the last 1 % is added, 10 %
/// drawn from the build are removed, and the result is compacted. The costs of adding, removing and
/// moving on stand beside that of compacting: it is the build of the same set from latents on disk,
/// without encoding pictures. Then the set before the change, the changed and the compacted one
/// answer the late queries in turn, round after round; medians of the rounds.
public final class ChangeCost {
  private static final double[] SHARES = {0.2, 0.3, 0.4};

  private final Path cache;
  private final int count;
  private final int rounds;
  private final Path base;
  private final Path folder;

  private ChangeCost(Path cache, int count, int rounds) {
    this.cache = cache;
    this.count = count;
    this.rounds = rounds;
    this.base = cache.resolve("change-%d".formatted(count));
    this.folder = cache.resolve("change-%d.work".formatted(count));
  }

  /// Measures and prints two tables.
  ///
  /// @param args the cache, the number of latents, the number of rounds (5)
  public static void main(String[] args) throws IOException {
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 5;
    new ChangeCost(Path.of(args[0]), Integer.parseInt(args[1]), rounds).run();
  }

  /// One of the timed actions.
  private interface Action {
    void run() throws IOException;
  }

  /// @param wall seconds
  /// @param cpu seconds, of all threads
  private record Cost(double wall, double cpu) {
    static Cost of(Action action) throws IOException {
      long cpu = cpuNanos();
      long start = System.nanoTime();
      action.run();
      return new Cost((System.nanoTime() - start) / 1e9, (cpuNanos() - cpu) / 1e9);
    }

    private static long cpuNanos() {
      return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
    }
  }

  private void run() throws IOException {
    try (LatentStore latents =
        LatentStore.open(DiskStorage.at(cache.resolve("latents")), Verification.ON_USE)) {
      build(latents);
      link();
      try (ProtectedSet before = open()) {
        before.hnsw();
        List<String> table = new ArrayList<>();
        Cost add = Cost.of(() -> add(latents));
        Cost remove = Cost.of(this::remove);
        List<ProtectedSet> moved = new ArrayList<>();
        Cost refresh = Cost.of(() -> moved.add(before.refresh().orElseThrow()));
        try (ProtectedSet changed = moved.getFirst()) {
          Cost compact = Cost.of(this::compact);
          table.add(line("add 1 %", add, compact));
          table.add(line("remove 10 %", remove, compact));
          table.add(line("move an open set on, both changes", refresh, compact));
          table.add(line("compact, or build again", compact, compact));
          try (ProtectedSet compacted = open()) {
            System.out.printf(
                Locale.ROOT,
                "%,d latents, %,d protected after the change%n%n",
                count,
                changed.count());
            System.out.println(
                "| what | s | CPU s | CPU ÷ that of compacting |\n|---|---|---|---|");
            table.forEach(System.out::println);
            System.out.println();
            search(before, changed, compacted);
          }
        }
      }
    } finally {
      delete(folder);
    }
  }

  private static String line(String what, Cost cost, Cost compact) {
    return String.format(
        Locale.ROOT,
        "| %s | %.3f | %.3f | %.4f |",
        what,
        cost.wall(),
        cost.cpu(),
        cost.cpu() / compact.cpu());
  }

  private int added() {
    return count / 100;
  }

  private ProtectedSet open() throws IOException {
    return ProtectedSet.open(DiskStorage.at(folder), Verification.ON_USE);
  }

  private void build(LatentStore latents) throws IOException {
    if (Files.isDirectory(base)
        && Files.exists(base.resolve("manifest.000001"))) { // the last file of a build
      return;
    }
    Cost cost =
        Cost.of(() -> {
          try (ProtectedSetBuilder builder =
              ProtectedSetBuilder.begin(
                  base, latents.manifest().space(), latents.manifest().precision())) {
            float[] latent = new float[latents.dim()];
            for (int item = 0; item < count - added(); item++) {
              latents.read(item, latent);
              builder.add(item(item), latent);
            }
            builder.onStage(System.err::println).commit(Instant.EPOCH);
          }
        });
    System.err.printf(Locale.ROOT, "built in %.1f s, CPU %.1f s%n", cost.wall(), cost.cpu());
  }

  private static Item item(long number) {
    return new Item("latent-" + number, "", "");
  }

  /// Makes a set of the same files, which are never written to, to be changed.
  private void link() throws IOException {
    delete(folder);
    try (Stream<Path> all = Files.walk(base)) {
      for (Path path : all.toList()) {
        Path twin = folder.resolve(base.relativize(path));
        if (Files.isDirectory(path)) {
          Files.createDirectories(twin);
        } else if (!path.endsWith("lock")) {
          Files.createLink(twin, path);
        }
      }
    }
  }

  private void add(LatentStore latents) throws IOException {
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder, latents.manifest().space())) {
      float[] latent = new float[latents.dim()];
      for (int item = count - added(); item < count; item++) {
        latents.read(item, latent);
        editor.add(item(item), latent);
      }
      editor.commit(Instant.EPOCH, "1 % more");
    }
  }

  private void remove() throws IOException {
    SplittableRandom random = new SplittableRandom(10);
    Set<Integer> gone = new HashSet<>();
    while (gone.size() < count / 10) {
      gone.add(random.nextInt(count - added()));
    }
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
      for (int item : gone) {
        editor.remove(item(item).id());
      }
      editor.commit(Instant.EPOCH, "10 % less");
    }
  }

  private Manifest compact() throws IOException {
    try (ProtectedSetBuilder builder = ProtectedSetBuilder.compacting(folder)) {
      return builder.onStage(System.err::println).commit(Instant.EPOCH, "compacted");
    }
  }

  private void search(ProtectedSet before, ProtectedSet changed, ProtectedSet compacted)
      throws IOException {
    float[] queries = BenchmarkSet.queries(cache, Regime.LATE);
    System.out.println(
        "| search | r | before | changed | compacted | changed ÷ before | changed ÷ compacted |"
            + " found of exact, changed | compacted |\n|---|---|---|---|---|---|---|---|---|");
    ProtectedSet[] sets = {before, changed, compacted};
    for (double share : SHARES) {
      double radius = share * before.statistics().typicalDistance();
      long[] truth = new long[sets.length];
      for (int batch : new int[] {1, 16, -1}) { // −1: the graph, one query at a time
        double[][] times = new double[sets.length][rounds];
        long[] pairs = new long[sets.length];
        for (int round = -2; round < rounds; round++) { // two rounds to warm up
          for (int s = 0; s < sets.length; s++) {
            NeighborSearch search = batch < 0 ? sets[s].hnsw() : sets[s].exact();
            long start = System.nanoTime();
            pairs[s] = pairs(search, queries, before.space().dim(), Math.abs(batch), radius);
            if (round >= 0) {
              times[s][round] = (System.nanoTime() - start) / 1e6;
            }
          }
        }
        if (batch > 0) {
          truth = pairs;
          if (pairs[1] != pairs[2]) {
            throw new AssertionError(
                "the changed set has %d pairs, the compacted one %d".formatted(pairs[1], pairs[2]));
          }
        }
        int asked = queries.length / before.space().dim();
        double[] medians = new double[sets.length];
        for (int s = 0; s < sets.length; s++) {
          Arrays.sort(times[s]);
          medians[s] = times[s][rounds / 2] / asked;
        }
        System.out.printf(
            Locale.ROOT,
            "| %s | %.1f | %.4f ms | %.4f ms | %.4f ms | %.3f | %.3f | %.4f | %.4f |%n",
            batch < 0 ? "hnsw, 1" : "exact, " + batch,
            share,
            medians[0],
            medians[1],
            medians[2],
            medians[1] / medians[0],
            medians[1] / medians[2],
            truth[1] == 0 ? 1 : (double) pairs[1] / truth[1],
            truth[2] == 0 ? 1 : (double) pairs[2] / truth[2]);
      }
    }
  }

  private static long pairs(
      NeighborSearch search, float[] queries, int dim, int batch, double radius) {
    long pairs = 0;
    for (int from = 0; (from + batch) * dim <= queries.length; from += batch) {
      float[] part = Arrays.copyOfRange(queries, from * dim, (from + batch) * dim);
      for (Neighborhood answer : search.search(part, batch, radius)) {
        pairs += answer.neighbors().size();
      }
    }
    return pairs;
  }

  private static void delete(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted((a, b) -> b.compareTo(a)).toList()) {
        Files.delete(path);
      }
    }
  }
}
