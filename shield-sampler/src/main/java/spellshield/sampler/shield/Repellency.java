package spellshield.sampler.shield;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import spellshield.index.kernel.Distance;

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
///   when that vanishes too.
/// - **Near-duplicates.** m coincident balls would push m times as far. Balls whose centres are
///   within `r / 20` of a nearer one count once, as one ball around that centre which holds them
///   all.
/// - **Overshoot.** The push is no longer than λ times the largest radius.
/// - **Opposed pushes.** Where the sum leaves x̂0' inside one of the balls, up to 8 Gauss–Seidel
///   sweeps take it to the surface of one after another.
///
/// Everything is computed in float64 in a fixed order and rounded once.
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

  /// What held a prediction, and where it went.
  ///
  /// @param moved x̂0'
  /// @param exactHit whether a direction had to be chosen
  record Push(float[] moved, boolean exactHit) {}

  /// Returns the push, or null where no ball holds x̂0.
  ///
  /// @param x0hat the prediction `[D]`
  /// @param xt the noisy latent it was made from `[D]`
  /// @param balls all balls that may hold x̂0; others do no harm
  /// @param random gives a direction where nothing else does
  @Nullable Push push(float[] x0hat, float[] xt, List<Ball> balls, SplittableRandom random) {
    List<Ball> merged = merge(x0hat, balls);
    if (merged.isEmpty()) {
      return null;
    }
    double[] x = widen(x0hat);
    double[] delta = new double[x.length];
    double largest = 0;
    boolean exactHit = false;
    for (Ball ball : merged) {
      double distance = distance(x, ball.centre());
      largest = Math.max(largest, ball.radius());
      if (distance < COINCIDENT * ball.radius()) {
        exactHit = true;
        addScaled(delta, ball.radius(), backwards(x0hat, xt, random));
      } else {
        double factor = ball.radius() / distance - 1;
        for (int i = 0; i < x.length; i++) {
          delta[i] += factor * (x[i] - ball.centre()[i]);
        }
      }
    }
    double length = overcompensation * norm(delta);
    double cap = overcompensation * largest;
    addScaled(x, overcompensation * (length > cap ? cap / length : 1), delta);
    sweep(x, balls, random);
    return new Push(narrow(x), exactHit);
  }

  /// Returns the balls that hold x̂0, near-duplicates taken together, nearest first.
  private static List<Ball> merge(float[] x0hat, List<Ball> balls) {
    record Holding(Ball ball, double distance) {}
    List<Holding> holding = new ArrayList<>();
    for (Ball ball : balls) {
      double distance = Distance.between(x0hat, ball.centre());
      if (distance < ball.radius()) {
        holding.add(new Holding(ball, distance));
      }
    }
    holding.sort((a, b) -> Double.compare(a.distance(), b.distance()));
    List<Ball> merged = new ArrayList<>();
    for (Holding next : holding) {
      Ball ball = next.ball();
      boolean taken = false;
      for (int i = 0; i < merged.size() && !taken; i++) {
        Ball group = merged.get(i);
        double apart = Distance.between(group.centre(), ball.centre());
        if (apart <= NEAR_DUPLICATE * ball.radius()) {
          merged.set(i, new Ball(group.centre(), Math.max(group.radius(), apart + ball.radius())));
          taken = true;
        }
      }
      if (!taken) {
        merged.add(ball);
      }
    }
    return merged;
  }

  private static void sweep(double[] x, List<Ball> balls, SplittableRandom random) {
    boolean inside = true;
    for (int sweep = 0; sweep < SWEEPS && inside; sweep++) {
      inside = false;
      for (Ball ball : balls) {
        double distance = distance(x, ball.centre());
        if (distance < ball.radius()) {
          inside = true;
          if (distance < COINCIDENT * ball.radius()) {
            addScaled(x, CLEAR * ball.radius(), unit(random, x.length));
          } else {
            double factor = CLEAR * ball.radius() / distance - 1;
            for (int i = 0; i < x.length; i++) {
              x[i] += factor * (x[i] - ball.centre()[i]);
            }
          }
        }
      }
    }
  }

  private static double[] backwards(float[] x0hat, float[] xt, SplittableRandom random) {
    double[] direction = new double[xt.length];
    for (int i = 0; i < xt.length; i++) {
      direction[i] = (double) xt[i] - x0hat[i];
    }
    double norm = norm(direction);
    if (!(norm > 1e-12)) {
      return unit(random, xt.length);
    }
    for (int i = 0; i < xt.length; i++) {
      direction[i] /= norm;
    }
    return direction;
  }

  static double[] unit(SplittableRandom random, int dim) {
    double[] direction = new double[dim];
    double norm;
    do {
      for (int i = 0; i < dim; i++) {
        direction[i] = random.nextGaussian();
      }
      norm = norm(direction);
    } while (norm == 0);
    for (int i = 0; i < dim; i++) {
      direction[i] /= norm;
    }
    return direction;
  }

  private static double distance(double[] x, float[] centre) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      double difference = x[i] - centre[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  private static double norm(double[] x) {
    double sum = 0;
    for (double value : x) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }

  private static void addScaled(double[] x, double factor, double[] direction) {
    for (int i = 0; i < x.length; i++) {
      x[i] += factor * direction[i];
    }
  }

  private static double[] widen(float[] x) {
    double[] wide = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      wide[i] = x[i];
    }
    return wide;
  }

  private static float[] narrow(double[] x) {
    float[] narrow = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      narrow[i] = (float) x[i];
    }
    return narrow;
  }
}
