package spellshield.benchmarks.latents;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.FSDirectory;
import org.jspecify.annotations.Nullable;
import spellshield.index.search.ExactScan;
import spellshield.index.search.HnswSearch;
import spellshield.index.search.Neighbor;
import spellshield.index.search.SetStatistics;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LatentStore;
import spellshield.index.store.LivingItems;
import spellshield.index.store.Verification;

/// The first N latents of a cache that [MakeLatents] filled, with both searches and the queries.
///
/// Sketches and graph are made at the first use and kept in the cache.
public final class BenchmarkSet implements AutoCloseable {
  private static final int HEAD = 63;
  private static final int TAIL = 63;

  private final Path cache;
  private final int count;
  private final LatentStore store;
  private final LatentReader latents;
  private final SketchTable table;
  private final double typicalDistance;
  private final float[][] queries;
  private @Nullable DirectoryReader graph;

  private BenchmarkSet(Path cache, int count, LatentStore store) throws IOException {
    this.cache = cache;
    this.count = count;
    this.store = store;
    this.latents = new Prefix(store, count);
    this.table = loadTable();
    this.typicalDistance = SetStatistics.of(table, latents).typicalDistance();
    try (LatentStore predictions =
        LatentStore.open(DiskStorage.at(cache.resolve("queries")), Verification.FULL)) {
      queries = new float[Math.toIntExact(predictions.count())][predictions.dim()];
      for (int q = 0; q < queries.length; q++) {
        predictions.read(q, queries[q]);
      }
    }
  }

  /// Opens the first `count` latents.
  public static BenchmarkSet open(Path cache, int count) throws IOException {
    LatentStore store =
        LatentStore.open(DiskStorage.at(cache.resolve("latents")), Verification.ON_USE);
    try {
      if (store.count() < count) {
        throw new IllegalArgumentException(
            "%s holds %,d latents, not %,d".formatted(cache, store.count(), count));
      }
      return new BenchmarkSet(cache, count, store);
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
  }

  /// The steps of a trajectory: near the mean, on the way, at a latent.
  public enum Regime {
    EARLY(0, 7),
    MID(8, 14),
    LATE(14, 32);

    /// The first step.
    public final int from;

    /// The step after the last.
    public final int to;

    Regime(int from, int to) {
      this.from = from;
      this.to = to;
    }
  }

  /// Returns the predictions of some steps of all trajectories, `[n, D]`, step by step: neighbours
  /// in the list are of different trajectories, as in a batch.
  public float[] queries(Regime regime) {
    int dim = latents.dim();
    int steps = regime.to - regime.from;
    float[] rows = new float[steps * MakeLatents.TRAJECTORIES * dim];
    for (int i = 0; i < steps * MakeLatents.TRAJECTORIES; i++) {
      int step = regime.from + i / MakeLatents.TRAJECTORIES;
      System.arraycopy(prediction(i % MakeLatents.TRAJECTORIES, step), 0, rows, i * dim, dim);
    }
    return rows;
  }

  /// Returns the same predictions without opening a set.
  public static float[] queries(Path cache, Regime regime) throws IOException {
    try (LatentStore predictions =
        LatentStore.open(DiskStorage.at(cache.resolve("queries")), Verification.FULL)) {
      int dim = predictions.dim();
      int steps = regime.to - regime.from;
      float[] rows = new float[steps * MakeLatents.TRAJECTORIES * dim];
      float[] row = new float[dim];
      for (int i = 0; i < steps * MakeLatents.TRAJECTORIES; i++) {
        int step = regime.from + i / MakeLatents.TRAJECTORIES;
        predictions.read((long) (i % MakeLatents.TRAJECTORIES) * MakeLatents.STEPS + step, row);
        System.arraycopy(row, 0, rows, i * dim, dim);
      }
      return rows;
    }
  }

  /// Returns x̂0 of a trajectory at a step, shared.
  public float[] prediction(int trajectory, int step) {
    return queries[trajectory * MakeLatents.STEPS + step];
  }

  public ExactScan exact() {
    ExactScan plain = new ExactScan(table, latents);
    double clear =
        plain.nearest(table.sketcher().mean(), 1).getFirst().map(Neighbor::lower).orElse(0.0);
    return new ExactScan(table, latents, clear);
  }

  /// Returns the search by the graph, which is built where it is missing.
  public HnswSearch hnsw() throws IOException {
    return new HnswSearch(graph(), table, latents, LivingItems.all(latents.count()), exact());
  }

  /// Returns the graph, which is built where it is missing.
  public DirectoryReader graph() throws IOException {
    if (graph != null) {
      return graph;
    }
    Path folder = file("hnsw");
    if (!Files.isDirectory(folder)) {
      Path pending = Files.createDirectories(cache.resolve("hnsw-%d.pending".formatted(count)));
      try (Stream<Path> old = Files.list(pending)) {
        for (Path file : old.toList()) {
          Files.delete(file);
        }
      }
      try (FSDirectory directory = FSDirectory.open(pending)) {
        HnswSearch.build(sketches(), directory);
      }
      Files.move(pending, folder, StandardCopyOption.ATOMIC_MOVE);
    }
    graph = DirectoryReader.open(FSDirectory.open(folder));
    return graph;
  }

  /// Sketches all latents anew.
  public Sketches sketches() {
    return Sketches.of(table.sketcher(), latents);
  }

  private SketchTable loadTable() throws IOException {
    Path file = file("sketch");
    if (!Files.exists(file)) {
      SketchTable made = SketchTable.of(Sketches.of(Sketcher.fit(latents, HEAD, TAIL), latents));
      Path pending = cache.resolve("sketch-%d.pending".formatted(count));
      try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(pending))) {
        made.write(out);
      }
      Files.move(pending, file, StandardCopyOption.ATOMIC_MOVE);
    }
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
      return SketchTable.read(in);
    }
  }

  public LatentReader latents() {
    return latents;
  }

  /// Returns the shape of a latent, `[C, H, W]`.
  public int[] shape() {
    return store.manifest().space().shape();
  }

  public SketchTable table() {
    return table;
  }

  /// Returns the predictions of all steps, query `32·t + step`, shared.
  public List<float[]> queries() {
    return List.of(queries);
  }

  /// Returns the place of a file that belongs to the first N latents.
  public Path file(String name) {
    return cache.resolve("%s-%d".formatted(name, count));
  }

  public double typicalDistance() {
    return typicalDistance;
  }

  @Override
  public void close() throws IOException {
    store.close();
    if (graph != null) {
      graph.close();
    }
  }

  /// The beginning of a set.
  private record Prefix(LatentReader all, long count) implements LatentReader {
    @Override
    public int dim() {
      return all.dim();
    }

    @Override
    public double read(long item, float[] into) {
      return all.read(item, into);
    }

    @Override
    public void requireOpen() {
      all.requireOpen();
    }
  }
}
