package spellshield.sampler.shield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.ball.Ball;
import spellshield.sampler.ball.Vectors;

class RepellencyTest {
  private static final double LAMBDA = Shield.PAPER_OVERCOMPENSATION;
  private static final int[] DIMS = {1, 2, 3, 7, 16, 65, 784};

  private final Repellency repellency = new Repellency(LAMBDA);

  /// A prediction and the balls around it.
  private record Scene(float[] x0hat, List<Ball> balls) {}

  @Test
  void a_push_is_that_of_the_formula() {
    Seeds.check(
        600,
        random -> {
          Scene scene;
          double[] expected;
          do { // until no merging and no sweep has a part in it
            scene = scene(random, DIMS[random.nextInt(DIMS.length)], random.nextInt(1, 5), 1.3);
            expected = formula(scene.x0hat(), scene.balls(), LAMBDA);
          } while (hasNearDuplicates(scene.balls())
              || clearance(expected, scene.balls()) < 1e-3
              || distance(scene.x0hat(), expected) == 0);
          float[] moved = push(scene.x0hat(), scene.x0hat(), scene.balls(), 1).moved();
          for (int i = 0; i < moved.length; i++) {
            // one rounding to float32, and float64 sums in another order
            double tolerance = Math.ulp((float) expected[i]) + 1e-10;
            assertThat((double) moved[i]).isCloseTo(expected[i], within(tolerance));
          }
        });
  }

  @Test
  void a_push_is_no_longer_than_the_overcompensated_radius() {
    SplittableRandom random = new SplittableRandom(5);
    // Forty centres behind x̂0, apart from each other, all pushing forwards: about 20 radii in sum.
    float[] x0hat = new float[64];
    List<Ball> balls = new ArrayList<>();
    for (int k = 0; k < 40; k++) {
      double[] sideways = Vectors.unit(random, 64);
      float[] centre = new float[64];
      for (int i = 1; i < 64; i++) {
        centre[i] = (float) (0.3 * sideways[i]);
      }
      centre[0] = -0.4f;
      balls.add(new Ball(centre, 1));
    }
    assertThat(distance(x0hat, push(x0hat, x0hat, balls, 1).moved()))
        .isCloseTo(LAMBDA, within(1e-6));
  }

  @Test
  void an_exact_hit_is_pushed_out_along_the_noise() {
    Seeds.check(
        100,
        random -> {
          int dim = DIMS[random.nextInt(DIMS.length)];
          float[] x0hat = gaussian(random, dim, 3);
          float[] xt = gaussian(random, dim, 5);
          double radius = random.nextDouble(0.5, 4);
          Repellency.Push push = push(x0hat, xt, List.of(new Ball(x0hat.clone(), radius)), 1);
          assertThat(push.exactHit()).isTrue();
          double length = distance(xt, x0hat);
          for (int i = 0; i < dim; i++) {
            double expected = x0hat[i] + LAMBDA * radius * ((double) xt[i] - x0hat[i]) / length;
            assertThat((double) push.moved()[i]).isCloseTo(expected, within(1e-5));
          }
        });
  }

  @Test
  void an_exact_hit_without_noise_goes_a_seeded_random_way() {
    for (int dim : DIMS) {
      float[] x0hat = gaussian(new SplittableRandom(dim), dim, 3);
      List<Ball> balls = List.of(new Ball(x0hat.clone(), 2));
      Repellency.Push push = push(x0hat, x0hat, balls, 7);
      assertThat(push.exactHit()).isTrue();
      assertThat(distance(push.moved(), x0hat)).isCloseTo(2 * LAMBDA, within(1e-5));
      assertThat(push(x0hat, x0hat, balls, 7).moved()).isEqualTo(push.moved());
      if (dim > 1) {
        assertThat(push(x0hat, x0hat, balls, 8).moved()).isNotEqualTo(push.moved());
      }
    }
  }

  @Test
  void a_broken_noisy_latent_makes_no_nan() {
    for (float broken : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.MAX_VALUE}) {
      float[] x0hat = {1, 2, 3};
      float[] xt = {1, broken, 3};
      float[] moved = push(x0hat, xt, List.of(new Ball(x0hat.clone(), 2)), 1).moved();
      assertThat(distance(moved, x0hat)).isCloseTo(2 * LAMBDA, within(1e-5));
    }
  }

  @Test
  void coincident_balls_push_like_one() {
    Seeds.check(
        100,
        random -> {
          float[] centre = gaussian(random, 16, 2);
          float[] xt = gaussian(random, 16, 2);
          Ball ball = new Ball(centre, 2);
          List<Ball> five = Collections.nCopies(5, ball);
          for (double offset : new double[] {0, 1e-7, 1e-3, 0.5, 1.9}) {
            float[] x0hat = beside(centre, random, offset);
            assertThat(push(x0hat, xt, five, 1).moved())
                .isEqualTo(push(x0hat, xt, List.of(ball), 1).moved());
          }
        });
  }

  @Test
  void near_duplicates_push_like_one_ball_that_holds_them_all() {
    Seeds.check(
        100,
        random -> {
          float[] x0hat = gaussian(random, 16, 2);
          float[] nearest = beside(x0hat, random, random.nextDouble(0.2, 0.6));
          List<Ball> balls = new ArrayList<>(List.of(new Ball(nearest, 1)));
          double spread = 0;
          while (balls.size() < 5) {
            float[] other = beside(nearest, random, random.nextDouble(0, 0.049));
            if (distance(x0hat, other) > distance(x0hat, nearest)) {
              balls.add(new Ball(other, 1));
              spread = Math.max(spread, distance(nearest, other));
            }
          }
          double[] expected = formula(x0hat, List.of(new Ball(nearest, 1 + spread)), LAMBDA);
          float[] moved = push(x0hat, x0hat, balls, 1).moved();
          assertThat(distance(moved, expected)).isLessThan(1e-5);
          assertThat(clearance(widen(moved), balls)).isPositive();
        });
  }

  @Test
  void opposed_pushes_end_outside_of_both_balls() {
    Seeds.check(
        300,
        random -> {
          int dim = DIMS[random.nextInt(1, DIMS.length)];
          double apart = random.nextDouble(0.05, 0.999);
          double off = random.nextInt(2) * random.nextDouble(-0.2, 0.2) * (1 - apart);
          float[] x0hat = new float[dim];
          float[] left = new float[dim];
          float[] right = new float[dim];
          left[dim - 1] = (float) (-apart + off);
          right[dim - 1] = (float) (apart + off);
          List<Ball> balls = List.of(new Ball(left, 1), new Ball(right, 1));
          for (float[] xt : List.of(x0hat, right, gaussian(random, dim, 1))) {
            float[] moved = push(x0hat, xt, balls, random.nextLong()).moved();
            assertThat(clearance(widen(moved), balls)).isPositive();
          }
        });
  }

  @Test
  void a_hundred_overlapping_balls_give_a_finite_answer() {
    Seeds.check(
        20,
        random -> {
          for (int dim : new int[] {3, 784}) {
            Scene scene = scene(random, dim, 100, 0.99);
            float[] moved = push(scene.x0hat(), scene.x0hat(), scene.balls(), 1).moved();
            for (float value : moved) {
              assertThat(value).isFinite();
            }
            if (dim == 784) { // so much room that a way out is always found
              assertThat(clearance(widen(moved), scene.balls())).isPositive();
            }
          }
        });
  }

  @Test
  void the_order_of_the_balls_does_not_matter() {
    Seeds.check(
        300,
        random -> {
          int dim = random.nextInt(2, 6);
          Scene scene = scene(random, dim, random.nextInt(2, 12), 1.2);
          List<Ball> balls = new ArrayList<>(scene.balls());
          for (Ball ball : scene.balls()) { // mirror images are equally near
            float[] mirrored = ball.centre().clone();
            for (int i = 0; i < dim; i++) {
              mirrored[i] = 2 * scene.x0hat()[i] - mirrored[i];
            }
            balls.add(new Ball(mirrored, ball.radius()));
          }
          Repellency.Push push = repellency.push(scene.x0hat(), scene.x0hat(), balls, seeded(3));
          Collections.shuffle(balls, new Random(random.nextLong()));
          Repellency.Push other = repellency.push(scene.x0hat(), scene.x0hat(), balls, seeded(3));
          assertThat(other == null).isEqualTo(push == null);
          if (push != null && other != null) {
            assertThat(other.moved()).isEqualTo(push.moved());
          }
        });
  }

  @Test
  void a_prediction_on_the_surface_is_not_pushed() {
    // A 3-4-5 triangle: the distance is exactly 5 in any arithmetic.
    float[] x0hat = {3, 4};
    float[] xt = {9, 9};
    assertThat(repellency.push(x0hat, xt, List.of(new Ball(new float[2], 5)), seeded(1))).isNull();
    assertThat(
            repellency.push(
                x0hat, xt, List.of(new Ball(new float[2], Math.nextUp(5.0))), seeded(1)))
        .isNotNull();
  }

  @Test
  void without_a_ball_that_holds_it_a_prediction_stays() {
    float[] x0hat = {1, 2};
    assertThat(repellency.push(x0hat, x0hat, List.of(), seeded(1))).isNull();
    Ball far = new Ball(new float[] {9, 9}, 1);
    Ball broken = new Ball(new float[] {Float.NaN, 2}, 1);
    assertThat(repellency.push(x0hat, x0hat, List.of(far, broken), seeded(1))).isNull();
    assertThat(repellency.push(new float[] {Float.NaN, 2}, x0hat, List.of(far), seeded(1)))
        .isNull();
  }

  @Test
  void an_overcompensation_below_one_stays_inside_and_one_lands_on_the_surface() {
    float[] x0hat = {1.5f, 0, 0};
    List<Ball> balls = List.of(new Ball(new float[] {1, 0, 0}, 1));
    Repellency.Push half = new Repellency(0.5).push(x0hat, x0hat, balls, seeded(1));
    assertThat(Objects.requireNonNull(half).moved()).containsExactly(1.75f, 0, 0);
    Repellency.Push full = new Repellency(1).push(x0hat, x0hat, balls, seeded(1));
    assertThat(Objects.requireNonNull(full).moved()[0]).isCloseTo(2, within(2e-4f));
  }

  private Repellency.Push push(float[] x0hat, float[] xt, List<Ball> balls, long seed) {
    return Objects.requireNonNull(repellency.push(x0hat, xt, balls, seeded(seed)));
  }

  private static SplittableRandom seeded(long seed) {
    return new SplittableRandom(seed);
  }

  /// Draws balls whose centres are up to `reach` radii away from x̂0.
  private static Scene scene(SplittableRandom random, int dim, int count, double reach) {
    float[] x0hat = gaussian(random, dim, 3);
    List<Ball> balls = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      double radius = random.nextDouble(0.5, 2);
      float[] centre = beside(x0hat, random, random.nextDouble(0.05, reach) * radius);
      balls.add(new Ball(centre, radius));
    }
    return new Scene(x0hat, balls);
  }

  /// `x̂0 + λΔ`, the push no longer than λ times the largest radius.
  private static double[] formula(float[] x0hat, List<Ball> balls, double overcompensation) {
    double[] delta = new double[x0hat.length];
    double largest = 0;
    for (Ball ball : balls) {
      double distance = distance(x0hat, ball.centre());
      if (distance < ball.radius()) {
        largest = Math.max(largest, ball.radius());
        for (int i = 0; i < delta.length; i++) {
          delta[i] += (ball.radius() / distance - 1) * ((double) x0hat[i] - ball.centre()[i]);
        }
      }
    }
    double length = distance(new float[delta.length], delta);
    double[] moved = new double[delta.length];
    for (int i = 0; i < delta.length; i++) {
      double capped = length > largest ? delta[i] * largest / length : delta[i];
      moved[i] = x0hat[i] + overcompensation * capped;
    }
    return moved;
  }

  private static boolean hasNearDuplicates(List<Ball> balls) {
    for (int i = 0; i < balls.size(); i++) {
      for (int j = 0; j < i; j++) {
        Ball a = balls.get(i);
        Ball b = balls.get(j);
        double apart = distance(a.centre(), b.centre());
        if (apart < 0.051 * Math.max(a.radius(), b.radius())) {
          return true;
        }
      }
    }
    return false;
  }

  /// The distance to the nearest surface, negative inside of a ball.
  private static double clearance(double[] x, List<Ball> balls) {
    double clearance = Double.POSITIVE_INFINITY;
    for (Ball ball : balls) {
      clearance = Math.min(clearance, distance(ball.centre(), x) - ball.radius());
    }
    return clearance;
  }

  private static float[] beside(float[] x, SplittableRandom random, double distance) {
    double[] direction = Vectors.unit(random, x.length);
    float[] beside = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      beside[i] = (float) (x[i] + distance * direction[i]);
    }
    return beside;
  }

  private static float[] gaussian(SplittableRandom random, int dim, double scale) {
    float[] x = new float[dim];
    for (int i = 0; i < dim; i++) {
      x[i] = (float) (scale * random.nextGaussian());
    }
    return x;
  }

  private static double[] widen(float[] x) {
    double[] wide = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      wide[i] = x[i];
    }
    return wide;
  }

  private static double distance(float[] a, float[] b) {
    return distance(a, widen(b));
  }

  private static double distance(float[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }
}
