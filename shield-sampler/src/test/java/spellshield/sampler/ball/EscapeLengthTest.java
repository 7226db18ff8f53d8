package spellshield.sampler.ball;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.index.testing.Seeds;

/// How long the ways out are, beside the shortest of many random rays.
class EscapeLengthTest {

  private static double[] escape(double[] start, List<Ball> balls, long seed) {
    double[] y = Escape.from(start, balls, new SplittableRandom(seed)).orElseThrow();
    assertThat(PlainBalls.isOutside(y, balls)).isTrue();
    return y;
  }

  @Test
  void a_hundred_overlapping_balls_in_space_are_left_about_as_near_as_by_many_rays() {
    // One ray in thousands may meet a narrow gap that no other way finds; on average it does not.
    List<Double> ratios = new ArrayList<>();
    Seeds.check(
        40,
        random -> {
          List<Ball> balls = PlainBalls.balls(random, 100, 3, 1, 0.5 + random.nextDouble());
          double[] start = Vectors.widen(balls.get(random.nextInt(100)).centre());
          double ray = PlainBalls.shortestRay(random.split(), start, balls, 4_000);
          double[] y = escape(start, balls, random.nextLong());
          ratios.add(Vectors.distance(y, start) / ray);
          assertThat(ratios.getLast()).isLessThan(1.1);
        });
    assertThat(ratios.stream().mapToDouble(ratio -> ratio).average().orElseThrow()).isLessThan(1);
  }

  @Test
  void a_hundred_overlapping_balls_in_784_dimensions_are_left_no_farther_than_by_many_rays() {
    Seeds.check(
        12,
        random -> {
          List<Ball> balls = PlainBalls.balls(random, 100, 784, 0.3 + random.nextDouble(), 1);
          double[] start = new double[784];
          for (Ball ball : balls.subList(0, 4)) {
            Vectors.addScaled(start, 0.25, Vectors.widen(ball.centre()));
          }
          double ray = PlainBalls.shortestRay(random.split(), start, balls, 300);
          double[] y = escape(start, balls, random.nextLong());
          assertThat(Vectors.distance(y, start)).isLessThan(1.05 * ray);
        });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void a_cage_of_balls_has_a_way_out(int dim) {
    Seeds.check(
        10,
        random -> {
          // A ball around the point, and so many on a sphere about it that they leave no gap.
          List<Ball> cage = new ArrayList<>();
          cage.add(new Ball(new float[dim], 1));
          for (int k = 0; k < 150; k++) {
            cage.add(new Ball(Vectors.narrow(Vectors.unit(random, dim)), 0.9));
          }
          double[] start = new double[dim];
          double length = Vectors.distance(escape(start, cage, random.nextLong()), start);
          assertThat(length).isBetween(1.0, 1.9 + 1e-5);
        });
  }

  @Test
  void the_same_seed_gives_the_same_point() {
    List<Ball> balls = PlainBalls.balls(new SplittableRandom(5), 30, 4, 1, 1);
    double[] start = Vectors.widen(balls.getFirst().centre());
    assertThat(escape(start, balls, 11)).isEqualTo(escape(start, balls, 11));
  }
}
