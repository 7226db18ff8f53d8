package spellshield.index.sketch;

import java.util.Arrays;
import java.util.concurrent.RecursiveAction;

/// An order in which neighbouring items have neighbouring sketches.
///
/// The items are split at the median of the coordinate that varies most, again and again, until a
/// part fits one block. A block then covers a small region, and most blocks are far from a query as
/// a whole.
final class KdOrder {

  /// From so many items of a part its variances are estimated.
  private static final int SAMPLE = 1024;

  /// A part below this size is not worth a thread of its own.
  private static final int SEQUENTIAL = 1 << 14;

  private final Sketches sketches;
  private final int length;
  private final int leaf;
  private final int[] order;
  private final long[] keys;

  private KdOrder(Sketches sketches, int leaf) {
    this.sketches = sketches;
    this.length = sketches.sketcher().headLength();
    this.leaf = leaf;
    this.order = new int[sketches.count()];
    this.keys = new long[order.length];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
  }

  /// Returns a permutation of the items by the heads of their sketches.
  ///
  /// @param leaf the number of items of a block; every split leaves a multiple of it on the left
  static int[] of(Sketches sketches, int leaf) {
    KdOrder kd = new KdOrder(sketches, leaf);
    kd.new Split(0, kd.order.length).invoke();
    return kd.order;
  }

  /// Orders the items of one part; parts do not overlap, so threads do not meet.
  private final class Split extends RecursiveAction {
    private static final long serialVersionUID = 1;

    private final int from;
    private final int to;

    Split(int from, int to) {
      this.from = from;
      this.to = to;
    }

    @Override
    protected void compute() {
      if (to - from <= leaf) {
        return;
      }
      int coordinate = widest(from, to);
      // Half of the blocks to the left, so that only the last block of all is not full.
      int middle = from + Math.ceilDiv(to - from, leaf) / 2 * leaf;
      for (int i = from; i < to; i++) {
        // Ties go by item, so that the order is the same on every machine.
        long rank = sortable(sketches.value(order[i], coordinate));
        keys[i] = rank << 32 | order[i];
      }
      if (to - from > SEQUENTIAL) {
        Arrays.parallelSort(keys, from, to);
      } else {
        Arrays.sort(keys, from, to);
      }
      for (int i = from; i < to; i++) {
        order[i] = (int) keys[i];
      }
      Split left = new Split(from, middle);
      Split right = new Split(middle, to);
      if (to - from > SEQUENTIAL) {
        invokeAll(left, right);
      } else {
        left.compute();
        right.compute();
      }
    }
  }

  /// Returns a number that grows with the value, as 32 bits with a sign.
  private static long sortable(float value) {
    int bits = Float.floatToIntBits(value);
    return bits ^ (bits >> 31 & 0x7fffffff);
  }

  private int widest(int from, int to) {
    int rows = Math.min(to - from, SAMPLE);
    double[] sums = new double[length];
    double[] squares = new double[length];
    for (int row = 0; row < rows; row++) {
      int item = order[from + (int) ((long) row * (to - from) / rows)];
      for (int i = 0; i < length; i++) {
        double value = sketches.value(item, i);
        sums[i] += value;
        squares[i] += value * value;
      }
    }
    int widest = 0;
    double largest = -1;
    for (int i = 0; i < length; i++) {
      double variance = squares[i] - sums[i] * sums[i] / rows;
      if (variance > largest) {
        largest = variance;
        widest = i;
      }
    }
    return widest;
  }
}
