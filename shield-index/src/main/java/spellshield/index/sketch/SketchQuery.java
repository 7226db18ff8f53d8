package spellshield.index.sketch;

import it.unimi.dsi.fastutil.bytes.ByteArrays;
import java.util.Arrays;
import spellshield.index.kernel.Kernels;
import spellshield.index.store.RadiusScales;

/// A query as the scan sees it.
///
/// # What is excluded
///
/// For a latent z within `reach` of q the exact sketches are within `(1 + ε)·reach` ([Sketcher]),
/// and the float32 ones within
///
/// ```text
/// R = (1 + ε)·reach + η_q + η_z
/// ```
///
/// with η_z the largest of the group. Of a sketch the scan knows which cell each value is in
/// ([Cells]), and q is at least as far from the value as from the cell, so that the squares of the
/// distances to the cells add up to no more than R². What has a larger sum is farther than `reach`.
/// The scan sums up whole numbers of one byte that are not above these squares ([Lookup]), the
/// second look the squares of the distances to the parts of cells; where it has much to look at,
/// whole numbers again, for quarters of cells, are held against R² before. The few float64
/// operations of sums and limits are covered by a factor `1 + 2⁻³⁰`.
///
/// # Balls of different widths
///
/// For the radius r the ball of item k has the radius `s_k·r` ([RadiusScales]). A group of such
/// items is scanned with the largest scale S of the group: what is farther than `S·r` is farther
/// than `s_k·r`. Whatever passes is held against its own `s_k·r` from the second look on.
public final class SketchQuery {
  private static final double ROUNDING = 1 + 0x1p-30;

  /// An item counts as inside unless it is sure to be outside: what is less than a rounding of its
  /// distance behind the edge must pass, too, or a wider search would disagree with a narrower one.
  private static final double EDGE = 1 + 0x1p-23;

  /// After so many values the second look looks whether it knows enough.
  private static final int LOOK_EVERY = 16;

  private final SketchTable table;

  /// The chunks of boxes by which they are judged, the one in which the query is farthest from the
  /// mean of the set first.
  final byte[] boxChunks;

  /// The chunks of eight values in the same sense.
  final byte[] chunks;

  private final double rounding;
  private final float[] sketch;
  private final double[] gains; // the mean square of the distance to each value
  private final int first; // of its coded values

  /// Takes the sketch of a query, and how far rounding may have moved it.
  SketchQuery(SketchTable table, float[] sketch, double rounding) {
    Sketcher sketcher = table.sketcher();
    this.table = table;
    this.sketch = sketch;
    this.rounding = rounding;
    this.first = sketcher.codedFrom();
    this.gains = new double[sketcher.columns()];
    for (int i = 0; i < sketcher.codedLength(); i++) {
      double difference = (double) sketch[first + i] - table.spread().mean()[i];
      gains[i] = table.spread().variance()[i] + difference * difference;
    }
    this.chunks = largestFirst(gains, Kernels.CHUNK);
    byte[] boxed =
        largestFirst(Arrays.copyOf(gains, Math.min(gains.length, Boxes.VALUES)), Boxes.CHUNK);
    this.boxChunks = Arrays.copyOf(boxed, Math.min(boxed.length, Boxes.LOOK));
  }

  /// A dimension adds `variance + (q − mean)²` to a sum on average, and a chunk the sum of its
  /// dimensions; the largest first.
  private static byte[] largestFirst(double[] gains, int group) {
    byte[] places = new byte[gains.length / group];
    double[] sums = new double[places.length];
    for (int i = 0; i < gains.length; i++) {
      sums[i / group] += gains[i];
    }
    for (int i = 0; i < places.length; i++) {
      places[i] = (byte) i;
    }
    ByteArrays.quickSort(
        places,
        (a, b) -> {
          int byGain = Double.compare(sums[b], sums[a]);
          return byGain != 0 ? byGain : Byte.compare(a, b);
        });
    return places;
  }

  /// Returns the number of chunks of a sketch.
  public int steps() {
    return chunks.length;
  }

  /// Returns the head of the float32 sketch, `[h + 1]`.
  public float[] headSketch() {
    return Arrays.copyOf(sketch, table.sketcher().headLength());
  }

  /// Returns the largest distance of two float32 heads, one that of an item whose ball of `radius`
  /// may hold the query.
  ///
  /// @param latentError the most by which storing moved a latent
  public double headReach(double radius, double latentError) {
    double largest = RadiusScales.ball(table.scales().largest(), radius);
    return reach(largest, latentError) + rounding + table.sketchError();
  }

  /// Returns how far apart the exact sketches may be.
  private double reach(double radius, double latentError) {
    return (1 + table.sketcher().epsilon()) * (radius * EDGE + latentError);
  }

  /// Returns R, how far apart the float32 sketches may be.
  private double reach(Group group, double scale, double radius) {
    double exact = reach(RadiusScales.ball(scale, radius), group.latentError);
    return exact + rounding + group.sketchError;
  }

  /// Returns what the squares of the distances between the query and the cells of an item add up to
  /// at most, if the item is one of a group and its ball of `radius` holds the query.
  public double sumLimit(Group group, double radius) {
    return sumLimit(group, group.largestScale(), radius);
  }

  private double sumLimit(Group group, double scale, double radius) {
    double reach = reach(group, scale, radius);
    return reach * reach * ROUNDING;
  }

  /// Returns what cells add to sums for a limit.
  public Lookup lookup(double limit) {
    return new Lookup(table.cells(), sketch, first, gains, limit);
  }

  /// Returns about the square of the distance to an item: what a scan for the nearest begins with.
  public double usualSquare() {
    return Arrays.stream(gains).sum();
  }

  /// Returns a clearance from an item of a group, given what the square of the distance to its
  /// cells is not below: its distance is not below its scale times that.
  public double clearance(Group group, double square) {
    double sketches = Math.sqrt(square) * (1 - 0x1p-30) - rounding - group.sketchError;
    double distance = sketches / (1 + table.sketcher().epsilon()) - group.latentError;
    // The division is one more rounding that the factor covers; it divides by no less than s_k.
    return Math.max(0, distance * (1 - 0x1p-30) / group.largestScale());
  }

  /// Returns those items of a block whose sketches leave it open that their own balls of `radius`
  /// hold the query, a bit each.
  ///
  /// @param items the items that the limit of the group lets pass, a bit each
  public long notExcluded(Group group, int block, long items, double radius) {
    double limit = sumLimit(group, radius);
    long left = 0;
    for (long rest = items; rest != 0; rest &= rest - 1) {
      int place = block * Group.BLOCKS + Long.numberOfTrailingZeros(rest);
      if (group.hasScales()) {
        limit = sumLimit(group, group.scale(place), radius);
      }
      left |= isAbove(limit, group, place) ? 0 : rest & -rest;
    }
    return left;
  }

  /// Returns whether the sketch of an item leaves it open that its own ball holds the query.
  ///
  /// @param place of the item in its group
  public boolean mayHold(Group group, int place, double radius) {
    return !isAbove(sumLimit(group, group.scale(place), radius), group, place);
  }

  /// Returns whether the squares of the distances to the parts of cells that an item is in add up
  /// to more than a limit.
  private boolean isAbove(double limit, Group group, int place) {
    double square = 0;
    for (int i = 0; i < table.sketcher().codedLength(); i++) {
      square += table.cells().squaredDistance(sketch[first + i], i, group.code(i, place));
      if (i % LOOK_EVERY == 0 && square > limit) {
        return true;
      }
    }
    return square > limit;
  }
}
