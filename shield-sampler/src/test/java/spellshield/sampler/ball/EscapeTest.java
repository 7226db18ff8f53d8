package spellshield.sampler.ball;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class EscapeTest {

  @Test
  void one_ball_is_left_at_its_nearest_point() {
    Seeds.check(
        100,
        random -> {
          int dim = random.nextInt(1, 40);
          Ball ball = new Ball(gaussian(random, dim, 1), 1 + 4 * random.nextDouble());
          double[] start = near(random, ball, 0.9 * ball.radius() * random.nextDouble());
          double inside = Vectors.distance(start, ball.centre());
          double[] out = leave(start, List.of(ball), random);
          assertThat(Vectors.distance(out, start)).isCloseTo(ball.radius() - inside, within(1e-9));
        });
  }

  @Test
  void the_exact_centre_and_five_coincident_balls_are_left_by_one_radius() {
    for (int dim : new int[] {1, 3, 784}) {
      Ball ball = new Ball(new float[dim], 2);
      List<Ball> five = List.of(ball, copy(ball), copy(ball), copy(ball), copy(ball));
      double[] out = leave(new double[dim], five, new SplittableRandom(dim));
      assertThat(Vectors.norm(out)).isCloseTo(2, within(1e-6));
    }
  }

  @Test
  void the_midpoint_of_two_balls_whose_pushes_cancel_is_left_across() {
    // Centres at ±1 on the first axis, radius 2: the nearest way out is √(4 − 1) across.
    for (int dim : new int[] {2, 3, 100}) {
      float[] left = new float[dim];
      float[] right = new float[dim];
      left[0] = -1;
      right[0] = 1;
      double[] out =
          leave(
              new double[dim],
              List.of(new Ball(left, 2), new Ball(right, 2)),
              new SplittableRandom(1));
      assertThat(Vectors.norm(out)).isCloseTo(Math.sqrt(3), within(1e-3));
    }
  }

  @Test
  void in_the_plane_the_way_out_is_within_a_tenth_of_the_best_of_a_fine_grid() {
    Seeds.check(
        40,
        random -> {
          List<Ball> balls = cluster(random, random.nextInt(2, 12), 2);
          double[] start = new double[2];
          double best = Double.POSITIVE_INFINITY;
          for (double x = -4; x <= 4; x += 0.02) {
            for (double y = -4; y <= 4; y += 0.02) {
              if (isOutside(new double[] {x, y}, balls)) {
                best = Math.min(best, Math.hypot(x, y));
              }
            }
          }
          double[] out = leave(start, balls, random);
          assertThat(Vectors.norm(out)).isLessThanOrEqualTo(1.1 * best + 0.02);
        });
  }

  @Test
  void a_hundred_overlapping_balls_are_left_in_few_and_in_many_dimensions() {
    for (int dim : new int[] {1, 2, 3, 784}) {
      int size = dim;
      Seeds.check(
          8,
          random -> {
            List<Ball> balls = cluster(random, 100, size);
            double[] out = leave(new double[size], balls, random);
            // No way out of a cluster is longer than across it.
            assertThat(Vectors.norm(out)).isLessThan(8);
          });
    }
  }

  private static double[] leave(double[] start, List<Ball> balls, SplittableRandom random) {
    double[] out = Escape.from(start, balls, random).orElseThrow();
    assertThat(isOutside(out, balls)).isTrue();
    return out;
  }

  private static boolean isOutside(double[] y, List<Ball> balls) {
    for (Ball ball : balls) {
      double sum = 0;
      for (int i = 0; i < y.length; i++) {
        sum += Math.pow(y[i] - ball.centre()[i], 2);
      }
      if (Math.sqrt(sum) < ball.radius()) {
        return false;
      }
    }
    return true;
  }

  /// Balls of radius 1 to 2 whose centres lie within about 1 of the origin, all of which they hold.
  private static List<Ball> cluster(SplittableRandom random, int count, int dim) {
    List<Ball> balls = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      float[] centre = gaussian(random, dim, 0.5 / Math.sqrt(dim));
      balls.add(new Ball(centre, 1.3 + 0.7 * random.nextDouble()));
    }
    return balls;
  }

  private static double[] near(SplittableRandom random, Ball ball, double distance) {
    double[] point = Vectors.widen(ball.centre());
    Vectors.addScaled(point, distance, Vectors.unit(random, point.length));
    return point;
  }

  private static Ball copy(Ball ball) {
    return new Ball(ball.centre().clone(), ball.radius());
  }

  private static float[] gaussian(SplittableRandom random, int count, double scale) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (scale * random.nextGaussian());
    }
    return values;
  }
}
