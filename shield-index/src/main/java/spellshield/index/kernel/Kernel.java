package spellshield.index.kernel;

/// What the vector and the scalar body must both offer, with equal bits.
interface Kernel {

  /// The number of items of one block of the scan: the bits of a long, two vectors of 512 bits.
  int BLOCK = 64;

  /// The number of lines of a chunk: 64 bytes, one an item, with a cell of one dimension in the low
  /// four bits and of the next in the high ones. After a chunk a scan looks whether a block can
  /// still hold anything.
  int LINES = 4;

  /// The number of dimensions of a chunk.
  int CHUNK = 2 * LINES;

  /// Where the sums of quarters of cells stop.
  int MOST_OF_QUARTERS = 0xffff;

  /// The number of partial sums of a float64 sum; term `i` goes to partial sum `i mod 16`.
  int WAYS = 16;

  double dot(float[] a, int aOffset, float[] b, int bOffset, int length);

  double distanceSquared(float[] a, int aOffset, float[] b, int bOffset, int length);

  long scanChunk(
      byte[] cells,
      int offset,
      long blocks,
      byte[] table,
      int dim,
      int shift,
      boolean first,
      int bar,
      byte[] sums);

  /// Item by item; a processor that looks up bytes among 64 does better.
  default long scanQuarters(
      byte[] cells,
      int offset,
      int chunkBytes,
      byte[] parts,
      int partsOffset,
      byte[] chunks,
      byte[] table,
      long items,
      int bar) {
    long left = items;
    for (long rest = items; rest != 0; rest &= rest - 1) {
      int lane = Long.numberOfTrailingZeros(rest);
      int sum = 0;
      for (int step = 0; step < chunks.length && sum <= bar; step++) {
        int chunk = chunks[step];
        for (int line = 0; line < LINES; line++) {
          int cell = cells[offset + chunk * chunkBytes + line * BLOCK + lane];
          int part = parts[partsOffset + (chunk * LINES + line) * BLOCK + lane];
          int row = (chunk * CHUNK + 2 * line) * BLOCK;
          int even = table[row + ((cell << 2 & 0x3c) | (part >>> 2 & 3))] & 0xff;
          int odd = table[row + BLOCK + ((cell >>> 2 & 0x3c) | (part >>> 6 & 3))] & 0xff;
          sum += Math.min(even + odd, 0xff);
        }
      }
      left &= Math.min(sum, MOST_OF_QUARTERS) <= bar ? -1L : ~(1L << lane);
    }
    return left;
  }

  long within(byte[] sums, int offset, int bar);

  void project(float[] x, int rows, int dim, float[] directions, int count, float[] into);

  /// Adds the partial sums in the order of their numbers: the one order that the format fixes.
  static float total(float[] partialSums) {
    float total = 0;
    for (float partial : partialSums) {
      total += partial;
    }
    return total;
  }

  /// Adds the partial sums in the order of their numbers: the one order that the format fixes.
  static double total(double[] partialSums) {
    double total = 0;
    for (double partial : partialSums) {
      total += partial;
    }
    return total;
  }
}
