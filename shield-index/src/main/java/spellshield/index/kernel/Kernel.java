package spellshield.index.kernel;

/// What the vector and the scalar body must both offer, with equal bits.
interface Kernel {

  /// The number of items of one block of the scan: 4 vectors of 512 bits.
  int BLOCK = 64;

  /// After so many dimensions the scan looks whether a block can still hold anything.
  int STRIDE = 8;

  /// The number of partial sums of a float64 sum; term `i` goes to partial sum `i mod 16`.
  int WAYS = 16;

  double dot(double[] a, float[] b, int bOffset, int length);

  double distanceSquared(float[] a, int aOffset, float[] b, int bOffset, int length);

  int scanBlock(float[] block, int offset, float[] query, int dims, float limit, float[] sums);

  /// Adds the partial sums in the order of their numbers: the one order that the format fixes.
  static double total(double[] partialSums) {
    double total = 0;
    for (double partial : partialSums) {
      total += partial;
    }
    return total;
  }
}
