package spellshield.sampler.shield;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import spellshield.index.kernel.Distance;
import spellshield.sampler.ball.Ball;
import spellshield.sampler.ball.Escape;
import spellshield.sampler.ball.Vectors;

/// The push of one prediction out of the balls that hold it.
///
/// ```text
/// x̂0' = x̂0 + λ·Δ,   Δ = Σ_k relu(r_k / d_k − 1)·(x̂0 − z_k),   d_k = ‖x̂0 − z_k‖
/// ```
///
/// and, where the plain formula has no answer or a bad one:
///
/// - **Exact hit.** At `d < 10⁻⁶·r` the difference has no direction; the push of length r goes
///   along `x_t − x̂0` (back where the trajectory comes from), or along a seeded random direction
///   when that vanishes, or when the centre is another prediction that would go the same way.
/// - **Near-duplicates.** m coincident balls would push m times as far. Balls whose centres are
///   within `r / 20` of a nearer one count once, as one ball around that centre which holds them
///   all.
/// - **Overshoot.** The push is no longer than λ times the largest radius.
/// - **Opposed pushes.** Where the sum leaves x̂0' inside one of the balls although λ ≥ 1, up to 8
///   Gauss–Seidel sweeps take it to the surface of one after another; where they do not lead out,
///   [Escape] does.
///
/// Everything is computed in float64 and rounded once, in an order that does not depend on the
/// order in which the balls are given.
final class Repellency {
  private static final double COINCIDENT = 1e-6;
  private static final double NEAR_DUPLICATE = 0.05;
  private static final int SWEEPS = 8;

  /// A sweep aims this much outside of a surface, so that rounding to float32 does not lead back.
  private static final double CLEAR = 1 + 1e-4;

  private final double overcompensation;

  Repellency(double overcompensation) {
    this.overcompensation = overcompensation;
  }

  /// Where a prediction that was held went.
  ///
  /// @param moved x̂0'
  /// @param exactHit whether a direction had to be chosen
  record Push(float[] moved, boolean exactHit) {}

  /// Returns the balls that hold x̂0 (`d < r`), nearest first.
  static List<Ball> holding(float[] x0hat, List<Ball> balls) {
    return nearestFirst(x0hat, balls, true);
  }

  /// Returns the push, or null where no ball holds x̂0.
  ///
  /// @param x0hat the prediction `[D]`
  /// @param xt the noisy latent it was made from `[D]`
  /// @param balls all balls that may hold x̂0; others are only kept out of
  /// @param random gives a direction where nothing else does
  @Nullable Push push(float[] x0hat, float[] xt, List<Ball> balls, SplittableRandom random) {
    List<Ball> merged = merge(holding(x0hat, balls));
    if (merged.isEmpty()) {
      return null;
    }
    double[] x = Vectors.widen(x0hat);
    double[] delta = new double[x.length];
    double largest = 0;
    boolean exactHit = false;
    for (Ball ball : merged) {
      double distance = Vectors.distance(x, ball.centre());
      largest = Math.max(largest, ball.radius());
      if (distance < COINCIDENT * ball.radius()) {
        exactHit = true;
        double[] direction =
            ball.moving() ? Vectors.unit(random, x.length) : backwards(x0hat, xt, random);
        Vectors.addScaled(delta, ball.radius(), direction);
      } else {
        away(delta, x, ball, ball.radius() / distance - 1);
      }
    }
    double length = overcompensation * Vectors.norm(delta);
    double cap = overcompensation * largest;
    Vectors.addScaled(x, overcompensation * (length > cap ? cap / length : 1), delta);
    if (overcompensation >= 1) { // less means to stay inside
      x = clear(x, nearestFirst(x0hat, balls, false), random);
    }
    return new Push(Vectors.narrow(x), exactHit);
  }

  /// Returns the balls, or those that hold x̂0, in an order that does not depend on the given one.
  private static List<Ball> nearestFirst(float[] x0hat, List<Ball> balls, boolean onlyHolding) {
    record Measured(Ball ball, double distance) {}
    return balls.stream()
        .map(ball -> new Measured(ball, Distance.between(x0hat, ball.centre())))
        .filter(near -> !onlyHolding || near.distance() < near.ball().radius())
        .sorted(
            Comparator.comparingDouble(Measured::distance)
                .thenComparing(near -> near.ball().centre(), Arrays::compare)
                .thenComparingDouble(near -> near.ball().radius()))
        .map(Measured::ball)
        .toList();
  }

  /// Takes near-duplicates together.
  private static List<Ball> merge(List<Ball> holding) {
    List<Ball> merged = new ArrayList<>();
    for (Ball ball : holding) {
      boolean taken = false;
      for (int i = 0; i < merged.size() && !taken; i++) {
        Ball group = merged.get(i);
        double apart = Distance.between(group.centre(), ball.centre());
        if (apart <= NEAR_DUPLICATE * ball.radius()) {
          double radius = Math.max(group.radius(), apart + ball.radius());
          merged.set(i, new Ball(group.centre(), radius, group.moving() || ball.moving()));
          taken = true;
        }
      }
      if (!taken) {
        merged.add(ball);
      }
    }
    return merged;
  }

  private static double[] clear(double[] x, List<Ball> balls, SplittableRandom random) {
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      boolean inside = false;
      for (Ball ball : balls) {
        double distance = Vectors.distance(x, ball.centre());
        if (distance < ball.radius()) {
          inside = true;
          if (distance < COINCIDENT * ball.radius()) {
            double[] direction = Vectors.unit(random, x.length);
            Vectors.addScaled(x, CLEAR * ball.radius(), direction);
          } else {
            away(x, x.clone(), ball, CLEAR * ball.radius() / distance - 1);
          }
        }
      }
      if (!inside) {
        return x;
      }
    }
    List<Ball> wider =
        balls.stream().map(ball -> new Ball(ball.centre(), CLEAR * ball.radius())).toList();
    return Escape.from(x, wider, random).orElse(x);
  }

  /// Adds `factor·(from − centre)`.
  private static void away(double[] to, double[] from, Ball ball, double factor) {
    for (int i = 0; i < to.length; i++) {
      to[i] += factor * (from[i] - ball.centre()[i]);
    }
  }

  private static double[] backwards(float[] x0hat, float[] xt, SplittableRandom random) {
    double[] direction = new double[xt.length];
    for (int i = 0; i < xt.length; i++) {
      direction[i] = (double) xt[i] - x0hat[i];
    }
    double norm = Vectors.norm(direction);
    if (!(norm > 1e-12 && norm < Double.POSITIVE_INFINITY)) {
      return Vectors.unit(random, xt.length);
    }
    Vectors.scale(direction, 1 / norm);
    return direction;
  }
}
