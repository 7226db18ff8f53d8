package spellshield.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.store.DamagedSetException;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.index.testing.Seeds;

class ProtectedSetTest {
  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");
  private static final LatentSpace SPACE = new LatentSpace("test-v1", 3, 2, 2);
  private static final int DIM = 12;

  @TempDir private Path folder = Path.of("");

  @Test
  void both_precisions_never_miss_a_pair_of_the_latents_that_were_added() {
    Seeds.check(
        12,
        random -> {
          Path path = folder.resolve("set" + random.nextLong());
          int count = random.nextInt(1, 150);
          float[] values = gaussian(random, count * DIM);
          Precision precision = random.nextBoolean() ? Precision.FLOAT16 : Precision.FLOAT32;
          build(path, values, precision);
          try (ProtectedSet set = ProtectedSet.open(path)) {
            float[] queries = gaussian(random, 5 * DIM);
            double radius = distance(queries, 0, values, random.nextInt(count));
            List<Neighborhood> exact = set.exact().search(queries, 5, radius);
            List<Neighborhood> graph = set.hnsw().search(queries, 5, radius);
            for (int q = 0; q < 5; q++) {
              List<Long> found = exact.get(q).neighbors().stream().map(Neighbor::item).toList();
              assertThat(exact.get(q).neighbors()).containsAll(graph.get(q).neighbors());
              for (int item = 0; item < count; item++) {
                double true64 = distance(queries, q, values, item);
                if (true64 <= radius) {
                  assertThat(found).contains((long) item);
                }
                // Float16 is off by 2⁻¹¹ of each value at the most, twice over for the interval.
                if (true64 > radius + 0.01) {
                  assertThat(found).doesNotContain((long) item);
                }
              }
            }
            assertThat(set.item(count - 1).id()).isEqualTo("item-" + (count - 1));
            assertThat(set.count()).isEqualTo(count);
          }
        });
  }

  @Test
  void an_empty_set_and_a_set_of_one_can_be_searched() throws IOException {
    build(folder.resolve("empty"), new float[0], Precision.FLOAT32);
    build(folder.resolve("one"), new float[DIM], Precision.FLOAT32);
    try (ProtectedSet empty = ProtectedSet.open(folder.resolve("empty"));
        ProtectedSet one = ProtectedSet.open(folder.resolve("one"))) {
      float[] query = new float[DIM];
      assertThat(empty.exact().search(query, 1, 1).getFirst().neighbors()).isEmpty();
      assertThat(empty.exact().search(query, 1, 1).getFirst().clearance())
          .isEqualTo(Double.POSITIVE_INFINITY);
      assertThat(empty.hnsw().search(query, 1, 1).getFirst().neighbors()).isEmpty();
      assertThat(empty.exact().nearest(query, 1).getFirst()).isEmpty();
      assertThat(one.exact().search(query, 1, 1).getFirst().neighbors()).hasSize(1);
      assertThat(one.hnsw().search(query, 1, 1).getFirst().neighbors()).hasSize(1);
      assertThatThrownBy(() -> one.radius(0.1)).hasMessageContaining("no typical distance");
    }
  }

  @Test
  void a_flipped_byte_in_any_file_is_found_and_its_file_named() throws IOException {
    build(folder, gaussian(new SplittableRandom(1), 120 * DIM), Precision.FLOAT32);
    requireEveryFlipToBeFound();
  }

  @Test
  void a_flipped_byte_in_any_file_of_a_changed_set_is_found_and_its_file_named()
      throws IOException {
    build(folder, gaussian(new SplittableRandom(1), 120 * DIM), Precision.FLOAT32);
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder, SPACE)) {
      editor.remove("item-7");
      editor.add(new Item("new", "source", "label"), new float[DIM]);
      editor.commit(TIME, "a change");
    }
    assertThat(files()).anyMatch(file -> file.endsWith("sketch-more.000002"));
    assertThat(files()).anyMatch(file -> file.endsWith("removed.000002"));
    requireEveryFlipToBeFound();
  }

  private void requireEveryFlipToBeFound() throws IOException {
    int tried = 0;
    for (Path file : files()) {
      byte[] good = Files.readAllBytes(file);
      for (int at : new int[] {0, good.length / 3, good.length / 2, good.length - 1}) {
        if (good.length == 0) {
          continue;
        }
        byte[] bad = good.clone();
        bad[at] ^= 0x10;
        Files.write(file, bad);
        assertThatThrownBy(this::openAndUse)
            .as("%s, byte %d", file, at)
            .isInstanceOf(DamagedSetException.class)
            .hasMessageContaining(file.getFileName().toString());
        tried++;
      }
      Files.write(file, new byte[0]);
      assertThatThrownBy(this::openAndUse).isInstanceOf(DamagedSetException.class);
      if (!file.getFileName().toString().startsWith("manifest")) {
        Files.delete(file);
        assertThatThrownBy(this::openAndUse).isInstanceOf(DamagedSetException.class);
      }
      Files.write(file, good);
    }
    assertThat(tried).isGreaterThan(30);
    openAndUse();
  }

  @Test
  void another_latent_space_is_refused_and_both_are_named() throws IOException {
    build(folder, new float[2 * DIM], Precision.FLOAT32);
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      set.requireSpace(new LatentSpace("test-v1", 3, 2, 2));
      assertThatThrownBy(() -> set.requireSpace(new LatentSpace("other-v2", 3, 2, 2)))
          .isInstanceOf(FingerprintMismatchException.class)
          .hasMessageContaining("test-v1")
          .hasMessageContaining("other-v2");
    }
  }

  @Test
  void a_radius_that_is_none_is_refused_with_its_value() throws IOException {
    build(folder, gaussian(new SplittableRandom(2), 50 * DIM), Precision.FLOAT32);
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      for (double share : new double[] {0, -0.2, Double.NaN, Double.POSITIVE_INFINITY}) {
        assertThatThrownBy(() -> set.radius(share))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("but was " + share);
      }
      assertThat(set.radius(0.5)).isEqualTo(0.5 * set.statistics().typicalDistance());
    }
  }

  @Test
  void statistics_and_recall_come_back_from_the_manifest() throws IOException {
    build(folder, gaussian(new SplittableRandom(3), 300 * DIM), Precision.FLOAT32);
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      assertThat(set.statistics().typicalDistance()).isBetween(3.0, 6.0);
      assertThat(set.hnswRecall()).hasSize(5);
      assertThat(set.hnswRecall().getLast().pairs()).isPositive();
      assertThat(set.hnswRecall().getLast().share()).isBetween(0.9, 1.0);
    }
  }

  @Test
  void after_close_every_search_says_closed_even_under_running_threads() throws Exception {
    build(folder, gaussian(new SplittableRandom(4), 400 * DIM), Precision.FLOAT32);
    for (int round = 0; round < 20; round++) {
      ProtectedSet set = ProtectedSet.open(folder);
      set.hnsw();
      float[] queries = gaussian(new SplittableRandom(round), 8 * DIM);
      try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
        List<Future<?>> searches = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
          boolean graph = thread % 2 == 0;
          searches.add(
              pool.submit(() -> {
                try {
                  while (true) {
                    (graph ? set.hnsw() : set.exact()).search(queries, 8, 4);
                  }
                } catch (IllegalStateException closed) {
                  return null;
                }
              }));
        }
        set.close();
        for (Future<?> search : searches) {
          search.get();
        }
      }
      assertThatThrownBy(() -> set.exact().search(queries, 1, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
      assertThatThrownBy(() -> set.exact().nearest(queries, 1))
          .isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(() -> set.item(0)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(set::hnsw).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void a_rebuild_is_the_next_generation_and_an_open_set_says_that_it_was_replaced()
      throws IOException {
    build(folder, new float[2 * DIM], Precision.FLOAT32);
    try (ProtectedSet before = ProtectedSet.open(folder)) {
      build(folder, gaussian(new SplittableRandom(5), 9 * DIM), Precision.FLOAT32);
      try (ProtectedSet after = ProtectedSet.open(folder)) {
        assertThat(after.manifest().generation()).isEqualTo(2);
        assertThat(after.manifest().parent()).contains(before.id());
        assertThat(after.count()).isEqualTo(9);
      }
      assertThat(before.exact().search(new float[DIM], 1, 1).getFirst().neighbors()).hasSize(2);
      assertThatThrownBy(before::hnsw)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("replaced by 2");
    }
  }

  private void openAndUse() throws IOException {
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      set.hnsw();
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile)
          .filter(file -> !file.getFileName().toString().equals("lock"))
          .sorted()
          .toList();
    }
  }

  private static void build(Path path, float[] values, Precision precision) throws IOException {
    try (ProtectedSetBuilder builder = ProtectedSetBuilder.begin(path, SPACE, precision)) {
      for (int item = 0; item < values.length / DIM; item++) {
        float[] latent = new float[DIM];
        System.arraycopy(values, item * DIM, latent, 0, DIM);
        builder.add(new Item("item-" + item, "source", "label"), latent);
      }
      builder.commit(TIME);
    }
  }

  private static float[] gaussian(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static double distance(float[] queries, int q, float[] values, int item) {
    double sum = 0;
    for (int i = 0; i < DIM; i++) {
      sum += Math.pow((double) queries[q * DIM + i] - values[item * DIM + i], 2);
    }
    return Math.sqrt(sum);
  }
}
