package spellshield.index.sketch;

import org.jspecify.annotations.Nullable;
import spellshield.index.kernel.Kernels;

/// What each of the 16 cells of a value adds to the sums of a scan, for one query and one limit:
/// `⌊2ˢ·scale · distance²⌋` between the query and the cell, at most 255, where `scale · limit =
/// 254`. A scan divides the sum over the eight values of a chunk by 2ˢ, which is larger where terms
/// are small, so that less is lost by rounding them.
///
/// With everything rounded down, an item whose squares add up to no more than the limit has a sum
/// of no more than 254: sums of one byte are enough to exclude by, and miss nothing.
///
/// Immutable.
public final class Lookup {
  private static final int ALL = 255;

  /// A lookup for a limit also serves smaller ones, as long as the steps are not too coarse for
  /// them.
  private static final double LEAST = 0.75;

  private static final int LARGEST_SHIFT = 2;

  /// What the sum over a chunk, before it is divided, may be on average: far enough from 255, where
  /// sums stop.
  private static final double USUAL = 100;

  /// How much finer the terms of quarters are.
  private static final int QUARTER_FINER = 8;

  /// `[columns, 64]`, four times 16 entries: the kernels look up by six bits, of which the upper
  /// two are anything.
  final byte[] table;

  /// `[2·boxed values, 64]`: what the least cell of a box adds where the query is below it, then
  /// the greatest where it is above.
  final byte[] boxTable;

  /// How often the sum over a chunk is halved.
  final byte[] shifts;

  private final Cells cells;
  private final float[] sketch;
  private final int first;
  private final double largest;
  private final double scale;

  /// `[columns, 64]`, what the quarters of cells add, 8 times as fine.
  private byte @Nullable [] quarters;

  /// Takes the coded values of a query, which begin at `first`.
  ///
  /// @param gains the mean square of the distance between the query and a value, and 0 for columns
  ///   without one
  Lookup(Cells cells, float[] sketch, int first, double[] gains, double limit) {
    this.cells = cells;
    this.sketch = sketch;
    this.first = first;
    this.largest = limit;
    this.scale = Math.min((ALL - 1) / largest, Double.MAX_VALUE);
    this.table = new byte[gains.length * Kernels.BLOCK];
    int boxed = Math.min(gains.length, Boxes.VALUES);
    this.boxTable = new byte[2 * boxed * Kernels.BLOCK];
    this.shifts = new byte[gains.length / Kernels.CHUNK];
    for (int i = 0; i < cells.length(); i++) {
      if (i % Kernels.CHUNK == 0) {
        shifts[i / Kernels.CHUNK] = shift(gains, i);
      }
      float value = sketch[first + i];
      double finer = scale * (1 << shifts[i / Kernels.CHUNK]);
      // A box counts by its least cell where that is above the value, else by its greatest.
      int below = Cells.COUNT - cells.cellsAbove(value, i);
      for (int cell = 0; cell < Cells.COUNT; cell++) {
        double square = cells.squaredDistanceToCell(value, i, cell);
        table[i * Kernels.BLOCK + cell] = term(finer * square);
        if (i < boxed) {
          int row = cell < below ? 2 * i + 1 : 2 * i;
          boxTable[row * Kernels.BLOCK + cell] = term(scale * square);
        }
      }
    }
    repeat(table);
    repeat(boxTable);
  }

  private static byte term(double term) {
    return (byte) Math.min(ALL, (int) term); // rounded down; 0 · ∞ is no number and becomes 0
  }

  /// Writes the first 16 of each 64 bytes three times more.
  private static void repeat(byte[] table) {
    for (int row = 0; row < table.length; row += Kernels.BLOCK) {
      for (int at = Cells.COUNT; at < Kernels.BLOCK; at += Cells.COUNT) {
        System.arraycopy(table, row, table, row + at, Cells.COUNT);
      }
    }
  }

  private byte shift(double[] gains, int from) {
    double sum = 0;
    for (int i = from; i < from + Kernels.CHUNK; i++) {
      sum += gains[i];
    }
    byte shift = LARGEST_SHIFT;
    while (shift > 0 && !(scale * sum * (1 << shift) <= USUAL)) {
      shift--;
    }
    return shift;
  }

  /// Returns what the quarters of cells add, made when first asked for: most queries end before.
  synchronized byte[] quarters() {
    byte[] known = quarters;
    if (known == null) {
      known = new byte[table.length];
      for (int i = 0; i < cells.length(); i++) {
        float value = sketch[first + i];
        for (int quarter = 0; quarter < Kernels.BLOCK; quarter++) {
          double square = cells.squaredDistanceToQuarter(value, i, quarter);
          known[i * Kernels.BLOCK + quarter] = term(QUARTER_FINER * scale * square);
        }
      }
      quarters = known;
    }
    return known;
  }

  /// Returns the largest sum of quarters of an item whose squares add up to no more than a limit.
  ///
  /// @param limit widened for the roundings of a few float64 operations
  int quarterBar(double limit) {
    double bar = QUARTER_FINER * scale * limit;
    return bar < Kernels.MOST_OF_QUARTERS ? (int) bar : Kernels.MOST_OF_QUARTERS;
  }

  /// Returns whether sums of this lookup are fine enough for a limit, and can hold it.
  public boolean suits(double limit) {
    return limit <= largest && limit >= LEAST * largest;
  }

  /// Returns the largest sum of an item whose squares add up to no more than a limit; 255 where
  /// that may be any.
  ///
  /// @param limit widened for the roundings of a few float64 operations
  public int bar(double limit) {
    double bar = scale * limit;
    return bar < ALL ? (int) bar : ALL; // a limit of +∞ or NaN excludes nothing
  }

  /// Returns what squares with this sum do not add up to less than, rounded to nearest.
  public double square(int sum) {
    return scale > 0 ? sum / scale : 0;
  }
}
