package spellshield.tools.calibrate;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import spellshield.index.Proportion;
import spellshield.tools.edit.Edit;

/// What was measured of a set, and what follows for its radius.
///
/// Radii go by shares of the typical distance, `r = share · typical`. A picture is in a ball of r
/// unless its distance to the nearest protected latent, rounding allowed for, is above r. Where
/// latents have balls of their own, a distance to the nearest is one divided by the scale of that
/// latent's ball: what is caught and blocked is caught and blocked by these balls.
///
/// @param typical typical distance of the set
/// @param meanClearance a radius at which no ball holds the set's mean yet: one that reaches it
///   holds the place where every trajectory begins
/// @param edits copies by the edit that made them, at least one
/// @param heldOut of each picture that is not protected the distance to the nearest latent that is
public record Calibration(
    double typical, double meanClearance, List<Copies> edits, Distances heldOut) {

  private static final double[] SHARES =
      IntStream.rangeClosed(5, 80).mapToDouble(i -> i / 100.0).toArray();

  /// What became of the copies that one edit made.
  ///
  /// @param edit what was done
  /// @param own their distances to the latent of their own original
  /// @param nearest their distances to the nearest protected latent, which may be another one
  public record Copies(Edit edit, Distances own, Distances nearest) {}

  /// What to say about the radius.
  public sealed interface Verdict {

    /// A radius that separates.
    ///
    /// @param share of the typical distance
    /// @param covered the edits whose copies it catches
    /// @param uncovered the others, which no radius can cover that does not block too much or hold
    ///   the mean
    record Separates(double share, List<Copies> covered, List<Copies> uncovered)
        implements Verdict {}

    /// No radius does, for a reason in one line.
    record NoRadius(String reason) implements Verdict {}
  }

  public Calibration {
    if (!(typical > 0 && meanClearance >= 0)) {
      throw new IllegalArgumentException(
          "need typical > 0 and meanClearance ≥ 0, but they were %s and %s"
              .formatted(typical, meanClearance));
    }
    if (edits.isEmpty()) {
      throw new IllegalArgumentException("name at least one edit");
    }
    edits = List.copyOf(edits);
  }

  /// Returns the radii that are tried: 0.05 to 0.80 of the typical distance, in hundredths.
  public static double[] shares() {
    return SHARES.clone();
  }

  /// Returns how many of the innocent pictures a radius blocks.
  public Proportion blocked(double share) {
    return heldOut.within(share * typical);
  }

  /// Returns how many copies of one edit a radius catches.
  public Proportion caught(Copies copies, double share) {
    return copies.nearest().within(share * typical);
  }

  /// Returns the least radius that is shown to catch the share of an edit's copies, as a share of
  /// the typical distance; nothing where there are too few copies to show that.
  public OptionalDouble needed(Copies copies, double leastCaught) {
    int count = copies.nearest().count();
    for (int caught = 1; caught <= count; caught++) {
      if (new Proportion(caught, count).lower() >= leastCaught) {
        return OptionalDouble.of(copies.nearest().quantile((double) caught / count) / typical);
      }
    }
    return OptionalDouble.empty();
  }

  /// Returns how many copies of all edits but the mirror a radius catches; of all where there is no
  /// other.
  ///
  /// Its bounds take copies for independent, which those of one picture are not. Nothing is
  /// recommended by them.
  public Proportion caughtButMirror(double share) {
    List<Copies> counted = edits.stream().filter(c -> !(c.edit() instanceof Edit.Mirror)).toList();
    long hits = 0;
    long trials = 0;
    for (Copies copies : counted.isEmpty() ? edits : counted) {
      Proportion one = caught(copies, share);
      hits += one.hits();
      trials += one.trials();
    }
    return new Proportion(hits, trials);
  }

  /// Recommends a radius.
  ///
  /// Allowed is a radius below the mean's clearance of whose blocked share the upper bound is at
  /// most `mostBlocked`. An edit can be covered if at the widest allowed radius the lower bound of
  /// its caught share is at least `leastCaught`; recommended is the smallest radius at which that
  /// holds for all of these at once.
  ///
  /// @param leastCaught share of the copies of an edit, in (0, 1)
  /// @param mostBlocked share of the innocent pictures, in (0, 1)
  public Verdict judge(double leastCaught, double mostBlocked) {
    requireShare("caught", leastCaught);
    requireShare("blocked", mostBlocked);
    double widest = Double.NaN;
    for (double share : SHARES) {
      if (share * typical < meanClearance && blocked(share).upper() <= mostBlocked) {
        widest = share;
      }
    }
    if (Double.isNaN(widest)) {
      return new Verdict.NoRadius(whyNoneIsAllowed(mostBlocked));
    }
    List<Copies> covered = new ArrayList<>();
    List<Copies> uncovered = new ArrayList<>();
    for (Copies copies : edits) {
      boolean can = caught(copies, widest).lower() >= leastCaught;
      (can ? covered : uncovered).add(copies);
    }
    if (covered.isEmpty()) {
      return new Verdict.NoRadius(whyNoneIsCovered(widest, leastCaught));
    }
    for (double share : SHARES) {
      if (covered.stream().allMatch(copies -> caught(copies, share).lower() >= leastCaught)) {
        return new Verdict.Separates(share, covered, uncovered);
      }
    }
    throw new AssertionError("they are all covered at " + widest);
  }

  private static void requireShare(String what, double share) {
    if (!(share > 0 && share < 1)) {
      throw new IllegalArgumentException(
          "the share that is %s must lie between 0 and 1, but was %s".formatted(what, share));
    }
  }

  private String whyNoneIsAllowed(double mostBlocked) {
    double least = SHARES[0];
    if (!(least * typical < meanClearance)) {
      return "the mean of the set lies %.3f of the typical distance from a protected latent, so even r = %.2f holds it"
          .formatted(meanClearance / typical, least);
    }
    long enough = Proportion.trialsToShow(1 - mostBlocked);
    if (heldOut.count() < enough) {
      return "%,d innocent pictures are too few to show that at most %.0f %% are blocked; hold out %,d or more"
          .formatted(heldOut.count(), 100 * mostBlocked, enough);
    }
    return "even r = %.2f blocks %s of the innocent pictures, where at most %.0f %% may be"
        .formatted(least, blocked(least), 100 * mostBlocked);
  }

  private String whyNoneIsCovered(double widest, double leastCaught) {
    Copies best = edits.getFirst();
    for (Copies copies : edits) {
      if (caught(copies, widest).lower() > caught(best, widest).lower()) {
        best = copies;
      }
    }
    long enough = Proportion.trialsToShow(leastCaught);
    if (best.nearest().count() < enough) {
      return "%,d copies are too few to show that %.0f %% are caught; take %,d pictures or more, or ask for less"
          .formatted(best.nearest().count(), 100 * leastCaught, enough);
    }
    return "at r = %.2f, above which too many innocent pictures are blocked or the mean is held, most is caught of %s: %s"
        .formatted(widest, best.edit().name(), caught(best, widest));
  }
}
