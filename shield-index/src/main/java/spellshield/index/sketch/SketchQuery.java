package spellshield.index.sketch;

import it.unimi.dsi.fastutil.bytes.ByteArrays;
import java.util.Arrays;
import spellshield.index.kernel.Kernels;

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

  /// Returns the largest distance of two float32 heads, one that of an item within `radius`.
  ///
  /// @param latentError the most by which storing moved a latent
  public double headReach(double radius, double latentError) {
    return reach(radius, latentError) + rounding + table.sketchError();
  }

  /// Returns how far apart the exact sketches may be.
  private double reach(double radius, double latentError) {
    return (1 + table.sketcher().epsilon()) * (radius * EDGE + latentError);
  }

  /// Returns T, the largest head sum that an item of a group within `radius` may have.
  public int headLimit(Group group, double radius) {
    double reach = reach(radius, group.latentError);
    double steps = (reach + headError + group.headError) / table.headQuantizer().step();
    double limit = steps * steps * ROUNDING;
    // NaN and whatever a sum cannot reach: every item passes.
    return limit < Kernels.SATURATED ? (int) limit : Kernels.SATURATED;
  }

  /// Returns a distance that an item of a group is not below, given its head sum or that of a box
  /// around it, whole or partial.
  public double leastDistance(Group group, int headSum) {
    double steps = Math.sqrt(headSum) * table.headQuantizer().step();
    double sketches = steps - headError - group.headError;
    double distance = sketches / (1 + table.sketcher().epsilon()) - group.latentError;
    return Math.max(0, distance * (1 - 0x1p-30));
  }

  /// Returns the square that head and tail of an item of a group within `radius` may have.
  public double tailLimit(Group group, double radius) {
    double reach = reach(radius, group.latentError);
    double limit = reach + tailError + group.tailError;
    return limit * limit * ROUNDING;
  }

  /// Returns those items of a block whose tails do not show that they are farther away than a limit
  /// allows, a bit each.
  ///
  /// @param items the items to look at, a bit each
  /// @param headSums the group's sums from the scan, which may have stopped at 65,535
  /// @param limit from [#tailLimit]
  /// @param tailSums `[64]`, for use within
  public long notExcluded(
      Group group, int block, long items, short[] headSums, double limit, int[] tailSums) {
    if (tail.length == 0) {
      return items;
    }
    int first = block * Group.BLOCKS;
    Kernels.rowSquares(group.tails, first * tail.length, tail.length, items, tail, tailSums);
    long left = 0;
    for (long rest = items; rest != 0; rest &= rest - 1) {
      int lane = Long.numberOfTrailingZeros(rest);
      int rho = (group.codes[group.at(0, first + lane)] & 0xff) - (head[0] & 0xff);
      int headSum = (headSums[first + lane] & 0xffff) - rho * rho; // ρ′ takes the place of ρ
      left |= square(headSum, tailSums[lane]) > limit ? 0 : rest & -rest;
    }
    return left;
  }

  /// Returns whether head and tail leave it open that an item is within `radius`.
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
    return square(headSum, tailSum[0]) <= tailLimit(group, radius);
  }

  /// Returns the square of the distance between the codes of two sketches, ρ left out.
  private double square(int headSum, int tailSum) {
    double step = table.headQuantizer().step();
    double tailStep = table.tailQuantizer().step();
    return step * step * headSum + tailStep * tailStep * tailSum;
  }
}
