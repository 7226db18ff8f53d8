package spellshield.index.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.Test;
import spellshield.index.kernel.Distance;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.RadiusScales;
import spellshield.index.testing.Seeds;

class ExactScanTest {
  private static final int[] BATCHES = {1, 1, 2, 3, 4, 16};

  @Test
  void the_scan_finds_what_a_float64_brute_force_finds() {
    Seeds.check(
        400,
        random -> {
          TestSet set = drawn(random);
          int count = BATCHES[random.nextInt(BATCHES.length)];
          float[] queries = set.queries(random, count);
          double radius = set.radius(random, queries);
          List<Neighborhood> answers = set.scan().search(queries, count, radius);
          assertThat(answers).hasSize(count);
          for (int q = 0; q < count; q++) {
            set.assertEqualsBruteForce(answers.get(q), queries, q, radius);
          }
        });
  }

  private static TestSet drawn(SplittableRandom random) {
    TestSet set = TestSet.draw(random);
    return random.nextBoolean() ? set : set.scaled(random);
  }

  @Test
  void the_nearest_is_the_one_of_the_brute_force_whose_ball_comes_first() {
    Seeds.check(
        300,
        random -> {
          TestSet set = drawn(random);
          float[] queries = set.queries(random, 3);
          List<Optional<Neighbor>> nearest = set.scan().nearest(queries, 3);
          for (int q = 0; q < 3; q++) {
            double least = Double.POSITIVE_INFINITY;
            for (int item = 0; item < set.count(); item++) {
              least = Math.min(least, set.distance(queries, q, item) / set.scales.of(item));
            }
            if (set.count() == 0) {
              assertThat(nearest.get(q)).isEmpty();
            } else {
              Neighbor neighbor = nearest.get(q).orElseThrow();
              assertThat(neighbor.reachedAt()).isCloseTo(least, within(1e-12 * least));
              assertThat(set.distance(queries, q, (int) neighbor.item()) / neighbor.scale())
                  .isCloseTo(least, within(1e-12 * least));
              assertThat(neighbor.scale()).isEqualTo(set.scales.of(neighbor.item()));
            }
          }
        });
  }

  @Test
  void answers_do_not_depend_on_the_batch_or_the_number_of_threads() throws Exception {
    SplittableRandom random = new SplittableRandom(11);
    TestSet ones = TestSet.clustered(random, 5000, 24);
    for (TestSet set : List.of(ones, ones.scaled(random))) {
      requireSameInAnyBatch(set, set.queries(random, 64));
    }
  }

  private static void requireSameInAnyBatch(TestSet set, float[] queries) throws Exception {
    ExactScan scan = set.scan();
    List<Neighborhood> expected = scan.search(queries, 64, 2.0);
    assertThat(expected.stream().mapToInt(a -> a.neighbors().size()).sum()).isPositive();
    List<Neighborhood> oneByOne = new ArrayList<>();
    for (int q = 0; q < 64; q++) {
      float[] query = new float[24];
      System.arraycopy(queries, q * 24, query, 0, 24);
      oneByOne.addAll(scan.search(query, 1, 2.0));
    }
    assertThat(oneByOne).isEqualTo(expected);
    for (int threads : new int[] {1, 2, 4, 7}) {
      try (ForkJoinPool pool = new ForkJoinPool(threads)) {
        assertThat(pool.submit(() -> scan.search(queries, 64, 2.0)).get()).isEqualTo(expected);
      }
    }
  }

  @Test
  void an_item_on_the_edge_of_the_ball_is_inside() {
    // 3-4-5 triangles: the distance is exactly 5 in any arithmetic.
    float[] values = {3, 4, 0, -4, 3, 0, 0, 0, 5, 3, 4, 1e-3f};
    ExactScan scan = TestSet.of(values, 3).scan();
    Neighborhood answer = scan.search(new float[] {0, 0, 0}, 1, 5).getFirst();
    assertThat(answer.neighbors()).extracting(Neighbor::item).containsExactly(0L, 1L, 2L);
    assertThat(scan.search(new float[3], 1, Math.nextDown(5) - 1e-12).getFirst().neighbors())
        .isEmpty();
  }

  @Test
  void an_item_on_the_edge_of_its_own_ball_is_inside() {
    // Distances 5, 10 and 2.5, balls of r = 5 times 1, 2 and 1/2: all products are exact.
    float[] values = {3, 4, 0, 6, 8, 0, 0, 1.5f, 2, 30, 40, 0};
    ExactScan scan = TestSet.of(values, 3).scaled(1, 2, 0.5f).scan();
    Neighborhood answer = scan.search(new float[3], 1, 5).getFirst();
    assertThat(answer.neighbors()).extracting(Neighbor::item).containsExactly(2L, 0L, 1L);
    assertThat(answer.clearance()).isBetween(5.0, 50.0);
    assertThat(scan.search(new float[3], 1, Math.nextDown(5) - 1e-12).getFirst().neighbors())
        .isEmpty();
  }

  @Test
  void at_the_edge_of_the_ball_nothing_is_missed() {
    Seeds.check(
        200,
        random -> {
          float[] query = new float[new int[] {1, 3, 24, 130}[random.nextInt(4)]];
          double scale = random.nextBoolean() ? 1 : 1000;
          for (int i = 0; i < query.length; i++) {
            query[i] = (float) (scale * random.nextGaussian());
          }
          double radius = 0.5 + random.nextDouble();
          TestSet set = TestSet.around(random, query, radius, random.nextBoolean());
          // The radius itself, and one that is exactly the distance of an item.
          int item = random.nextInt(100);
          double exact = set.distance(query, 0, item) / set.scales.of(item);
          double[] radii = {radius, exact > 0 ? exact : radius, Math.nextDown(radius)};
          for (double r : radii) {
            Neighborhood answer = set.scan().search(query, 1, r).getFirst();
            set.assertEqualsBruteForce(answer, query, 0, r);
            assertThat(answer.neighbors()).hasSizeGreaterThanOrEqualTo(10);
          }
        });
  }

  @Test
  void among_many_second_looks_nothing_is_missed() {
    Seeds.check(
        200,
        random -> {
          float[] query = new float[64];
          for (int i = 0; i < query.length; i++) {
            query[i] = (float) random.nextGaussian();
          }
          double radius = 0.5 + random.nextDouble();
          TestSet set = TestSet.around(random, query, radius, random.nextBoolean());
          // Sketches that hold everything: what is on the edge is on the edge for every sieve.
          SketchTable table = SketchTable.of(Sketcher.fit(set.latents(), 40, 24), set.latents());
          ExactScan scan = new ExactScan(table.scaled(set.scales), set.latents());
          Neighborhood answer = scan.search(query, 1, radius).getFirst();
          set.assertEqualsBruteForce(answer, query, 0, radius);
        });
  }

  /// On a shell around the mean, as latents of many dimensions lie, and queries between: at `m −
  /// r·(1 ± 2⁻ᵏ)` towards the nearest latent.
  @Test
  void near_the_mean_the_answer_is_that_of_the_whole_scan() {
    int[] clear = new int[1];
    Seeds.check(
        200,
        random -> {
          int dim = random.nextInt(2, 70);
          TestSet set = TestSet.of(shell(random, random.nextInt(5, 200), dim), dim);
          SketchTable table = set.table();
          float[] mean = table.sketcher().mean();
          ExactScan plain = new ExactScan(table, set.latents());
          Neighbor nearest = plain.nearest(mean, 1).getFirst().orElseThrow();
          double m = nearest.lower();
          ExactScan scan = new ExactScan(table, set.latents(), m);
          for (int k = 0; k < 30; k++) {
            double radius = m * random.nextDouble();
            double from = m - radius * (1 + (k % 2 == 0 ? 1 : -1) * Math.scalb(1, -k));
            float[] query = new float[dim];
            for (int i = 0; i < dim; i++) {
              double towards = set.values[(int) nearest.item() * dim + i] - (double) mean[i];
              query[i] = (float) (mean[i] + Math.max(0, from) * towards / m);
            }
            Neighborhood answer = scan.search(query, 1, radius).getFirst();
            Neighborhood whole = plain.search(query, 1, radius).getFirst();
            assertThat(answer.neighbors()).isEqualTo(whole.neighbors());
            double least = plain.nearest(query, 1).getFirst().orElseThrow().distance();
            if (answer.neighbors().isEmpty()) {
              assertThat(answer.clearance()).isGreaterThanOrEqualTo(radius);
              assertThat(answer.clearance()).isLessThanOrEqualTo(Distance.upper(least, dim));
              clear[0]++;
            }
          }
        });
    assertThat(clear[0]).as("queries that nothing is near to").isGreaterThan(1000);
  }

  /// The same where each latent lies on the shell that its own ball meets: at `m·s_k`, and some of
  /// them farther out.
  @Test
  void near_the_mean_balls_of_their_own_answer_as_the_whole_scan() {
    int[] clear = new int[1];
    Seeds.check(
        200,
        random -> {
          int dim = random.nextInt(2, 70);
          int count = random.nextInt(5, 200);
          float[] values = shell(random, count, dim);
          float[] scales = new float[count];
          for (int item = 0; item < count; item++) {
            scales[item] = (float) Math.exp((2 * random.nextDouble() - 1) * Math.log(2));
            for (int i = 0; i < dim; i++) {
              double far = random.nextInt(10) == 0 ? 1.5 : 1;
              int at = item * dim + i;
              values[at] = (float) (5 + far * scales[item] * (values[at] - 5));
            }
          }
          TestSet set = TestSet.of(values, dim).scaled(scales);
          ExactScan plain = new ExactScan(set.table(), set.latents());
          ExactScan scan = set.scan();
          float[] mean = set.table().sketcher().mean();
          double m = plain.nearest(mean, 1).getFirst().orElseThrow().clearance();
          double least = set.scales.least();
          for (int k = 0; k < 30; k++) {
            // The shortcut answers up to `s·(m − r)` from the mean: around that, and nearer.
            double radius = m * random.nextDouble();
            double from = least * (m - radius) * (1 + (k % 2 == 0 ? 1 : -1) * Math.scalb(1, -k));
            int towards = random.nextInt(count);
            double apart = set.distance(mean, 0, towards);
            float[] query = new float[dim];
            for (int i = 0; i < dim; i++) {
              double step = (values[towards * dim + i] - (double) mean[i]) / apart;
              query[i] = (float) (mean[i] + Math.max(0, from) * step);
            }
            Neighborhood answer = scan.search(query, 1, radius).getFirst();
            assertThat(answer.neighbors())
                .isEqualTo(plain.search(query, 1, radius).getFirst().neighbors());
            set.assertEqualsBruteForce(answer, query, 0, radius);
            clear[0] += from < least * (m - radius) && answer.neighbors().isEmpty() ? 1 : 0;
          }
        });
    assertThat(clear[0]).as("queries that no ball holds").isGreaterThan(1000);
  }

  private static float[] shell(SplittableRandom random, int count, int dim) {
    float[] values = new float[count * dim];
    for (int item = 0; item < count; item++) {
      double square = 0;
      double[] direction = new double[dim];
      for (int i = 0; i < dim; i++) {
        direction[i] = random.nextGaussian();
        square += direction[i] * direction[i];
      }
      for (int i = 0; i < dim; i++) {
        values[item * dim + i] = (float) (5 + 3 * direction[i] / Math.sqrt(square));
      }
    }
    return values;
  }

  @Test
  void what_cannot_be_searched_for_is_refused_with_its_value() {
    ExactScan scan = TestSet.of(new float[] {1, 2}, 2).scan();
    for (double radius : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> scan.search(new float[2], 1, radius))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("radius must be positive and finite, but was " + radius);
    }
    assertThatThrownBy(() -> scan.search(new float[] {0, 0, 0, Float.NaN}, 2, 1))
        .hasMessageContaining("query 1: value 1 is NaN");
    assertThatThrownBy(() -> scan.search(new float[3], 2, 1)).hasMessageContaining("3 values");
  }

  @Test
  void an_interrupted_search_stops_and_leaves_the_thread_interrupted() {
    TestSet set = TestSet.clustered(new SplittableRandom(3), 5000, 24);
    ExactScan scan = set.scan();
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> scan.search(new float[24], 1, 2.0))
          .isInstanceOf(CancellationException.class);
      assertThat(Thread.currentThread().isInterrupted()).isTrue();
      assertThatThrownBy(() -> scan.nearest(new float[24], 1))
          .isInstanceOf(CancellationException.class);
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(scan.search(new float[24], 1, 2.0)).hasSize(1);
  }

  @Test
  void each_query_of_a_batch_may_have_its_own_radius() {
    Seeds.check(
        60,
        random -> {
          TestSet set = drawn(random);
          float[] queries = set.queries(random, 3);
          double[] radii = {0.5, 1 + random.nextDouble(), 4};
          List<Neighborhood> answers = set.scan().search(queries, radii);
          for (int q = 0; q < 3; q++) {
            set.assertEqualsBruteForce(answers.get(q), queries, q, radii[q]);
          }
        });
  }

  @Test
  void groups_without_balls_of_their_own_are_shared() {
    SketchTable table = TestSet.clustered(new SplittableRandom(6), 9000, 8).table();
    assertThat(shared(table, table.scaled(RadiusScales.from(1, 1, 1)))).isEqualTo(3);
    SketchTable one = table.scaled(RadiusScales.from(1, 1, 2));
    assertThat(shared(table, one)).isEqualTo(2);
    assertThat(shared(one, one.scaled(RadiusScales.ONES))).isEqualTo(2);
    assertThat(one.scaled(RadiusScales.ONES).scales()).isSameAs(RadiusScales.ONES);
  }

  private static int shared(SketchTable a, SketchTable b) {
    int shared = 0;
    for (int group = 0; group < a.groupCount(); group++) {
      shared += a.group(group) == b.group(group) ? 1 : 0;
    }
    return shared;
  }

  @Test
  void an_empty_batch_has_an_empty_answer() {
    assertThat(TestSet.of(new float[] {1, 2}, 2).scan().search(new float[0], 0, 1)).isEmpty();
  }
}
