package spellshield.sampler.ball;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/// The nearest point that can be found outside a union of balls.
///
/// The complement of balls is not convex, so this is a search: several ways out are tried, and the
/// nearest is improved.
///
/// 1. *Projections*: to the surface of one ball after another, from the point itself.
/// 2. *Across*: along a direction n orthogonal to all `c_k − x`; then `‖x + t·n − c_k‖² = d_k² +
///    t²`, and `t = max_k √(R_k² − d_k²)` leaves every ball. Exists whenever there are fewer balls
///    than dimensions.
/// 3. *Rays*: along seeded random directions to the first point that no ball covers. A finite union
///    of balls is bounded, so every ray has one. The shortest few are kept.
/// 4. *Improvement*: at a point y outside, the half-spaces `u_k·(z − c_k) ≥ R_k`, `u_k = (y −
///    c_k)/‖y − c_k‖`, lie outside the balls, and y is in all of them; the projection of x onto
///    their intersection (Hildreth's dual coordinate ascent) is outside too and no farther from x.
///    Repeated at the new point.
///
/// Float64 throughout, a fixed order, randomness from a seed.
public final class Escape {
  private static final int SWEEPS = 60;
  private static final int FEWEST_RAYS = 48;
  private static final int MOST_RAYS = 4_000;

  /// Rays times balls times dimensions: a millisecond or two.
  private static final long RAY_WORK = 1L << 20;

  private static final int RAYS_KEPT = 8;
  private static final int IMPROVEMENTS = 12;
  private static final int HILDRETH_SWEEPS = 200;
  private static final int MOST_HALF_SPACES = 256;

  private final double[] start;
  private final List<Ball> balls;
  private final SplittableRandom random;

  private Escape(double[] start, List<Ball> balls, SplittableRandom random) {
    this.start = start;
    this.balls = balls;
    this.random = random;
  }

  /// Returns a point outside all balls, or nothing if none of the ways led out.
  ///
  /// @param start x, `[D]`
  /// @param balls centre and the radius R to be kept, `‖y − c‖ ≥ R`
  /// @param random gives the directions of the rays
  public static Optional<double[]> from(double[] start, List<Ball> balls, SplittableRandom random) {
    return new Escape(start, balls, random).solve();
  }

  private Optional<double[]> solve() {
    List<double[]> waysOut = new ArrayList<>();
    projections().ifPresent(waysOut::add);
    // One ball needs no other way: the projection is the nearest point.
    if (balls.size() > 1 || waysOut.isEmpty()) {
      across().ifPresent(waysOut::add);
      waysOut.addAll(rays());
    }
    Optional<double[]> best = Optional.empty();
    double least = Double.POSITIVE_INFINITY;
    for (double[] way : waysOut) {
      double[] improved = balls.size() > 1 ? improve(way) : way;
      double length = Vectors.distance(improved, start);
      if (length < least) {
        least = length;
        best = Optional.of(improved);
      }
    }
    return best;
  }

  private boolean isOutside(double[] y) {
    for (Ball ball : balls) {
      if (Vectors.distance(y, ball.centre()) < ball.radius()) {
        return false;
      }
    }
    return true;
  }

  private Optional<double[]> projections() {
    double[] y = start.clone();
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      boolean moved = false;
      for (Ball ball : balls) {
        double distance = Vectors.distance(y, ball.centre());
        if (distance < ball.radius()) {
          moved = true;
          double target = ball.radius() * (1 + 1e-12);
          if (distance < 1e-9 * ball.radius()) {
            Vectors.addScaled(y, target, Vectors.unit(random, y.length));
          } else {
            double factor = target / distance - 1;
            for (int i = 0; i < y.length; i++) {
              y[i] += factor * (y[i] - ball.centre()[i]);
            }
          }
        }
      }
      if (!moved) {
        return Optional.of(y);
      }
    }
    return Optional.empty();
  }

  private Optional<double[]> across() {
    if (balls.size() >= start.length || balls.size() > MOST_HALF_SPACES) {
      return Optional.empty();
    }
    List<double[]> basis = new ArrayList<>();
    for (Ball ball : balls) {
      double[] direction = new double[start.length];
      for (int i = 0; i < start.length; i++) {
        direction[i] = ball.centre()[i] - start[i];
      }
      double before = Vectors.norm(direction);
      Vectors.orthogonalise(direction, basis);
      if (Vectors.norm(direction) > 1e-9 * before) {
        Vectors.scale(direction, 1 / Vectors.norm(direction));
        basis.add(direction);
      }
    }
    double[] normal = Vectors.unit(random, start.length);
    Vectors.orthogonalise(normal, basis);
    double norm = Vectors.norm(normal);
    if (norm < 1e-6) {
      return Optional.empty();
    }
    double t2 = 0;
    for (Ball ball : balls) {
      double distance = Vectors.distance(start, ball.centre());
      t2 = Math.max(t2, ball.radius() * ball.radius() - distance * distance);
    }
    double[] y = start.clone();
    Vectors.addScaled(y, Math.sqrt(t2) * (1 + 1e-7) / norm, normal);
    return isOutside(y) ? Optional.of(y) : Optional.empty();
  }

  /// Returns the shortest rays out, the nearest first, each in a gap of its own as far as chance
  /// has it.
  private List<double[]> rays() {
    record Ray(double length, double[] end) {}
    double[][] toCentres = new double[balls.size()][start.length];
    double[] squares = new double[balls.size()];
    for (int k = 0; k < toCentres.length; k++) {
      for (int i = 0; i < start.length; i++) {
        toCentres[k][i] = balls.get(k).centre()[i] - start[i];
      }
      squares[k] = Vectors.dot(toCentres[k], toCentres[k]);
    }
    // Where rays are cheap, many are cast: in few dimensions they find gaps that nothing else does.
    long affordable = RAY_WORK / ((long) balls.size() * start.length);
    int count = Math.clamp(affordable, FEWEST_RAYS, MOST_RAYS);
    List<Ray> found = new ArrayList<>();
    for (int ray = 0; ray < count; ray++) {
      double[] direction = Vectors.unit(random, start.length);
      double t = firstUncovered(direction, toCentres, squares);
      double[] y = start.clone();
      Vectors.addScaled(y, t, direction);
      if (isOutside(y)) {
        found.add(new Ray(t, y));
      }
    }
    found.sort(Comparator.comparingDouble(Ray::length));
    return found.stream().limit(RAYS_KEPT).map(Ray::end).toList();
  }

  /// Returns the first t ≥ 0 at which the ray is in no ball.
  private double firstUncovered(double[] direction, double[][] toCentres, double[] squares) {
    record Covered(double from, double to) {}
    List<Covered> intervals = new ArrayList<>();
    for (int k = 0; k < toCentres.length; k++) {
      double along = Vectors.dot(toCentres[k], direction);
      double radius = balls.get(k).radius();
      double half2 = radius * radius - (squares[k] - along * along);
      if (half2 > 0) {
        double half = Math.sqrt(half2);
        intervals.add(new Covered(along - half, along + half));
      }
    }
    intervals.sort(Comparator.comparingDouble(Covered::from));
    double t = 0;
    for (Covered interval : intervals) {
      if (interval.from() <= t && interval.to() >= t) {
        t = interval.to() + 1e-9 * (1 + Math.abs(interval.to()));
      }
    }
    return t;
  }

  private double[] improve(double[] outside) {
    double[] best = outside;
    double least = Vectors.distance(best, start);
    for (int round = 0; round < IMPROVEMENTS && balls.size() <= MOST_HALF_SPACES; round++) {
      double[] next = projectOntoHalfSpaces(best);
      double length = Vectors.distance(next, start);
      if (!isOutside(next) || !(length < least * (1 - 1e-6))) {
        return best;
      }
      best = next;
      least = length;
    }
    return best;
  }

  /// Projects the start onto the half-spaces that touch the balls where they face `y`.
  private double[] projectOntoHalfSpaces(double[] y) {
    int count = balls.size();
    double[][] normals = new double[count][start.length];
    double[] deficit = new double[count];
    for (int k = 0; k < count; k++) {
      Ball ball = balls.get(k);
      double distance = Vectors.distance(y, ball.centre());
      double along = 0;
      for (int i = 0; i < start.length; i++) {
        normals[k][i] = (y[i] - ball.centre()[i]) / distance;
        along += normals[k][i] * (start[i] - ball.centre()[i]);
      }
      deficit[k] = ball.radius() * (1 + 1e-9) - along;
    }
    double[][] gram = new double[count][count];
    for (int k = 0; k < count; k++) {
      for (int l = 0; l <= k; l++) {
        gram[k][l] = Vectors.dot(normals[k], normals[l]);
        gram[l][k] = gram[k][l];
      }
    }
    // min ½‖Uᵀλ‖² − λ·deficit over λ ≥ 0, one coordinate after another; z = x + Uᵀλ.
    double least = balls.stream().mapToDouble(Ball::radius).min().orElse(0);
    double[] multipliers = new double[count];
    for (int sweep = 0; sweep < HILDRETH_SWEEPS; sweep++) {
      double change = 0;
      for (int k = 0; k < count; k++) {
        double slack = deficit[k] - Vectors.dot(gram[k], multipliers);
        double before = multipliers[k];
        multipliers[k] = Math.max(0, before + slack / gram[k][k]);
        change = Math.max(change, Math.abs(multipliers[k] - before));
      }
      if (change < 1e-10 * least) {
        break;
      }
    }
    double[] z = start.clone();
    for (int k = 0; k < count; k++) {
      Vectors.addScaled(z, multipliers[k], normals[k]);
    }
    return z;
  }
}
