package spellshield.sampler.guarantee;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import spellshield.index.kernel.Distance;
import spellshield.index.search.ExactScan;
import spellshield.index.search.Neighbor;
import spellshield.index.search.NeighborSearch;
import spellshield.index.store.LatentReader;
import spellshield.sampler.ball.Ball;
import spellshield.sampler.ball.Escape;
import spellshield.sampler.ball.Vectors;

/// Takes a finished latent out of every ball, or says that it cannot. Item k has a ball of the
/// radius `s_k·r`, its scale s_k being 1 unless told.
///
/// The balls that hold the latent are left together ([Escape]); the point is rounded to float32,
/// delivered (see below), and searched for exactly; balls that it has come into join the others,
/// and so on for a bounded number of rounds. Only an exact search that finds nothing ends it well.
///
/// *Delivery* is what happens to a latent on its way out, such as the rounding to an 8-bit file and
/// back: what is checked, returned and certified is the delivered latent. Where the file holds
/// another latent than the one it was decoded from, as with an autoencoder, a [FileCheck] is made
/// as well: then both must be outside. Where either leads back into a ball, the next round aims
/// farther out by what was missing.
///
/// Immutable; any number of threads may use it.
public final class Guarantee {
  private static final int MOST_ROUNDS = 24;

  private final ExactScan search;
  private final LatentReader latents;
  private final double radius;
  private final double farthestMove;
  private final UnaryOperator<float[]> delivery;
  private final @Nullable FileCheck file;

  private Guarantee(
      ExactScan search,
      LatentReader latents,
      double radius,
      double farthestMove,
      UnaryOperator<float[]> delivery,
      @Nullable FileCheck file) {
    this.search = search;
    this.latents = latents;
    this.radius = radius;
    this.farthestMove = farthestMove;
    this.delivery = delivery;
    this.file = file;
  }

  /// Guarantees a radius around every latent; a sample is moved by at most 4 radii of the widest
  /// ball.
  public static Guarantee of(ExactScan search, LatentReader latents, double radius) {
    NeighborSearch.requireRadius(radius);
    double farthest = 4 * search.scales().largest() * radius;
    return new Guarantee(search, latents, radius, farthest, UnaryOperator.identity(), null);
  }

  /// Checks what `delivery` makes of a latent instead of the latent itself; it must be
  /// deterministic.
  public Guarantee delivering(UnaryOperator<float[]> delivery) {
    return new Guarantee(search, latents, radius, farthestMove, delivery, file);
  }

  /// Also checks the latent of the file that a latent becomes.
  public Guarantee checking(FileCheck check) {
    return new Guarantee(search, latents, radius, farthestMove, delivery, check);
  }

  /// Gives up on a sample that would have to be moved farther than this.
  public Guarantee movingAtMost(double farthestMove) {
    if (!(farthestMove > 0)) {
      throw new IllegalArgumentException(
          "the farthest move must be positive, but was " + farthestMove);
    }
    return new Guarantee(search, latents, radius, farthestMove, delivery, file);
  }

  public double radius() {
    return radius;
  }

  /// The item whose ball comes to a latent first as the radius grows, by the distances to what is
  /// stored, and what is known of all.
  ///
  /// @param item its position in the set
  /// @param distance the computed distance to it
  /// @param scale s of its ball
  /// @param lower for every item k the true distance is at least `s_k·lower`; where all scales are
  ///   1, a number that no distance is below
  public record Nearest(long item, double distance, double scale, double lower) {}

  /// A file whose latent is outside every ball by more than the tolerance of its check.
  ///
  /// @param encoded the picture and its latent
  /// @param nearest the protected latent nearest to the file's
  public record OutsideFile(FileCheck.Encoded encoded, Optional<Nearest> nearest) {}

  /// What became of a sample.
  public sealed interface Verdict {

    /// The delivered latent is outside every ball.
    ///
    /// @param latent what is delivered, `[D]`
    /// @param nearest the nearest protected latent, none where the set is empty
    /// @param moved how far the latent was moved before delivery; 0 where it was outside already
    /// @param searches exact searches made
    /// @param rounds how often the latent was delivered and checked; 1 where it was outside already
    /// @param file what the file holds, which is outside too; empty without a [FileCheck]
    record Outside(
        float[] latent,
        Optional<Nearest> nearest,
        double moved,
        int searches,
        int rounds,
        Optional<OutsideFile> file)
        implements Verdict {}

    /// No point outside was found.
    ///
    /// @param reason one line
    record Failed(String reason, int searches) implements Verdict {}
  }

  /// Settles one sample.
  ///
  /// @param x0 the finished latent `[D]`, not changed
  /// @param others further balls to stay out of: earlier outputs
  /// @param seed decides the random directions
  public Verdict settle(float[] x0, List<Ball> others, long seed) {
    for (float value : x0) {
      if (!Float.isFinite(value)) {
        return new Verdict.Failed("the sample is not finite: it holds " + value, 0);
      }
    }
    SplittableRandom random = new SplittableRandom(seed);
    double[] start = Vectors.widen(x0);
    Map<Object, Ball> known = new LinkedHashMap<>();
    double extra = 0;
    float[] moved = x0;
    int searches = 0;
    for (int round = 1; round <= MOST_ROUNDS; round++) {
      float[] delivered = delivery.apply(moved);
      Map<Object, Ball> holding = holding(delivered, 0, others);
      searches++;
      double taken = missing(moved, delivered, holding, known);
      FileCheck.@Nullable Encoded encoded = null;
      if (file != null && holding.isEmpty()) { // the file of a latent that is inside is not wanted
        encoded = file.encode(delivered);
        holding = holding(encoded.latent(), file.tolerance(), others);
        searches++;
        taken = missing(moved, encoded.latent(), holding, known);
      }
      if (holding.isEmpty()) {
        Optional<Nearest> nearest = nearest(delivered);
        Optional<OutsideFile> outside =
            Optional.ofNullable(encoded).map(file -> new OutsideFile(file, nearest(file.latent())));
        return new Verdict.Outside(
            delivered,
            nearest,
            Vectors.distance(start, moved),
            searches + (outside.isPresent() ? 4 : 2),
            round,
            outside);
      }
      extra += taken;
      known.putAll(holding);
      Optional<double[]> out = Escape.from(start, aimedAt(known.values(), start, extra), random);
      if (out.isEmpty()) {
        return new Verdict.Failed(
            "no way out of %d overlapping balls was found".formatted(known.size()), searches);
      }
      double length = Vectors.distance(out.get(), start);
      if (length > farthestMove) {
        return new Verdict.Failed(
            "the nearest way out of %d overlapping balls is %.4g long, more than %.4g"
                .formatted(known.size(), length, farthestMove),
            searches);
      }
      moved = Vectors.narrow(out.get());
    }
    return new Verdict.Failed(
        "%d rounds led from one ball into another, %d in all".formatted(MOST_ROUNDS, known.size()),
        searches);
  }

  /// Returns the nearest latent as stored, its lower bound taken over all latents: what storing may
  /// have moved differs, so one that is stored farther away may truly be nearer.
  private Optional<Nearest> nearest(float[] delivered) {
    return search
        .nearest(delivered, 1)
        .getFirst()
        .map(nearest -> {
          // Whatever this leaves out is farther than the nearest as stored, and so than its bound.
          double lower =
              search.search(delivered, 1, nearest.reachedAt()).getFirst().neighbors().stream()
                  .mapToDouble(Neighbor::clearance)
                  .reduce(nearest.clearance(), Math::min);
          return new Nearest(nearest.item(), nearest.distance(), nearest.scale(), lower);
        });
  }

  /// Returns the balls that some point within `tolerance` of the latent cannot be shown to be
  /// outside of, by what tells them apart: the item for those of the set, the ball itself for the
  /// others, from which no tolerance is kept.
  private Map<Object, Ball> holding(float[] latent, double tolerance, List<Ball> others) {
    Map<Object, Ball> holding = new LinkedHashMap<>();
    for (Neighbor neighbor : search.search(latent, 1, reach(tolerance)).getFirst().neighbors()) {
      double ball = neighbor.ball(radius) + tolerance;
      if (!neighbor.isInside(radius) && neighbor.lower() > ball) {
        continue; // a wide ball, which the reach for the narrowest overstates
      }
      float[] centre = new float[latents.dim()];
      double error = latents.read(neighbor.item(), centre);
      holding.put(neighbor.item(), new Ball(centre, ball + error));
    }
    for (Ball ball : others) {
      double distance = Distance.between(latent, ball.centre());
      if (!(Distance.lower(distance, latent.length) > ball.radius())) {
        holding.put(ball, ball);
      }
    }
    return holding;
  }

  /// Returns a radius whose balls are all wider than those of this guarantee by a tolerance or
  /// more: `s_k·(r + tolerance/s) ≥ s_k·r + tolerance` for the least scale s.
  private double reach(double tolerance) {
    double least = search.scales().least();
    return least == 1
        ? radius + tolerance
        : tolerance == 0 ? radius : Math.nextUp(radius + Math.nextUp(tolerance / least));
  }

  /// Returns how much farther out to aim: what delivery took from the distance to balls that the
  /// latent had left or was outside of.
  private static double missing(
      float[] moved, float[] delivered, Map<Object, Ball> holding, Map<Object, Ball> known) {
    double missing = 0;
    for (Map.Entry<Object, Ball> entry : holding.entrySet()) {
      Ball ball = entry.getValue();
      double before = Distance.between(moved, ball.centre());
      if (known.containsKey(entry.getKey()) || before > ball.radius()) {
        double after = Distance.between(delivered, ball.centre());
        missing = Math.max(missing, Math.max(before - after, 1e-3 * ball.radius()));
      }
    }
    return missing;
  }

  /// Widens the balls by what rounding the result to float32 may cost, and by what delivery does.
  private static List<Ball> aimedAt(Collection<Ball> balls, double[] start, double extra) {
    List<Ball> aimed = new ArrayList<>();
    double norm = Vectors.norm(start);
    double widest = balls.stream().mapToDouble(Ball::radius).max().orElse(0);
    for (Ball ball : balls) {
      // A float32 is off by 2⁻²⁴ of itself, so the point by 2⁻²⁴ of its norm; twice that for
      // safety.
      double rounding = 0x1p-23 * (norm + 8 * widest);
      aimed.add(new Ball(ball.centre(), ball.radius() * (1 + 1e-6) + rounding + extra));
    }
    return aimed;
  }
}
