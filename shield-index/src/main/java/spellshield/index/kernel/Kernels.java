package spellshield.index.kernel;

/// The kernels of the search, on the best body that this JVM offers.
///
/// The Vector API is used where the module `jdk.incubator.vector` is in the boot layer
/// (`--add-modules=jdk.incubator.vector`); `-Dshield.scalar=true` chooses the scalar twins all the
/// same.
public final class Kernels {

  /// The number of items of one block of the scan.
  public static final int BLOCK = Kernel.BLOCK;

  private static final boolean VECTOR =
      ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
          && !Boolean.getBoolean("shield.scalar");

  // A static final of a known class: the JIT calls straight into it.
  private static final Kernel KERNEL = VECTOR ? new VectorKernel() : new ScalarKernel();

  /// The number of dimensions of a chunk, which a scan adds at a time.
  public static final int CHUNK = Kernel.CHUNK;

  /// The number of lines of a chunk, 64 bytes with two dimensions of 64 items each.
  public static final int LINES = Kernel.LINES;

  /// Where the sums of quarters of cells stop.
  public static final int MOST_OF_QUARTERS = Kernel.MOST_OF_QUARTERS;

  private Kernels() {}

  /// Returns whether the Vector API does the work.
  public static boolean isVector() {
    return VECTOR;
  }

  /// Returns `Σ a_i·b_i` in float64: term `i` goes to partial sum `i mod 16`, which are added in
  /// order.
  public static double dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
    return KERNEL.dot(a, aOffset, b, bOffset, length);
  }

  /// Returns `Σ (a_i − b_i)²` in float64, in the order of [#dot].
  static double distanceSquared(float[] a, int aOffset, float[] b, int bOffset, int length) {
    return KERNEL.distanceSquared(a, aOffset, b, bOffset, length);
  }

  /// Adds `⌊2^−shift · Σ_i table_i[cell_i]⌋` over 8 dimensions to the sums of blocks of 64 items,
  /// and returns the blocks, a bit each, that still hold an item whose sum is not above `bar`.
  ///
  /// Both sums are of one byte without a sign and stop at 255; a bar of 255 lets every item pass.
  ///
  /// @param cells `[blocks, 4, 64]` from `offset`: two dimensions of 64 items, the even one in the
  ///   low four bits, and so on
  /// @param blocks the blocks to look at, a bit each; the others are left as they are
  /// @param table `[dims, 64]`, 16 terms without a sign for the cells of a dimension, four times;
  ///   the eight dimensions from `dim` are meant. What it holds must never change
  /// @param shift from 0 to 7
  /// @param first whether new sums begin
  /// @param bar from 0 to 255
  /// @param sums `[4096]`, the sums of all items as unsigned numbers
  public static long scanChunk(
      byte[] cells,
      int offset,
      long blocks,
      byte[] table,
      int dim,
      int shift,
      boolean first,
      int bar,
      byte[] sums) {
    return KERNEL.scanChunk(cells, offset, blocks, table, dim, shift, first, bar, sums);
  }

  /// Returns those of some items of a block of which `Σ min(255, even + odd)`, over the pairs of
  /// all dimensions, is not above `bar`: the terms of the quarters of cells that an item is in.
  ///
  /// @param cells of two dimensions of 64 items a line, the even one in the low four bits, as for
  ///   [#scanChunk]; the first chunk at `offset`, the others `chunkBytes` behind the one before
  /// @param parts `[dims / 2, 64]` from `partsOffset`, which of 16 parts of their cells the items
  ///   are in, in the same way; a quarter of a cell is four of them
  /// @param chunks the order in which chunks of eight dimensions are taken
  /// @param table `[dims, 64]`, terms without a sign for the quarters of a dimension's 16 cells
  /// @param items a bit each
  /// @param bar from 0 to [#MOST_OF_QUARTERS], which lets all pass
  public static long scanQuarters(
      byte[] cells,
      int offset,
      int chunkBytes,
      byte[] parts,
      int partsOffset,
      byte[] chunks,
      byte[] table,
      long items,
      int bar) {
    return KERNEL.scanQuarters(
        cells, offset, chunkBytes, parts, partsOffset, chunks, table, items, bar);
  }

  /// Returns which of the 64 unsigned sums from `offset` are not above `bar`, a bit each.
  public static long within(byte[] sums, int offset, int bar) {
    return KERNEL.within(sums, offset, bar);
  }

  /// Writes `⟨x, p_k⟩` for every row x and every row `p_k` of `directions`, in float32.
  ///
  /// Term `i` is added to partial sum `i mod 16`, and the 16 are added in order: no term goes
  /// through more than `⌈D/16⌉ + 17` roundings. Rows do not change each other's results.
  ///
  /// @param x `[rows, dim]`
  /// @param directions `[count, dim]`
  /// @param into receives `[rows, count]`
  public static void project(
      float[] x, int rows, int dim, float[] directions, int count, float[] into) {
    KERNEL.project(x, rows, dim, directions, count, into);
  }
}
