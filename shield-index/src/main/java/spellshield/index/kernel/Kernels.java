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

  private Kernels() {}

  /// Returns whether the Vector API does the work.
  public static boolean isVector() {
    return VECTOR;
  }

  /// Returns `Σ a_i·b_i` in float64: term `i` goes to partial sum `i mod 16`, which are added in
  /// order.
  public static double dot(double[] a, float[] b, int bOffset, int length) {
    return KERNEL.dot(a, b, bOffset, length);
  }

  /// Returns `Σ (a_i − b_i)²` in float64, in the order of [#dot].
  static double distanceSquared(float[] a, int aOffset, float[] b, int bOffset, int length) {
    return KERNEL.distanceSquared(a, aOffset, b, bOffset, length);
  }

  /// Adds up `Σ (z_d − q_d)²` for the 64 items of a block, dimension after dimension, in float32.
  ///
  /// Stops after a multiple of 8 dimensions when every sum is above `limit`; the sums left behind
  /// are then lower bounds of the whole ones. A NaN is never above the limit.
  ///
  /// @param block coordinates, dimension-major: item `lane` has `block[offset + dim·64 + lane]`
  /// @param query the query's coordinates
  /// @param dims the number of coordinates
  /// @param sums receives 64 sums
  /// @return the number of dimensions added up
  public static int scanBlock(
      float[] block, int offset, float[] query, int dims, float limit, float[] sums) {
    return KERNEL.scanBlock(block, offset, query, dims, limit, sums);
  }
}
