package spellshield.benchmarks.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.StringJoiner;
import spellshield.index.search.ExactScan;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.LatentStore;
import spellshield.index.store.Precision;
import spellshield.index.store.SetWriter;
import spellshield.index.store.Verification;

/// Latents on the edge of the ball, and how our exact search judges them: `java … BoundarySet
/// CACHE`.
///
/// Into CACHE go `boundary` and `boundary-queries`, float32, so that another search can be given
/// the same values. To 8,000 latents are added, for each of 64 queries with the radius 15.5:
///
/// 1. `q + r·(1 ± 2⁻ᵏ)·u`, k from 1 to 24, u a random direction;
/// 2. q itself, and a latent inside three times;
/// 3. points at the distance r exactly: 961 of the values differ by ½, and 961 · ¼ = 15.5²;
/// 4. the same with one of those values moved by its last place, inwards and outwards.
///
/// Queries are predictions of the steps 6 to 12, rounded to multiples of 2⁻¹² so that a ½ can be
/// added without rounding. A quarter of them is multiplied by 4: they lie outside of all else,
/// where codes and sums saturate. The answer is JSON: the radius, and [query, item] of all pairs
/// that our search calls inside, one query at a time and all at once.
public final class BoundarySet {
  private static final double RADIUS = 15.5;
  private static final int HALVES = 961;
  private static final int QUERIES = 64;
  private static final int OUTLIERS = 16;
  private static final int BACKGROUND = 8_000;
  private static final int FINEST = 24;
  private static final int EXACT = 8;
  private static final Instant CREATED = Instant.parse("2026-11-24T00:00:00Z");

  private final SplittableRandom random = new SplittableRandom(14);
  private final List<float[]> latents = new ArrayList<>();
  private final List<float[]> queries = new ArrayList<>();

  private BoundarySet() {}

  /// Writes the set where it is missing, searches it and prints the answer.
  ///
  /// @param args the cache
  public static void main(String[] args) throws IOException {
    Path cache = Path.of(args[0]);
    Path folder = cache.resolve("boundary");
    Path queryFolder = cache.resolve("boundary-queries");
    if (!Files.isDirectory(folder) || !Files.isDirectory(queryFolder)) {
      new BoundarySet().write(cache, folder, queryFolder);
    }
    try (LatentStore store = open(folder);
        LatentStore asked = open(queryFolder)) {
      float[] queries = rows(asked, (int) asked.count());
      SketchTable table = SketchTable.of(Sketcher.fit(store, 63, 63), store);
      ExactScan exact = new ExactScan(table, store);
      List<Neighborhood> single = new ArrayList<>();
      for (int q = 0; q < QUERIES; q++) {
        float[] query = Arrays.copyOfRange(queries, q * store.dim(), (q + 1) * store.dim());
        single.addAll(exact.search(query, 1, RADIUS));
      }
      System.out.printf(
          "{\"radius\":%s,\"count\":%d,\"single\":%s,\"batch\":%s}%n",
          RADIUS, store.count(), pairs(single), pairs(exact.search(queries, QUERIES, RADIUS)));
    }
  }

  private static LatentStore open(Path folder) throws IOException {
    return LatentStore.open(DiskStorage.at(folder), Verification.FULL);
  }

  private static float[] rows(LatentReader reader, int count) {
    float[] rows = new float[count * reader.dim()];
    float[] row = new float[reader.dim()];
    for (int i = 0; i < count; i++) {
      reader.read(i, row);
      System.arraycopy(row, 0, rows, i * row.length, row.length);
    }
    return rows;
  }

  private static String pairs(List<Neighborhood> answers) {
    StringJoiner pairs = new StringJoiner(",", "[", "]");
    for (int q = 0; q < answers.size(); q++) {
      for (Neighbor neighbor : answers.get(q).neighbors()) {
        pairs.add("[%d,%d]".formatted(q, neighbor.item()));
      }
    }
    return pairs.toString();
  }

  private void write(Path cache, Path folder, Path queryFolder) throws IOException {
    LatentSpace space;
    try (LatentStore store =
            LatentStore.open(DiskStorage.at(cache.resolve("latents")), Verification.ON_USE);
        LatentStore predictions = open(cache.resolve("queries"))) {
      space = store.manifest().space();
      for (int item = 0; item < Math.min(BACKGROUND, store.count()); item++) {
        float[] latent = new float[store.dim()];
        store.read(item, latent);
        latents.add(latent);
      }
      for (int q = 0; q < QUERIES; q++) {
        // Trajectory q mod 16, while it is on its way: later its predictions coincide.
        float[] query = new float[predictions.dim()];
        predictions.read(q % 16 * 32 + 6 + q / 16 * 2, query);
        float factor = q < QUERIES - OUTLIERS ? 0x1p12f : 0x1p14f;
        for (int i = 0; i < query.length; i++) {
          query[i] = Math.round(query[i] * factor) * 0x1p-12f;
        }
        queries.add(query);
        surround(query);
      }
    }
    write(space, folder, latents);
    write(space, queryFolder, queries);
  }

  private static void write(LatentSpace space, Path folder, List<float[]> rows) throws IOException {
    try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT32)) {
      for (int i = 0; i < rows.size(); i++) {
        writer.add(new Item("row-%d".formatted(i), "", ""), rows.get(i));
      }
      writer.commit(Map.of(), CREATED);
    }
  }

  private void surround(float[] query) {
    for (int k = 1; k <= FINEST; k++) {
      latents.add(at(query, RADIUS * (1 - Math.scalb(1.0, -k))));
      latents.add(at(query, RADIUS * (1 + Math.scalb(1.0, -k))));
    }
    float[] twice = at(query, RADIUS * (1 - 0x1p-12));
    latents.addAll(List.of(query, twice, twice, twice));
    for (int i = 0; i < EXACT; i++) {
      int[] places = places(query.length);
      latents.add(halves(query, places, 0));
      latents.add(halves(query, places, i % 2 == 0 ? 1 : -1));
    }
  }

  /// Returns a latent near a distance: its values are rounded.
  private float[] at(float[] query, double distance) {
    double[] direction = new double[query.length];
    double square = 0;
    for (int i = 0; i < direction.length; i++) {
      direction[i] = random.nextGaussian();
      square += direction[i] * direction[i];
    }
    float[] latent = new float[query.length];
    for (int i = 0; i < latent.length; i++) {
      latent[i] = (float) (query[i] + distance * direction[i] / Math.sqrt(square));
    }
    return latent;
  }

  /// Returns 961 different dimensions.
  private int[] places(int dim) {
    int[] places = new int[dim];
    for (int i = 0; i < dim; i++) {
      int other = random.nextInt(i + 1);
      places[i] = places[other];
      places[other] = i;
    }
    return Arrays.copyOf(places, HALVES);
  }

  /// Returns a latent at the distance r, or one last place of one value nearer (−1) or farther (1).
  private float[] halves(float[] query, int[] places, int move) {
    float[] latent = query.clone();
    for (int place : places) {
      latent[place] += random.nextBoolean() ? 0.5f : -0.5f;
    }
    int place = places[0];
    boolean above = latent[place] > query[place];
    if (move != 0) {
      latent[place] =
          above == (move > 0) ? Math.nextUp(latent[place]) : Math.nextDown(latent[place]);
    }
    return latent;
  }
}
