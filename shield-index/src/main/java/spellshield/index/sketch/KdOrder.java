package spellshield.index.sketch;

import it.unimi.dsi.fastutil.ints.IntArrays;

/// An order in which neighbouring items have neighbouring sketches.
///
/// The items are split at the median of the coordinate that varies most, again and again, until a
/// part fits one block. A block then covers a small region, and most blocks are far from a query as
/// a whole.
final class KdOrder {
  private final float[] sketches;
  private final int length;
  private final int leaf;
  private final int[] order;

  private KdOrder(float[] sketches, int length, int leaf) {
    this.sketches = sketches;
    this.length = length;
    this.leaf = leaf;
    this.order = new int[sketches.length / length];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
  }

  /// Returns a permutation of the items.
  ///
  /// @param sketches row by row, `[count, length]`
  /// @param leaf the number of items of a block; every split leaves a multiple of it on the left
  static int[] of(float[] sketches, int length, int leaf) {
    KdOrder kd = new KdOrder(sketches, length, leaf);
    kd.split(0, kd.order.length);
    return kd.order;
  }

  private void split(int from, int to) {
    if (to - from <= leaf) {
      return;
    }
    int coordinate = widest(from, to);
    // Half of the blocks to the left, so that only the last block of all is not full.
    int blocks = (to - from + leaf - 1) / leaf;
    int middle = from + blocks / 2 * leaf;
    // Ties go by item, so that the order is the same on every machine.
    IntArrays.parallelQuickSort(
        order,
        from,
        to,
        (a, b) -> {
          int byValue =
              Float.compare(sketches[a * length + coordinate], sketches[b * length + coordinate]);
          return byValue != 0 ? byValue : Integer.compare(a, b);
        });
    split(from, middle);
    split(middle, to);
  }

  private int widest(int from, int to) {
    int widest = 0;
    double largest = -1;
    for (int coordinate = 0; coordinate < length; coordinate++) {
      double sum = 0;
      double squares = 0;
      for (int i = from; i < to; i++) {
        double value = sketches[order[i] * length + coordinate];
        sum += value;
        squares += value * value;
      }
      double variance = squares - sum * sum / (to - from);
      if (variance > largest) {
        largest = variance;
        widest = coordinate;
      }
    }
    return widest;
  }
}
