package spellshield.index.sketch;

import java.util.Arrays;

/// The ranges that the values of a sketch are sorted into: 16 cells a value, narrow where values
/// are dense, and each of them cut into 16 equal fine ones.
///
/// A code is the number of a fine cell, from 0 to 255: its high four bits are the cell, which the
/// scan reads, its low four bits the part of it, which is looked at when little else is left. What
/// is known of a value is where its cell begins and ends, so a code has no error that would have to
/// be added to a radius: a query is at least as far from the value as from the cell. The outermost
/// cells have no end, so that a value far outside is no more than imprecise.
final class Cells {
  /// The number of cells of a value, and of the parts of a cell.
  static final int COUNT = 16;

  /// The number of edges that are stored for a value: the outer ends of all cells.
  static final int EDGES = COUNT + 1;

  private static final int FINE = COUNT * COUNT;
  private static final int ROUNDS = 60;

  private final float[] edges;
  private final float[] ends; // the same, but the outer ones are infinite: where cells end
  private final float[] fine; // [length, 257], where fine cells begin, and where the last one ends

  /// Takes the ends of the cells, `[length, 17]`, in ascending order and finite.
  ///
  /// The first and the last end of a value only tell how the outer cells are cut.
  ///
  /// @throws IllegalArgumentException if they are not in order
  Cells(float[] edges) {
    int length = edges.length / EDGES;
    this.edges = edges;
    this.ends = edges.clone();
    this.fine = new float[length * (FINE + 1)];
    for (int i = 0; i < length; i++) {
      for (int cell = 0; cell < COUNT; cell++) {
        float from = edges[i * EDGES + cell];
        float to = edges[i * EDGES + cell + 1];
        if (!(from <= to && from >= -Float.MAX_VALUE && to <= Float.MAX_VALUE)) {
          throw new IllegalArgumentException(
              "cell %d of value %d would reach from %s to %s".formatted(cell, i, from, to));
        }
        for (int part = 0; part < COUNT; part++) {
          double begin = from + ((double) to - from) * part / COUNT;
          fine[i * (FINE + 1) + cell * COUNT + part] = (float) begin; // rounded, still in order
        }
      }
      ends[i * EDGES] = Float.NEGATIVE_INFINITY;
      ends[i * EDGES + COUNT] = Float.POSITIVE_INFINITY;
      fine[i * (FINE + 1)] = Float.NEGATIVE_INFINITY;
      fine[i * (FINE + 1) + FINE] = Float.POSITIVE_INFINITY;
    }
  }

  /// Places the cells so that the square of the distance between a value and the middle of its cell
  /// is small on average (Lloyd 1957), by up to 65,536 items.
  static Cells fit(Sketches sketches) {
    int length = sketches.sketcher().codedLength();
    int first = sketches.sketcher().codedFrom();
    float[] edges = new float[length * EDGES];
    for (int i = 0; i < length && sketches.count() > 0; i++) {
      float[] values = sketches.sample(first + i);
      Arrays.sort(values);
      // Values that overflowed tell nothing; then all cells but the outer ones are empty.
      if (values[0] >= -Float.MAX_VALUE && values[values.length - 1] <= Float.MAX_VALUE) {
        fit(values, edges, i * EDGES);
      }
    }
    return new Cells(edges);
  }

  private static void fit(float[] sorted, float[] edges, int at) {
    int rows = sorted.length;
    double[] sums = new double[rows + 1];
    for (int row = 0; row < rows; row++) {
      sums[row + 1] = sums[row] + sorted[row];
    }
    double[] middles = new double[COUNT];
    for (int cell = 0; cell < COUNT; cell++) {
      middles[cell] = sorted[(int) ((2L * cell + 1) * rows / (2 * COUNT))];
    }
    edges[at] = sorted[0];
    edges[at + COUNT] = sorted[rows - 1];
    for (int round = 0; round < ROUNDS; round++) {
      int from = 0;
      for (int cell = 0; cell < COUNT; cell++) {
        int to = rows;
        if (cell + 1 < COUNT) {
          float edge = (float) (0.5 * (middles[cell] + middles[cell + 1]));
          edges[at + cell + 1] = edge;
          to = from + firstAtLeast(sorted, from, edge);
        }
        // The middle of an empty cell stays where it is.
        middles[cell] = to > from ? (sums[to] - sums[from]) / (to - from) : middles[cell];
        from = to;
      }
    }
    Arrays.sort(edges, at, at + EDGES); // the means of equal values may differ by a rounding
  }

  /// Returns how many values from `from` on are below an edge.
  private static int firstAtLeast(float[] sorted, int from, float edge) {
    int low = from;
    int high = sorted.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sorted[middle] < edge) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - from;
  }

  /// Returns the number of values that have cells.
  int length() {
    return edges.length / EDGES;
  }

  /// Returns the ends of the cells, `[length, 17]`, shared.
  float[] edges() {
    return edges;
  }

  /// Returns the code of a number: `low(i, code) ≤ value ≤ high(i, code)`. That of NaN means
  /// nothing.
  int code(float value, int i) {
    int low = 0;
    int high = FINE - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (fine[i * (FINE + 1) + middle] <= value) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  /// Returns where a fine cell of value `i` begins, −∞ for the first.
  float low(int i, int code) {
    return fine[i * (FINE + 1) + code];
  }

  /// Returns where a fine cell of value `i` ends, +∞ for the last.
  float high(int i, int code) {
    return fine[i * (FINE + 1) + code + 1];
  }

  /// Returns the square of the distance between a number and a fine cell of value `i`.
  double squaredDistance(float value, int i, int code) {
    return squaredDistance(value, low(i, code), high(i, code));
  }

  /// Returns the square of the distance between a number and one of the 16 cells of value `i`.
  double squaredDistanceToCell(float value, int i, int cell) {
    float low = ends[i * EDGES + cell];
    float high = ends[i * EDGES + cell + 1];
    // Asked for all cells in order, so that branches are foreseen; not so for fine cells.
    double distance = value < low ? (double) low - value : value > high ? (double) value - high : 0;
    return distance * distance;
  }

  /// Returns the square of the distance between a number and one of the 64 quarters of the cells of
  /// value `i`.
  double squaredDistanceToQuarter(float value, int i, int quarter) {
    return squaredDistance(value, low(i, 4 * quarter), high(i, 4 * quarter + 3));
  }

  private static double squaredDistance(float value, double low, double high) {
    double distance = Math.max(0, Math.max(low - value, value - high));
    return distance * distance;
  }

  /// Returns how many cells of value `i`, which come last, hold nothing that is not above a number.
  int cellsAbove(float value, int i) {
    int above = 0;
    while (above < COUNT && value < ends[i * EDGES + COUNT - 1 - above]) {
      above++;
    }
    return above;
  }
}
