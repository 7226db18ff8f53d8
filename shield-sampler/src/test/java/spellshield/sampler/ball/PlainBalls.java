package spellshield.sampler.ball;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// Balls and ways out of them by the plain formula, in float64.
final class PlainBalls {
  private PlainBalls() {}

  /// Draws `[count, dim]` normal values.
  static float[] gaussian(SplittableRandom random, int count, int dim) {
    float[] values = new float[count * dim];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /// Draws balls of a radius around points spread by `spread / √D` along every axis.
  static List<Ball> balls(
      SplittableRandom random, int count, int dim, double spread, double radius) {
    List<Ball> balls = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      float[] centre = gaussian(random, 1, dim);
      for (int i = 0; i < dim; i++) {
        centre[i] *= (float) (spread / Math.sqrt(dim));
      }
      balls.add(new Ball(centre, radius));
    }
    return balls;
  }

  /// Returns whether a point is in no ball, less the rounding of the distance itself.
  static boolean isOutside(double[] y, List<Ball> balls) {
    return balls.stream()
        .allMatch(ball ->
            Vectors.distance(y, Vectors.widen(ball.centre()))
                >= ball.radius() * (1 - (y.length + 8) * 0x1p-53));
  }

  /// Returns the shortest of many random rays out of the union of balls.
  static double shortestRay(SplittableRandom random, double[] start, List<Ball> balls, int rays) {
    double shortest = Double.POSITIVE_INFINITY;
    for (int ray = 0; ray < rays; ray++) {
      double[] direction = Vectors.unit(random, start.length);
      double t = 0;
      boolean moved = true;
      while (moved && t < shortest) {
        moved = false;
        for (Ball ball : balls) {
          double beyond = leaves(start, direction, ball, t);
          if (beyond > t * (1 + 1e-12)) {
            t = beyond;
            moved = true;
          }
        }
      }
      shortest = Math.min(shortest, t);
    }
    return shortest;
  }

  /// Returns where a ray leaves a ball that holds it at `t`, and `t` where none does.
  private static double leaves(double[] start, double[] direction, Ball ball, double t) {
    double along = 0;
    double square = 0;
    for (int i = 0; i < start.length; i++) {
      double toCentre = ball.centre()[i] - start[i];
      along += toCentre * direction[i];
      square += toCentre * toCentre;
    }
    double half2 = ball.radius() * ball.radius() - (square - along * along);
    double half = half2 > 0 ? Math.sqrt(half2) : 0;
    return along - half < t && t < along + half ? along + half : t;
  }
}
