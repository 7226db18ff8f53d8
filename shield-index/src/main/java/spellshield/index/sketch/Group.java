package spellshield.index.sketch;

import java.util.Arrays;
import spellshield.index.kernel.Kernels;
import spellshield.index.store.LivingItems;
import spellshield.index.store.RadiusScales;

/// 4,096 sketches as codes: 64 blocks of 64 items.
///
/// ```text
/// cells   [(t + 1) / 8, 64 blocks, 4, 64 items]   what the scan reads, chunk after chunk
/// parts   [64 blocks, (t + 1) / 2, 64 items]      of cells, for what the scan lets pass
/// ```
///
/// A byte of cells or parts holds two values of a sketch, the even one in its low four bits.
///
/// Immutable once its codes are in place.
public final class Group {

  /// The number of blocks of a full group, and of items of a full block.
  public static final int BLOCKS = Kernels.BLOCK;

  /// The number of items of a full group.
  public static final int ITEMS = BLOCKS * BLOCKS;

  /// The number of groups whose cells lie together, chunk after chunk.
  ///
  /// A scan reads one chunk of the whole slab, then the next: runs of 512 KiB, which the hardware
  /// prefetches at several times the rate of scattered lines.
  public static final int SLAB = 32;

  /// From so many blocks on it is faster to read all 64 of a chunk from memory: lines in a row cost
  /// 2 ns, lines with gaps between them 10 to 13.
  public static final int WHOLE = 11;

  /// Bytes before the cells of a slab. An array this large stands at the start of a region of G1's,
  /// its elements 16 bytes behind: with 48 more a line of 64 bytes is one of the cache's, and not
  /// parts of two. Elsewhere it costs nothing.
  private static final int PAD = 48;

  final byte[] cells;
  final byte[] parts;
  final int[] items;
  final long[] alive = new long[BLOCKS];
  float sketchError;
  float latentError;

  /// Where this group's part of a chunk begins in that chunk, and how long a chunk of all groups of
  /// a slab is.
  private final int first;

  private final int chunkBytes;

  private final int columns;

  /// The blocks that hold an item that was not removed, a bit each.
  private long blocks;

  private final RadiusScales scales;

  /// A number that no scale of an item that was not removed is above.
  private final double largestScale;

  /// Makes room for the groups of a set, whose codes are still to come.
  static Group[] allocate(long count, int columns) {
    Group[] groups = new Group[Math.toIntExact(Math.ceilDiv(count, ITEMS))];
    for (int from = 0; from < groups.length; from += SLAB) {
      int items = (int) Math.min((long) SLAB * ITEMS, count - (long) from * ITEMS);
      int chunkBytes = Math.ceilDiv(items, BLOCKS) * BLOCKS * Kernels.LINES;
      byte[] cells = new byte[PAD + columns / Kernels.CHUNK * chunkBytes];
      for (int g = from; g < Math.min(groups.length, from + SLAB); g++) {
        int size = (int) Math.min(ITEMS, count - (long) g * ITEMS);
        int first = PAD + (g - from) * ITEMS * Kernels.LINES;
        groups[g] = new Group(size, columns, cells, first, chunkBytes);
      }
    }
    return groups;
  }

  private Group(int size, int columns, byte[] cells, int first, int chunkBytes) {
    this.cells = cells;
    this.parts = new byte[Math.ceilDiv(size, BLOCKS) * BLOCKS * (columns / 2)];
    this.first = first;
    this.chunkBytes = chunkBytes;
    this.columns = columns;
    this.items = new int[size];
    for (int i = 0; i < size; i++) {
      alive[i / BLOCKS] |= 1L << i % BLOCKS;
    }
    this.blocks = -1L >>> (BLOCKS - blockCount());
    this.scales = RadiusScales.ONES;
    this.largestScale = 1;
  }

  /// Makes a group of the same codes, with items of its own.
  private Group(Group same, RadiusScales scales, double largestScale) {
    this.cells = same.cells;
    this.parts = same.parts;
    this.columns = same.columns;
    this.first = same.first;
    this.chunkBytes = same.chunkBytes;
    this.items = same.items;
    this.sketchError = same.sketchError;
    this.latentError = same.latentError;
    this.blocks = same.blocks;
    System.arraycopy(same.alive, 0, alive, 0, alive.length);
    this.scales = scales;
    this.largestScale = largestScale;
  }

  /// Returns this group with balls as wide as a set's: itself, where all of them are and were as
  /// wide as the radius.
  Group scaled(RadiusScales others) {
    if (scales.areOnes() && others.areOnes()) {
      return this;
    }
    double largest = 0;
    boolean own = false;
    for (int block = 0; block < blockCount(); block++) {
      for (long bits = alive[block]; bits != 0; bits &= bits - 1) {
        int place = block * BLOCKS + Long.numberOfTrailingZeros(bits);
        double scale = others.of(items[place]);
        largest = Math.max(largest, scale);
        own |= scale != 1;
      }
    }
    if (own) {
      return new Group(this, others, largest);
    }
    return scales.areOnes() ? this : new Group(this, RadiusScales.ONES, 1);
  }

  /// Returns a number that no scale of an item that is there is above.
  double largestScale() {
    return largestScale;
  }

  /// Returns whether items may have other scales than 1.
  boolean hasScales() {
    return !scales.areOnes();
  }

  /// Returns the scale of the item at a place.
  double scale(int place) {
    return scales.of(items[place]);
  }

  /// Returns this group without the items that are no longer protected: itself, if all are.
  ///
  /// The codes stay where they are.
  Group only(LivingItems living) {
    Group rest = this;
    for (int block = 0; block < blockCount(); block++) {
      long left = alive[block];
      for (long bits = left; bits != 0; bits &= bits - 1) {
        int lane = Long.numberOfTrailingZeros(bits);
        left &= living.contains(items[block * BLOCKS + lane]) ? -1L : ~(1L << lane);
      }
      if (left != alive[block]) {
        rest = rest == this ? new Group(this, scales, largestScale) : rest;
        rest.alive[block] = left;
        rest.blocks &= left == 0 ? ~(1L << block) : -1L;
      }
    }
    return rest;
  }

  /// Adds a query's next chunk to the sums of some blocks, and returns the blocks that still hold
  /// an item within the limit.
  ///
  /// @param step which chunk, from 0, in the order of the query
  /// @param blocks a bit each; none for a group that is done
  /// @param whole from so many blocks on all are read, in one run, whether they are wanted or not
  /// @param sums `[4096]`, of this group
  public long scan(
      int step, long blocks, int whole, SketchQuery query, Lookup lookup, int bar, byte[] sums) {
    long look = Long.bitCount(blocks) < whole ? blocks : -1L >>> (BLOCKS - blockCount());
    int chunk = query.chunks[step];
    int dim = chunk * Kernels.CHUNK;
    return blocks
        & Kernels.scanChunk(
            cells,
            chunk(chunk),
            look,
            lookup.table,
            dim,
            lookup.shifts[chunk],
            step == 0,
            bar,
            sums);
  }

  /// Sums up the sketches of some blocks, and returns the blocks that hold an item within the bar.
  public long scan(long blocks, SketchQuery query, Lookup lookup, int bar, byte[] sums) {
    long left = blocks;
    for (int step = 0; left != 0 && step < query.chunks.length; step++) {
      left = scan(step, left, WHOLE, query, lookup, bar, sums);
    }
    return left;
  }

  /// Returns those of some items of a block whose sketches, known to a quarter of a cell, are
  /// within a limit, a bit each.
  ///
  /// @param items a bit each
  public long look(int block, long items, SketchQuery query, Lookup lookup, double limit) {
    return Kernels.scanQuarters(
        cells,
        at(0, block * BLOCKS),
        chunkBytes,
        parts,
        partAt(0, block * BLOCKS),
        query.chunks,
        lookup.quarters(),
        items,
        lookup.quarterBar(limit));
  }

  /// Returns which cell a value of an item's sketch is in.
  int cell(int i, int place) {
    return half(cells[at(i, place)], i);
  }

  /// Returns the code of a value of an item's sketch: cell and part.
  int code(int i, int place) {
    return (cell(i, place) << 4) | half(parts[partAt(i, place)], i);
  }

  /// Returns the even or the odd one of the two values of a byte.
  private static int half(byte both, int i) {
    return i % 2 == 0 ? both & 15 : (both & 0xff) >>> 4;
  }

  /// Sets a code that is 0 yet.
  void setCode(int i, int place, int code) {
    int shift = i % 2 == 0 ? 0 : 4;
    cells[at(i, place)] |= (byte) ((code >>> 4) << shift);
    parts[partAt(i, place)] |= (byte) ((code & 15) << shift);
  }

  /// Returns where the cell of a value of an item stands.
  private int at(int i, int place) {
    int line = place / BLOCKS * Kernels.LINES + i % Kernels.CHUNK / 2;
    return chunk(i / Kernels.CHUNK) + line * BLOCKS + place % BLOCKS;
  }

  /// Returns where the part of the cell of a value of an item stands.
  private int partAt(int i, int place) {
    return (place / BLOCKS * (columns / 2) + i / 2) * BLOCKS + place % BLOCKS;
  }

  /// Returns where this group's part of a chunk begins.
  int chunk(int chunk) {
    return chunk * chunkBytes + first;
  }

  /// Returns the items of a block whose sums are within the bar, a bit each.
  public long items(int block, int bar, byte[] sums) {
    return alive[block] & Kernels.within(sums, block * BLOCKS, bar);
  }

  /// Returns the items of a block that are there, a bit each.
  public long alive(int block) {
    return alive[block];
  }

  /// Returns the blocks that hold an item that is there, a bit each.
  public long blocks() {
    return blocks;
  }

  /// Returns the item at a place, `64·block + lane`.
  public int item(int place) {
    return items[place];
  }

  /// Returns the number of blocks; the last may be partly empty.
  public int blockCount() {
    return Math.ceilDiv(items.length, BLOCKS);
  }

  /// Returns the number of chunks of a sketch.
  int chunks() {
    return columns / Kernels.CHUNK;
  }

  /// Returns whether the same items of the same codes are there.
  @SuppressWarnings("ReferenceEquality") // codes are shared; equal ones elsewhere are no reason
  boolean hasBlocksOf(Group other) {
    return cells == other.cells && first == other.first && Arrays.equals(alive, other.alive);
  }
}
