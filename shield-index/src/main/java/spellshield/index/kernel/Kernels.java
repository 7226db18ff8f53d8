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
  public static final int STRIDE = Kernel.STRIDE;

  /// The largest sum of a scan: sums that would pass it stop there.
  public static final int SATURATED = 65_535;

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

  /// Adds 4 dimensions to the sums `Σ_i (z_i − q_i)²` of blocks of 64 items, and returns the
  /// blocks, a bit each, that still hold an item whose sum is not above `limit`.
  ///
  /// Codes are whole numbers from 0 to 255, so the sums are exact; they stop at 65,535, and a limit
  /// of that or more lets every item pass.
  ///
  /// @param codes `[blocks, 4, 64]` from `offset`: the four dimensions of the chunk for 64 items,
  ///   and so on
  /// @param blocks the blocks to look at, a bit each; the others are left as they are
  /// @param query the query's codes as [#widen] gives them, of which the four from `dim` are meant
  /// @param first whether new sums begin
  /// @param limit not negative
  /// @param sums `[4096]`, the sums of all items as unsigned numbers
  public static long scanChunk(
      byte[] codes,
      int offset,
      long blocks,
      short[] query,
      int dim,
      boolean first,
      int limit,
      short[] sums) {
    int bar = Math.min(limit, SATURATED);
    return KERNEL.scanChunk(codes, offset, blocks, query, dim, first, bar, sums);
  }

  /// Returns the codes of a query in the form that the scans take, each as often as the widest
  /// vector has lanes.
  public static short[] widen(byte[] query) {
    short[] wide = new short[query.length * Kernel.LANES];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = (short) (query[i / Kernel.LANES] & 0xff);
    }
    return wide;
  }

  /// Returns which of the 64 unsigned sums from `offset` are not above `limit`, a bit each.
  public static long within(short[] sums, int offset, int limit) {
    long within = 0;
    for (int lane = 0; lane < BLOCK; lane++) {
      within |= (sums[offset + lane] & 0xffff) <= limit ? 1L << lane : 0;
    }
    return within;
  }

  /// Returns which of 64 boxes have `Σ_i max(low_i − q_i, q_i − high_i, 0)² ≤ limit`, a bit each.
  ///
  /// The square of the distance to a box is never above that to a point in it. Every 8 dimensions
  /// the answer is 0 as soon as every sum so far is above the limit.
  ///
  /// @param low dimension-major, `[dims, 64]`, and so is `high`
  /// @param query as [#widen] gives it
  /// @param sums receives the 64 sums, whole or as far as they were added
  public static long scanBoxes(
      byte[] low, byte[] high, short[] query, byte[] order, int limit, short[] sums) {
    return KERNEL.scanBoxes(low, high, query, order, Math.min(limit, SATURATED), sums);
  }

  /// Writes `Σ (z_i − q_i)²` of codes from 0 to 255, exactly, for some of 64 rows.
  ///
  /// @param rows row `lane` begins at `offset + lane·length`
  /// @param length of a row, at most 33,000
  /// @param lanes the rows, a bit each
  /// @param sums `[64]`, receives the sums of these rows
  public static void rowSquares(
      byte[] rows, int offset, int length, long lanes, byte[] query, int[] sums) {
    KERNEL.rowSquares(rows, offset, length, lanes, query, sums);
  }

  /// Writes `⟨x, p_k⟩` for the rows `p_k` of `directions`, in float32.
  ///
  /// Term `i` is added to partial sum `i mod 16`, and the 16 are added in order: no term goes
  /// through more than `⌈D/16⌉ + 17` roundings.
  ///
  /// @param x `[D]`
  /// @param directions `[count, D]`
  /// @param into receives `count` values from `intoOffset`
  public static void project(
      float[] x, float[] directions, int count, float[] into, int intoOffset) {
    KERNEL.project(x, directions, count, into, intoOffset);
  }
}
