package spellshield.index.sketch;

import java.util.stream.IntStream;
import spellshield.index.kernel.Kernels;

/// The boxes around the blocks of a table: of each of its first 64 values a block has a least and a
/// greatest cell.
///
/// They lie as the items of a group do, 64 groups with 64 boxes each in the place of 64 blocks with
/// 64 items each, so that one kernel scans both:
///
/// ```text
/// shelf   [16 chunks, 64 groups, 4, 64 blocks]   least cell in the low four bits, greatest in the high
/// ```
///
/// A query is as far from a box, at least, as it is below the least and above the greatest cell of
/// each value. One byte for 64 items and a value. Immutable.
public final class Boxes {
  /// The number of values by which boxes are drawn.
  static final int VALUES = 64;

  /// The number of values of a chunk: each has two cells.
  static final int CHUNK = Kernels.CHUNK / 2;

  /// The number of chunks by which boxes are judged, of 16.
  static final int LOOK = 8;

  private static final int GROUPS = Group.BLOCKS;
  private static final int CHUNK_BYTES = GROUPS * Kernels.LINES * Group.BLOCKS;

  private final int values;
  private final byte[][] shelves;

  private Boxes(int values, byte[][] shelves) {
    this.values = values;
    this.shelves = shelves;
  }

  /// Draws boxes around all blocks, on all cores.
  ///
  /// @param codedLength the number of values that groups hold
  static Boxes of(Group[] groups, int codedLength) {
    return new Boxes(Math.min(VALUES, codedLength), new byte[0][]).of(new Group[0], groups);
  }

  /// Returns the boxes of other groups; those of a group that is the same are taken over.
  Boxes of(Group[] before, Group[] after) {
    int chunks = Math.ceilDiv(values, Kernels.CHUNK) * Kernels.CHUNK / CHUNK; // as many as columns
    byte[][] others = new byte[Math.ceilDiv(after.length, GROUPS)][chunks * CHUNK_BYTES];
    IntStream.range(0, after.length)
        .parallel()
        .forEach(g -> {
          byte[] shelf = others[g / GROUPS];
          if (g < before.length && before[g].hasBlocksOf(after[g])) {
            for (int chunk = 0; chunk < chunks; chunk++) {
              int at = at(chunk, g);
              System.arraycopy(shelves[g / GROUPS], at, shelf, at, Kernels.LINES * Group.BLOCKS);
            }
          } else {
            draw(after[g], shelf, g);
          }
        });
    return new Boxes(values, others);
  }

  private static int at(int chunk, int group) {
    return chunk * CHUNK_BYTES + group % GROUPS * Kernels.LINES * Group.BLOCKS;
  }

  private void draw(Group group, byte[] shelf, int g) {
    for (int i = 0; i < values; i++) {
      int line = at(i / CHUNK, g) + i % CHUNK * Group.BLOCKS;
      for (int block = 0; block < group.blockCount(); block++) {
        int least = Cells.COUNT - 1;
        int greatest = 0;
        for (long bits = group.alive(block); bits != 0; bits &= bits - 1) {
          int cell = group.cell(i, block * Group.BLOCKS + Long.numberOfTrailingZeros(bits));
          least = Math.min(least, cell);
          greatest = Math.max(greatest, cell);
        }
        shelf[line + block] = (byte) (least | (greatest << 4));
      }
    }
  }

  /// Adds up what a query is away from the boxes of some groups; what adds up to more than a bar
  /// may not be whole.
  ///
  /// @param bar all sums are whole where it is 255
  /// @param sums receives those of group `g` and block `b` at `64·(g − from) + b`, without a sign
  public void scan(SketchQuery query, Lookup lookup, int bar, int from, int to, byte[] sums) {
    byte[] shelfSums = new byte[GROUPS * Group.BLOCKS];
    for (int g = from; g < to; ) {
      int end = Math.min(to, (g / GROUPS + 1) * GROUPS);
      long left = (-1L >>> (GROUPS - (end - g))) << g % GROUPS;
      for (int step = 0; left != 0 && step < query.boxChunks.length; step++) {
        int chunk = query.boxChunks[step];
        left =
            Kernels.scanChunk(
                shelves[g / GROUPS],
                chunk * CHUNK_BYTES,
                left,
                lookup.boxTable,
                chunk * Kernels.CHUNK,
                0,
                step == 0,
                bar,
                shelfSums);
      }
      int length = (end - g) * Group.BLOCKS;
      System.arraycopy(
          shelfSums, g % GROUPS * Group.BLOCKS, sums, (g - from) * Group.BLOCKS, length);
      g = end;
    }
  }
}
