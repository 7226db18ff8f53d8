package spellshield.index.sketch;

import spellshield.index.kernel.Kernels;

/// 4,096 sketches as codes: 64 blocks of 64 items.
///
/// ```text
/// head codes   [h + 1, 4096 items]            what the scan reads
/// boxes        [h + 1, 64 blocks], low and high: the range of a block's codes
/// tail codes   [4096 items, t − h + 1]        what is left to look at after the scan
/// ```
///
/// Immutable but for the bits of the items that are alive.
public final class Group {

  /// The number of blocks of a full group, and of items of a full block.
  public static final int BLOCKS = Kernels.BLOCK;

  /// The number of items of a full group.
  public static final int ITEMS = BLOCKS * BLOCKS;

  /// So that the columns do not fall into the same lines of the cache.
  private static final int PADDING = 64;

  final int stride;
  final byte[] codes;
  final byte[] low;
  final byte[] high;
  final byte[] tails;
  final int[] items;
  final long[] alive = new long[BLOCKS];
  float headError;
  float tailError;
  float latentError;

  /// Makes room for items whose codes are still to come.
  Group(int size, int columns, int tailLength) {
    int blocks = Math.ceilDiv(size, BLOCKS);
    this.stride = blocks * BLOCKS + PADDING;
    this.codes = new byte[columns * stride];
    this.low = new byte[columns * BLOCKS];
    this.high = new byte[columns * BLOCKS];
    this.tails = new byte[size * tailLength];
    this.items = new int[size];
    for (int i = 0; i < size; i++) {
      alive[i / BLOCKS] |= 1L << i % BLOCKS;
    }
  }

  /// Returns the blocks whose boxes a query may reach into, a bit each.
  public long boxes(SketchQuery query, int limit, short[] sums) {
    long there = -1L >>> (BLOCKS - blockCount());
    return there & Kernels.scanBoxes(low, high, query.head, query.order, limit, sums);
  }

  /// Sums up the heads of some blocks, and returns the blocks that still hold an item within the
  /// limit.
  ///
  /// @param blocks a bit each
  /// @param sums `[4096]`, receives the sums of the blocks returned
  public long scan(long blocks, SketchQuery query, int limit, short[] sums) {
    long left = blocks;
    for (int from = 0; left != 0 && from < query.order.length; from += Kernels.STRIDE) {
      left = Kernels.scanColumns(codes, stride, left, query.head, query.order, from, limit, sums);
    }
    return left;
  }

  /// Returns the items of a block whose sums are within the limit, a bit each.
  public long items(int block, int limit, short[] sums) {
    return alive[block] & Kernels.within(sums, block * BLOCKS, limit);
  }

  /// Returns the items of a block that are there, a bit each.
  public long alive(int block) {
    return alive[block];
  }

  /// Returns the item at a place, `64·block + lane`.
  public int item(int place) {
    return items[place];
  }

  /// Returns the number of blocks; the last may be partly empty.
  public int blockCount() {
    return Math.ceilDiv(items.length, BLOCKS);
  }

  /// Returns the most by which storing (float16) moved a latent of this group.
  public double latentError() {
    return latentError;
  }

  /// Sets the boxes from the codes.
  void enclose(int columns) {
    for (int block = 0; block < blockCount(); block++) {
      int size = Math.min(BLOCKS, items.length - block * BLOCKS);
      for (int i = 0; i < columns; i++) {
        int least = 255;
        int most = 0;
        for (int lane = 0; lane < size; lane++) {
          int code = codes[i * stride + block * BLOCKS + lane] & 0xff;
          least = Math.min(least, code);
          most = Math.max(most, code);
        }
        low[i * BLOCKS + block] = (byte) least;
        high[i * BLOCKS + block] = (byte) most;
      }
    }
  }
}
