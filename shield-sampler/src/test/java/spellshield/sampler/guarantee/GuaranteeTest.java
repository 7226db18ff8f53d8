package spellshield.sampler.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.search.ExactScan;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.LatentReader;
import spellshield.index.store.RadiusScales;
import spellshield.index.testing.Seeds;
import spellshield.sampler.ball.Ball;
import spellshield.sampler.guarantee.Guarantee.Verdict;

class GuaranteeTest {

  @Test
  void whatever_is_outside_comes_back_bit_equal_and_whatever_is_inside_ends_outside() {
    int[] moved = new int[1];
    Seeds.check(
        150,
        random -> {
          int dim = random.nextInt(2, 50);
          float[] values = clusters(random, random.nextInt(1, 200), dim);
          double radius = 0.3 + 2 * random.nextDouble();
          Guarantee guarantee = guarantee(values, dim, radius);
          float[] sample = row(values, random.nextInt(values.length / dim), dim);
          if (random.nextBoolean()) {
            for (int i = 0; i < dim; i++) {
              sample[i] += (float) (random.nextGaussian() * radius / Math.sqrt(dim));
            }
          }
          boolean inside = nearest(values, dim, sample) <= radius;
          switch (guarantee.settle(sample, List.of(), 7)) {
            case Verdict.Outside(
                    float[] latent,
                    var nearest,
                    double length,
                    var searches,
                    var rounds,
                    var file) -> {
              double distance = nearest(values, dim, latent);
              assertThat(distance).isGreaterThan(radius);
              assertThat(nearest.orElseThrow().distance()).isCloseTo(distance, within(1e-9));
              assertThat(searches).isPositive();
              if (inside) {
                assertThat(length).isPositive().isLessThanOrEqualTo(4 * radius);
                moved[0]++;
              } else {
                assertThat(length).isZero();
                assertThat(latent).isEqualTo(sample);
              }
            }
            // In few dimensions a crowd of balls can be wider than the farthest move.
            case Verdict.Failed failed -> assertThat(inside).isTrue();
          }
        });
    assertThat(moved[0]).isGreaterThan(75);
  }

  @Test
  void whatever_is_inside_a_ball_of_its_own_ends_outside_of_all() {
    int[] moved = new int[2];
    Seeds.check(
        150,
        random -> {
          int dim = random.nextInt(2, 50);
          int count = random.nextInt(1, 200);
          float[] values = clusters(random, count, dim);
          RadiusScales scales = Plain.scales(random, count);
          double radius = 0.3 + random.nextDouble();
          LatentReader latents = LatentReader.of(values, dim);
          SketchTable table = SketchTable.of(Sketcher.fit(latents, 8, 4), latents).scaled(scales);
          Guarantee guarantee = Guarantee.of(new ExactScan(table, latents), latents, radius);
          int item = random.nextInt(count);
          float[] sample = row(values, item, dim);
          double spread = scales.of(item) * radius * 2 * random.nextDouble() / Math.sqrt(dim);
          for (int i = 0; i < dim; i++) {
            sample[i] += (float) (random.nextGaussian() * spread);
          }
          boolean inside = Plain.nearest(sample, values, scales) <= radius;
          switch (guarantee.settle(sample, List.of(), 7)) {
            case Verdict.Outside outside -> {
              double least = Plain.nearest(outside.latent(), values, scales);
              assertThat(least).isGreaterThan(radius);
              Guarantee.Nearest nearest = outside.nearest().orElseThrow();
              assertThat(nearest.lower()).isGreaterThan(radius).isLessThanOrEqualTo(least);
              assertThat(nearest.scale()).isEqualTo(scales.of(nearest.item()));
              assertThat(nearest.distance() / nearest.scale()).isCloseTo(least, within(1e-9));
              assertThat(outside.moved() > 0).isEqualTo(inside);
              assertThat(outside.moved()).isLessThanOrEqualTo(16 * radius);
              moved[inside ? 1 : 0]++;
            }
            // In few dimensions a crowd of balls can be wider than the farthest move.
            case Verdict.Failed failed -> assertThat(inside).isTrue();
          }
        });
    assertThat(moved[0]).as("left alone").isGreaterThan(5);
    assertThat(moved[1]).as("moved").isGreaterThan(75);
  }

  @Test
  void a_single_ball_is_left_by_what_was_missing() {
    SplittableRandom random = new SplittableRandom(3);
    float[] values = new float[20];
    Guarantee guarantee = guarantee(values, 20, 5);
    float[] sample = new float[20];
    for (int i = 0; i < 20; i++) {
      sample[i] = (float) (0.5 * random.nextGaussian());
    }
    Verdict.Outside outside = (Verdict.Outside) guarantee.settle(sample, List.of(), 1);
    double inside = nearest(values, 20, sample);
    assertThat(outside.moved()).isCloseTo(5 - inside, within(5e-4));
  }

  @Test
  void what_is_delivered_is_what_is_checked() {
    Seeds.check(
        60,
        random -> {
          int dim = random.nextInt(8, 40);
          float[] values = clusters(random, 60, dim);
          for (int i = 0; i < values.length; i++) {
            values[i] = deliver(values[i]); // what is protected went the same way
          }
          double radius = 1;
          Guarantee guarantee = guarantee(values, dim, radius).delivering(GuaranteeTest::deliver);
          float[] sample = row(values, random.nextInt(60), dim);
          if (guarantee.settle(sample, List.of(), 5) instanceof Verdict.Outside outside) {
            assertThat(deliver(outside.latent())).containsExactly(outside.latent());
            assertThat(nearest(values, dim, outside.latent())).isGreaterThan(radius);
          }
        });
  }

  @Test
  void other_balls_are_left_too() {
    float[] values = new float[10];
    float[] other = new float[10];
    other[0] = 1.5f;
    Guarantee guarantee = guarantee(values, 10, 1);
    float[] sample = new float[10];
    sample[0] = 0.6f;
    Verdict.Outside outside =
        (Verdict.Outside) guarantee.settle(sample, List.of(new Ball(other, 1)), 1);
    assertThat(nearest(values, 10, outside.latent())).isGreaterThan(1);
    assertThat(nearest(other, 10, outside.latent())).isGreaterThan(1);
  }

  @Test
  void where_no_point_is_near_enough_it_says_so() {
    // Balls of radius 1 at every half from −10 to 10 on a line: the way out is 11 long.
    float[] values = new float[41];
    for (int i = 0; i < 41; i++) {
      values[i] = (i - 20) / 2f;
    }
    Verdict verdict = guarantee(values, 1, 1).settle(new float[1], List.of(), 1);
    assertThat(verdict).isInstanceOf(Verdict.Failed.class);
    Verdict farther = guarantee(values, 1, 1).movingAtMost(20).settle(new float[1], List.of(), 1);
    assertThat(farther).isInstanceOf(Verdict.Outside.class);
  }

  @Test
  void what_is_not_finite_fails_and_an_empty_set_holds_nothing() {
    float[] nan = {Float.NaN, 0};
    assertThat(guarantee(new float[2], 2, 1).settle(nan, List.of(), 1))
        .isInstanceOf(Verdict.Failed.class);
    Verdict.Outside outside =
        (Verdict.Outside) guarantee(new float[0], 2, 1).settle(new float[2], List.of(), 1);
    assertThat(outside.nearest()).isEmpty();
    assertThatThrownBy(() -> guarantee(new float[2], 2, Double.NaN)).hasMessageContaining("NaN");
  }

  @Test
  void the_lower_bound_holds_for_every_latent_and_not_only_the_nearest_as_stored() {
    // The second latent is stored farther away than the first, but may lie nearer by 0.5.
    LatentReader rounded =
        new LatentReader() {
          @Override
          public long count() {
            return 2;
          }

          @Override
          public int dim() {
            return 1;
          }

          @Override
          public double read(long item, float[] into) {
            into[0] = item == 0 ? 10 : 10.25f;
            return item == 0 ? 0 : 0.5;
          }
        };
    Verdict.Outside verdict =
        (Verdict.Outside) guarantee(rounded, 1).settle(new float[1], List.of(), 1);
    assertThat(verdict.nearest().orElseThrow().distance()).isEqualTo(10);
    assertThat(verdict.nearest().orElseThrow().lower()).isLessThanOrEqualTo(9.75);
  }

  private static Guarantee guarantee(float[] values, int dim, double radius) {
    return guarantee(LatentReader.of(values, dim), radius);
  }

  private static Guarantee guarantee(LatentReader latents, double radius) {
    ExactScan scan = new ExactScan(SketchTable.of(Sketcher.fit(latents, 8, 4), latents), latents);
    return Guarantee.of(scan, latents, radius);
  }

  /// A coarse file: steps of 1/16, clipped to [−2, 2].
  private static float[] deliver(float[] latent) {
    float[] delivered = new float[latent.length];
    for (int i = 0; i < latent.length; i++) {
      delivered[i] = deliver(latent[i]);
    }
    return delivered;
  }

  private static float deliver(float value) {
    return (float) Math.rint(Math.clamp(value, -2, 2) * 16) / 16;
  }

  private static float[] clusters(SplittableRandom random, int count, int dim) {
    float[] values = new float[count * dim];
    for (int item = 0; item < count; item++) {
      int earlier = item == 0 || random.nextInt(3) == 0 ? -1 : random.nextInt(item);
      for (int i = 0; i < dim; i++) {
        double noise = random.nextGaussian();
        values[item * dim + i] =
            (float) (earlier < 0 ? noise : values[earlier * dim + i] + 0.1 * noise);
      }
    }
    return values;
  }

  private static float[] row(float[] values, int item, int dim) {
    float[] row = new float[dim];
    System.arraycopy(values, item * dim, row, 0, dim);
    return row;
  }

  private static double nearest(float[] values, int dim, float[] sample) {
    double least = Double.POSITIVE_INFINITY;
    for (int item = 0; item < values.length / dim; item++) {
      double sum = 0;
      for (int i = 0; i < dim; i++) {
        sum += Math.pow((double) sample[i] - values[item * dim + i], 2);
      }
      least = Math.min(least, Math.sqrt(sum));
    }
    return least;
  }
}
