package spellshield.index.sketch;

import it.unimi.dsi.fastutil.bytes.ByteArrays;
import java.util.Arrays;
import spellshield.index.kernel.Kernels;
import spellshield.index.store.RadiusScales;

/// A query as the scan sees it: its codes, and how far they are from it.
///
/// # What is excluded
///
/// For a latent z within `reach` of q the exact sketches are within `(1 + ε)·reach` ([Sketcher]);
/// codes are off by at most e_q and e_z (the largest of the group), rounding of the sketches
/// included. In units of the step, head sums K thus obey
///
/// ```text
/// K ≤ T = (((1 + ε)·reach + e_q + e_z) / step)²
/// ```
///
/// and what has a larger sum is farther than `reach`. For the tail the same holds for `step²·(K −
/// k_ρ) + step′²·K′`, where k_ρ is the term of ρ in K, which ρ′ replaces, and K′ the sum over the
/// tail. The sums are whole numbers; the few float64 operations of the limits are covered by a
/// factor `1 + 2⁻³⁰`.
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

  /// What a box excludes it excludes by these; the others only cost time.
  private static final int BOX_DIMENSIONS = 24;

  private final SketchTable table;
  final byte[] head;

  /// The head in the form that the scans take.
  final short[] wideHead;

  final byte[] tail;

  /// The dimensions by which boxes are judged, the one in which the query is farthest from the set
  /// first.
  final byte[] order;

  /// The chunks of four dimensions in the same sense.
  final byte[] chunks;

  private final double rounding;
  private final double headError;
  private final double tailError;
  private final float[] sketch;

  SketchQuery(SketchTable table, float[] latents, int offset) {
    Sketcher sketcher = table.sketcher();
    this.table = table;
    this.sketch = new float[sketcher.length()];
    this.head = new byte[sketcher.columns()];
    this.tail = new byte[sketcher.tailLength()];
    this.rounding = sketcher.sketch(latents, offset, sketch, 0);
    double headSquare = 0;
    double tailSquare = 0;
    for (int i = 0; i < sketcher.headLength(); i++) {
      head[i] = table.headQuantizer().code(sketch[i], i);
      double square = table.headQuantizer().squaredQueryError(sketch[i], i, head[i]);
      headSquare += square;
      tailSquare += i == 0 ? 0 : square; // ρ′ takes the place of ρ
    }
    for (int i = 0; i < tail.length; i++) {
      float value = sketch[sketcher.headLength() + i];
      tail[i] = table.tailQuantizer().code(value, i);
      tailSquare += table.tailQuantizer().squaredQueryError(value, i, tail[i]);
    }
    this.wideHead = Kernels.widen(head);
    this.headError = Math.sqrt(headSquare) + rounding;
    this.tailError = Math.sqrt(tailSquare) + rounding;
    double[] gains = new double[head.length];
    for (int i = 0; i < gains.length; i++) {
      double difference = (head[i] & 0xff) - table.spread().mean()[i];
      gains[i] = table.spread().variance()[i] + difference * difference;
    }
    byte[] dims = largestFirst(gains, 1);
    this.order = Arrays.copyOf(dims, Math.min(dims.length, BOX_DIMENSIONS));
    this.chunks = largestFirst(gains, Kernels.STRIDE);
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

  /// Returns the number of chunks of a head.
  public int steps() {
    return chunks.length;
  }

  /// Returns the head of the float32 sketch, `[h + 1]`.
  public float[] headSketch() {
    float[] values = new float[table.sketcher().headLength()];
    System.arraycopy(sketch, 0, values, 0, values.length);
    return values;
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

  /// Returns T, the largest head sum that an item of a group may have whose ball of `radius` holds
  /// the query.
  public int headLimit(Group group, double radius) {
    return headLimit(group, group.largestScale(), radius);
  }

  private int headLimit(Group group, double scale, double radius) {
    double reach = reach(RadiusScales.ball(scale, radius), group.latentError);
    double steps = (reach + headError + group.headError) / table.headQuantizer().step();
    double limit = steps * steps * ROUNDING;
    // NaN and whatever a sum cannot reach: every item passes.
    return limit < Kernels.SATURATED ? (int) limit : Kernels.SATURATED;
  }

  /// Returns a clearance from an item of a group, given its head sum or that of a box around it,
  /// whole or partial: its distance is not below its scale times that.
  public double clearance(Group group, int headSum) {
    double steps = Math.sqrt(headSum) * table.headQuantizer().step();
    double sketches = steps - headError - group.headError;
    double distance = sketches / (1 + table.sketcher().epsilon()) - group.latentError;
    // The division is one more rounding that the factor covers; it divides by no less than s_k.
    return Math.max(0, distance * (1 - 0x1p-30) / group.largestScale());
  }

  /// Returns the square that head and tail of an item of a group may have whose ball of `radius`
  /// holds the query.
  private double tailLimit(Group group, double scale, double radius) {
    double reach = reach(RadiusScales.ball(scale, radius), group.latentError);
    double limit = reach + tailError + group.tailError;
    return limit * limit * ROUNDING;
  }

  /// Returns those items of a block whose heads and tails leave it open that their own balls of
  /// `radius` hold the query, a bit each.
  ///
  /// @param items the items that the limit of the group lets pass, a bit each
  /// @param headSums the group's sums from the scan, which may have stopped at 65,535
  /// @param tailSums `[64]`, for use within
  public long notExcluded(
      Group group, int block, long items, short[] headSums, double radius, int[] tailSums) {
    long look = group.hasScales() ? withinOwn(group, block, items, headSums, radius) : items;
    if (tail.length == 0) {
      return look;
    }
    int first = block * Group.BLOCKS;
    Kernels.rowSquares(group.tails, first * tail.length, tail.length, look, tail, tailSums);
    double limit = tailLimit(group, group.largestScale(), radius);
    long left = 0;
    for (long rest = look; rest != 0; rest &= rest - 1) {
      int lane = Long.numberOfTrailingZeros(rest);
      if (group.hasScales()) {
        limit = tailLimit(group, group.scale(first + lane), radius);
      }
      int rho = (group.codes[group.at(0, first + lane)] & 0xff) - (head[0] & 0xff);
      int headSum = (headSums[first + lane] & 0xffff) - rho * rho; // ρ′ takes the place of ρ
      left |= square(headSum, tailSums[lane]) > limit ? 0 : rest & -rest;
    }
    return left;
  }

  /// Returns the items whose heads leave it open that their own balls hold the query.
  private long withinOwn(Group group, int block, long items, short[] headSums, double radius) {
    long left = 0;
    for (long rest = items; rest != 0; rest &= rest - 1) {
      int place = block * Group.BLOCKS + Long.numberOfTrailingZeros(rest);
      int limit = headLimit(group, group.scale(place), radius);
      left |= (headSums[place] & 0xffff) > limit ? 0 : rest & -rest;
    }
    return left;
  }

  /// Returns whether head and tail leave it open that an item's own ball of `radius` holds the
  /// query.
  ///
  /// @param place of the item in its group
  public boolean mayHold(Group group, int place, double radius) {
    if (tail.length == 0) {
      return true;
    }
    int headSum = 0;
    for (int i = 1; i < head.length; i++) { // ρ′ takes the place of ρ
      int difference = (group.codes[group.at(i, place)] & 0xff) - (head[i] & 0xff);
      headSum += difference * difference;
    }
    int[] tailSum = new int[1];
    Kernels.rowSquares(group.tails, place * tail.length, tail.length, 1, tail, tailSum);
    return square(headSum, tailSum[0]) <= tailLimit(group, group.scale(place), radius);
  }

  /// Returns the square of the distance between the codes of two sketches, ρ left out.
  private double square(int headSum, int tailSum) {
    double step = table.headQuantizer().step();
    double tailStep = table.tailQuantizer().step();
    return step * step * headSum + tailStep * tailStep * tailSum;
  }
}
