package spellshield.sampler.shield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import spellshield.index.kernel.Distance;
import spellshield.index.search.ExactScan;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.LatentReader;
import spellshield.index.store.RadiusScales;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Euler;
import spellshield.sampler.Heun;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;

class ShieldedDenoiserTest {
  private static final int DIM = 8;
  private static final double RADIUS = 1.5;
  private static final double[] SIGMAS = new NoiseSchedule.Karras(0.02, 20, 7).sigmas(16);

  /// Says that the clean latent is what it was asked about.
  private static final Denoiser ECHO = (xt, sigma, condition) -> xt.copy();

  private final float[] items = gaussian(new SplittableRandom(1), 60 * DIM);
  private final LatentReader latents = LatentReader.of(items, DIM);
  private final ExactScan scan =
      new ExactScan(SketchTable.of(Sketcher.fit(latents, 4, 4), latents), latents);

  @Test
  void predictions_outside_of_all_balls_pass_through_bit_for_bit() {
    Latents xt = new Latents(gaussian(new SplittableRandom(2), 3 * DIM), 3, DIM);
    xt.values()[0] = -0.0f;
    ShieldedDenoiser run = protecting(0.01).build().over(ECHO, new Noise(1, 2, 3));
    assertSameBits(run.denoise(xt, 1, Condition.NONE), xt);
    assertThat(run.activities()).containsOnly(new Activity(1, 1, 0, 0, 0));
  }

  @Test
  void each_prediction_is_pushed_out_of_the_ball_that_the_latent_has_of_its_own() {
    LatentReader three = LatentReader.of(new float[] {0, 0, 50, 0, 0, 50}, 2);
    RadiusScales scales = RadiusScales.from(2, 0.5f);
    ExactScan own =
        new ExactScan(SketchTable.of(Sketcher.fit(three, 1, 4), three).scaled(scales), three);
    Latents xt = new Latents(new float[] {1.5f, 0, 50.75f, 0, 0, 50.75f}, 3, 2);
    Shield shield = Shield.builder().protecting(own, three, 1).overcompensation(1).build();
    Latents pushed = shield.over(ECHO, new Noise(1, 2, 3)).denoise(xt, 1, Condition.NONE);
    assertThat(pushed.row(0)[0]).isCloseTo(2, within(1e-3f));
    assertThat(pushed.row(1)).containsExactly(50.75f, 0); // outside of half a radius
    assertThat(pushed.row(2)[1]).isCloseTo(51, within(1e-3f));
  }

  @Test
  void what_the_shield_changes_is_a_copy() {
    Latents xt = new Latents(Arrays.copyOf(items, DIM), 1, DIM);
    Latents said = xt.copy();
    ShieldedDenoiser run = protecting(1).build().over((x, s, c) -> said, new Noise(1));
    assertThat(run.denoise(xt, 1, Condition.NONE).values()).isNotEqualTo(xt.values());
    assertSameBits(said, xt);
  }

  @Test
  void a_memoriser_copies_without_the_shield_and_hardly_ever_with_it() {
    Noise noise = noise(12);
    Latents plain = sample(new Euler(), memoriser(), noise);
    Latents shielded = sample(new Euler(), protecting(RADIUS).build().over(memoriser(), noise));
    int outside = 0;
    for (int row = 0; row < 12; row++) {
      assertThat(nearestItem(plain.row(row))).isLessThan(1e-3);
      outside += nearestItem(shielded.row(row)) >= RADIUS ? 1 : 0;
    }
    // The last push may land in a ball that no search has seen yet; the guarantee is there for
    // that.
    assertThat(outside).isGreaterThanOrEqualTo(10);
  }

  @Test
  void candidate_lists_do_not_change_a_bit_and_save_searches() {
    for (Sampler sampler : List.of(new Euler(), Heun.deterministic())) {
      for (double skin : new double[] {0, 0.1, 0.7, 100}) {
        Shield.Builder builder = Shield.builder().protecting(scan, latents, RADIUS, skin);
        ShieldedDenoiser with = builder.build().over(memoriser(), noise(6));
        ShieldedDenoiser without =
            builder.candidateLists(false).build().over(memoriser(), noise(6));
        assertSameBits(sample(sampler, with), sample(sampler, without));
        for (int row = 0; row < 6; row++) {
          Activity saved = with.activities().get(row);
          Activity all = without.activities().get(row);
          assertThat(all.searches()).isEqualTo(all.steps());
          // Without a skin the clearance may be no more than the radius, and nothing is saved.
          assertThat(saved.searches()).isBetween(1, all.searches() - (skin > 0 ? 1 : 0));
          assertThat(saved)
              .isEqualTo(
                  new Activity(
                      all.steps(), saved.searches(), all.acted(), all.exactHits(), all.crowded()));
          assertThat(all.acted()).isPositive();
        }
      }
    }
  }

  @Test
  void a_row_does_not_depend_on_its_batch() {
    History history = new History(DIM);
    history.add(gaussian(new SplittableRandom(8), DIM), 0);
    Shield shield = protecting(RADIUS).history(history, 3).build();
    long[] seeds = {11, 12, 13, 14, 15};
    Latents together = sample(shield, seeds);
    Latents permuted = sample(shield, 14, 11, 15, 13, 12);
    int[] places = {1, 4, 3, 0, 2};
    for (int row = 0; row < 5; row++) {
      assertThat(permuted.row(places[row])).isEqualTo(together.row(row));
      assertThat(sample(shield, seeds[row]).row(0)).isEqualTo(together.row(row));
    }
  }

  @Test
  void a_seed_given_twice_answers_twice_the_same_without_the_intra_batch_source() {
    Latents hit = batch(Arrays.copyOf(items, DIM), Arrays.copyOf(items, DIM));
    ShieldedDenoiser run = protecting(RADIUS).build().over(ECHO, new Noise(7, 7));
    Latents x0hat = run.denoise(hit, 1, Condition.NONE);
    assertThat(x0hat.row(1)).isEqualTo(x0hat.row(0));
  }

  @Test
  void answers_do_not_depend_on_the_number_of_threads() throws Exception {
    Shield shield = protecting(RADIUS).intraBatch(2).build();
    long[] seeds = noise(7).seeds();
    Latents expected = sample(shield, seeds);
    for (int threads : new int[] {1, 2, 7}) {
      try (ForkJoinPool pool = new ForkJoinPool(threads)) {
        assertSameBits(pool.submit(() -> sample(shield, seeds)).get(), expected);
      }
    }
  }

  @Test
  void a_row_alone_does_not_repel_itself() {
    Latents xt = new Latents(gaussian(new SplittableRandom(2), DIM), 1, DIM);
    ShieldedDenoiser run = Shield.builder().intraBatch(5).build().over(ECHO, new Noise(1));
    assertSameBits(run.denoise(xt, 1, Condition.NONE), xt);
  }

  @Test
  void equal_rows_part_even_with_equal_seeds() {
    float[] row = gaussian(new SplittableRandom(4), DIM);
    Latents xt = batch(row, row, row);
    Latents said = Latents.zeros(3, DIM);
    for (Denoiser denoiser : List.of(ECHO, (Denoiser) (x, s, c) -> said)) {
      for (Noise noise : List.of(new Noise(7, 7, 7), new Noise(7, 8, 7), new Noise(1, 2, 3))) {
        ShieldedDenoiser run = Shield.builder().intraBatch(1).build().over(denoiser, noise);
        Latents x0hat = run.denoise(xt, 1, Condition.NONE);
        assertThat(x0hat.row(0)).isNotEqualTo(x0hat.row(1));
        assertThat(Distance.between(x0hat.row(0), x0hat.row(1))).isGreaterThan(0.1);
        assertThat(Distance.between(x0hat.row(0), x0hat.row(2))).isGreaterThan(0.1);
        assertThat(Distance.between(x0hat.row(1), x0hat.row(2))).isGreaterThan(0.1);
        assertThat(run.activities()).containsOnly(new Activity(1, 0, 1, 1, 0));
      }
    }
  }

  @Test
  void samples_of_equal_seeds_end_apart() {
    Shield shield = Shield.builder().intraBatch(1).build();
    Latents x0 = sample(shield, 5, 5);
    assertThat(Distance.between(x0.row(0), x0.row(1))).isGreaterThan(1);
  }

  @Test
  void two_rows_are_pushed_from_where_both_were() {
    // 1 apart, radius 2: each goes 1.6·(2 − 1) away from where the other was.
    Latents xt = batch(new float[] {0, 0}, new float[] {1, 0});
    ShieldedDenoiser run = Shield.builder().intraBatch(2).build().over(ECHO, new Noise(1, 2));
    assertThat(run.denoise(xt, 1, Condition.NONE).values()).containsExactly(-1.6f, 0, 2.6f, 0);
  }

  @Test
  void permuting_the_rows_permutes_the_answers() {
    Seeds.check(
        100,
        random -> {
          int batch = random.nextInt(2, 9);
          int dim = random.nextInt(2, 5);
          // Whole numbers, so that many rows are equally near and some are equal.
          float[] values = new float[batch * dim];
          for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(3);
          }
          long[] seeds = random.longs(batch).toArray();
          int[] order = IntStream.range(0, batch).toArray();
          for (int i = batch - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
          }
          float[] permuted = new float[values.length];
          long[] permutedSeeds = new long[batch];
          for (int row = 0; row < batch; row++) {
            System.arraycopy(values, order[row] * dim, permuted, row * dim, dim);
            permutedSeeds[row] = seeds[order[row]];
          }
          Shield shield = Shield.builder().intraBatch(random.nextDouble(0.5, 3)).build();
          Latents answer =
              shield
                  .over(ECHO, new Noise(seeds))
                  .denoise(new Latents(values, batch, dim), 1, Condition.NONE);
          Latents other =
              shield
                  .over(ECHO, new Noise(permutedSeeds))
                  .denoise(new Latents(permuted, batch, dim), 1, Condition.NONE);
          for (int row = 0; row < batch; row++) {
            assertThat(other.row(row)).isEqualTo(answer.row(order[row]));
          }
        });
  }

  @Test
  void rows_of_different_classes_ignore_each_other() {
    Latents xt = batch(new float[] {0, 0}, new float[] {1, 0}, new float[] {0.5f, 0});
    Shield shield = Shield.builder().intraBatch(2).build();
    ShieldedDenoiser run = shield.over(ECHO, new Noise(1, 2, 3));
    Latents x0hat = run.denoise(xt, 1, new Condition.Labels(4, 4, 9));
    assertThat(x0hat.values()).containsExactly(-1.6f, 0, 2.6f, 0, 0.5f, 0);
    assertThat(run.activities().stream().map(Activity::acted)).containsExactly(1, 1, 0);
  }

  @Test
  void earlier_outputs_are_kept_away_from_as_they_were_at_the_start() {
    History history = new History(2);
    history.add(new float[] {0, 0}, 9);
    Shield shield = Shield.builder().history(history, 2).build();
    ShieldedDenoiser run = shield.over(ECHO, new Noise(1));
    history.add(new float[] {5, 0}, 10);
    Latents early = batch(new float[] {1, 0});
    Latents late = batch(new float[] {6, 0});
    assertThat(run.denoise(early, 1, Condition.NONE).values()).containsExactly(2.6f, 0);
    assertThat(run.denoise(late, 1, Condition.NONE).values()).containsExactly(6, 0);
    assertThat(shield.over(ECHO, new Noise(1)).denoise(late, 1, Condition.NONE).values())
        .containsExactly(7.6f, 0);
  }

  @Test
  void outside_of_its_window_the_shield_does_nothing() {
    Latents xt = batch(new float[] {0, 0}, new float[] {1, 0});
    Shield shield = Shield.builder().intraBatch(2).window(0.5, 3).build();
    ShieldedDenoiser run = shield.over(ECHO, new Noise(1, 2));
    for (double sigma : new double[] {0.49, 3.01, 80}) {
      assertSameBits(run.denoise(xt, sigma, Condition.NONE), xt);
    }
    assertThat(run.activities()).containsOnly(Activity.NONE);
    for (double sigma : new double[] {0.5, 1, 3}) {
      assertThat(run.denoise(xt, sigma, Condition.NONE).values()).isNotEqualTo(xt.values());
    }
    assertThat(run.activities()).containsOnly(new Activity(3, 0, 3, 0, 0));
  }

  @Test
  void a_prediction_in_too_many_balls_is_left_alone_and_counted() {
    // The origin lies in all 60 balls of a large radius, the far row in none.
    float[] far = new float[DIM];
    Arrays.fill(far, 1000);
    Latents xt = batch(new float[DIM], far);
    ShieldedDenoiser crowded = protecting(100).mostBalls(59).build().over(ECHO, new Noise(1, 2));
    assertSameBits(crowded.denoise(xt, 1, Condition.NONE), xt);
    assertThat(crowded.activities())
        .containsExactly(new Activity(1, 1, 0, 0, 1), new Activity(1, 1, 0, 0, 0));
    ShieldedDenoiser full = protecting(100).mostBalls(60).build().over(ECHO, new Noise(1, 2));
    assertThat(full.denoise(xt, 1, Condition.NONE).row(0)).isNotEqualTo(new float[DIM]);
    assertThat(full.activities())
        .containsExactly(new Activity(1, 1, 1, 0, 0), new Activity(1, 1, 0, 0, 0));
  }

  @Test
  void balls_that_do_not_hold_a_prediction_do_not_crowd_it() {
    History history = new History(2);
    for (int i = 0; i < 5; i++) {
      history.add(new float[] {10 * i, 0}, i);
    }
    Shield shield = Shield.builder().history(history, 2).mostBalls(1).build();
    ShieldedDenoiser run = shield.over(ECHO, new Noise(1));
    assertThat(run.denoise(batch(new float[] {1, 0}), 1, Condition.NONE).values())
        .containsExactly(2.6f, 0);
    assertThat(run.activities()).containsExactly(new Activity(1, 0, 1, 0, 0));
  }

  @Test
  void an_exact_hit_on_a_protected_latent_is_counted_and_pushed_out() {
    Latents said = new Latents(Arrays.copyOf(items, DIM), 1, DIM);
    ShieldedDenoiser run = protecting(RADIUS).build().over((x, s, c) -> said, new Noise(1));
    Latents x0hat = run.denoise(said, 1, Condition.NONE);
    assertThat(nearestItem(x0hat.row(0))).isGreaterThanOrEqualTo(RADIUS);
    assertThat(run.activities()).containsExactly(new Activity(1, 1, 1, 1, 0));
  }

  @Test
  void activities_add_up() {
    assertThat(new Activity(1, 2, 3, 4, 5).plus(new Activity(10, 20, 30, 40, 50)))
        .isEqualTo(new Activity(11, 22, 33, 44, 55));
  }

  @Test
  void a_batch_that_does_not_fit_the_seeds_is_refused() {
    ShieldedDenoiser run = Shield.builder().intraBatch(1).build().over(ECHO, new Noise(1, 2));
    assertThatThrownBy(() -> run.denoise(Latents.zeros(3, DIM), 1, Condition.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a batch of 3 does not fit a run of 2 seeds");
  }

  private Shield.Builder protecting(double radius) {
    return Shield.builder().protecting(scan, latents, radius);
  }

  private Latents sample(Shield shield, long... seeds) {
    return sample(new Euler(), shield.over(memoriser(), new Noise(seeds)), new Noise(seeds));
  }

  private static Latents sample(Sampler sampler, ShieldedDenoiser run) {
    return sample(sampler, run, noise(run.activities().size()));
  }

  private static Latents sample(Sampler sampler, Denoiser denoiser, Noise noise) {
    Latents start = noise.draw(0, DIM);
    for (int i = 0; i < start.values().length; i++) {
      start.values()[i] *= (float) SIGMAS[0];
    }
    return sampler.sample(denoiser, SIGMAS, start, noise, Condition.NONE);
  }

  /// The exact posterior mean over the items, in float64: an item itself at low noise.
  private Denoiser memoriser() {
    return (xt, sigma, condition) -> {
      Latents x0hat = Latents.zeros(xt.batch(), DIM);
      for (int row = 0; row < xt.batch(); row++) {
        double nearest = nearestItem(xt.row(row));
        double total = 0;
        double[] mean = new double[DIM];
        for (int item = 0; item < items.length; item += DIM) {
          double distance = Distance.between(xt.values(), row * DIM, items, item, DIM);
          double exponent = (nearest * nearest - distance * distance) / (2 * sigma * sigma);
          double weight = Math.exp(exponent);
          total += weight;
          for (int i = 0; i < DIM; i++) {
            mean[i] += weight * items[item + i];
          }
        }
        for (int i = 0; i < DIM; i++) {
          x0hat.values()[row * DIM + i] = (float) (mean[i] / total);
        }
      }
      return x0hat;
    };
  }

  private double nearestItem(float[] x) {
    double nearest = Double.POSITIVE_INFINITY;
    for (int item = 0; item < items.length; item += DIM) {
      nearest = Math.min(nearest, Distance.between(x, 0, items, item, DIM));
    }
    return nearest;
  }

  private static Noise noise(int batch) {
    return new Noise(IntStream.range(0, batch).mapToLong(row -> 100 + row).toArray());
  }

  private static Latents batch(float[]... rows) {
    int dim = rows[0].length;
    Latents batch = Latents.zeros(rows.length, dim);
    for (int row = 0; row < rows.length; row++) {
      System.arraycopy(rows[row], 0, batch.values(), row * dim, dim);
    }
    return batch;
  }

  private static float[] gaussian(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static void assertSameBits(Latents actual, Latents expected) {
    assertThat(actual.batch()).isEqualTo(expected.batch());
    assertThat(Arrays.equals(actual.values(), expected.values())).isTrue();
  }
}
