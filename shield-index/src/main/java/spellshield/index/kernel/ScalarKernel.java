package spellshield.index.kernel;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The formulas as they read, for a JVM without the Vector API; C2 vectorises the inner loops.
final class ScalarKernel implements Kernel {
  private static final ThreadLocal<@Nullable Pairs> LAST = new ThreadLocal<>();

  /// What pairs of dimensions add, by a table that does not change.
  private record Pairs(byte[] table, int dim, int[] sums) {}

  @Override
  public double dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
    double[] sums = new double[WAYS];
    for (int i = 0; i < length; i += WAYS) {
      int end = Math.min(WAYS, length - i);
      for (int way = 0; way < end; way++) {
        sums[way] += (double) a[aOffset + i + way] * (double) b[bOffset + i + way];
      }
    }
    return Kernel.total(sums);
  }

  @Override
  public double distanceSquared(float[] a, int aOffset, float[] b, int bOffset, int length) {
    double[] sums = new double[WAYS];
    for (int i = 0; i < length; i += WAYS) {
      int end = Math.min(WAYS, length - i);
      for (int way = 0; way < end; way++) {
        double difference = (double) a[aOffset + i + way] - (double) b[bOffset + i + way];
        sums[way] += difference * difference;
      }
    }
    return Kernel.total(sums);
  }

  @Override
  public long scanChunk(
      byte[] cells,
      int offset,
      long blocks,
      byte[] table,
      int dim,
      int shift,
      boolean first,
      int bar,
      byte[] sums) {
    if (first) {
      Arrays.fill(sums, (byte) 0);
    }
    int[] pairs = pairs(table, dim);
    long left = 0;
    for (long rest = blocks; rest != 0; rest &= rest - 1) {
      int block = Long.numberOfTrailingZeros(rest);
      int at = offset + block * LINES * BLOCK;
      boolean any = false;
      for (int lane = 0; lane < BLOCK; lane++) {
        int chunk = 0;
        for (int line = 0; line < LINES; line++) {
          chunk += pairs[line * 256 + (cells[at + line * BLOCK + lane] & 0xff)];
        }
        int before = sums[block * BLOCK + lane] & 0xff;
        int sum = Math.min(before + (Math.min(chunk, 0xff) >>> shift), 0xff);
        sums[block * BLOCK + lane] = (byte) sum;
        any |= sum <= bar;
      }
      left |= any ? rest & -rest : 0;
    }
    return left;
  }

  /// What both dimensions of a byte add, for every byte of the four lines of a chunk.
  ///
  /// A scan takes one chunk of many groups after the other; making this takes as long as scanning
  /// four blocks, so the last one of the thread is kept.
  @SuppressWarnings("ReferenceEquality") // equal tables elsewhere are no reason to compare them
  private static int[] pairs(byte[] table, int dim) {
    Pairs known = LAST.get();
    if (known != null && known.table == table && known.dim == dim) {
      return known.sums;
    }
    int[] sums = new int[LINES * 256];
    for (int i = 0; i < sums.length; i++) {
      int row = (dim + 2 * (i / 256)) * BLOCK;
      sums[i] = (table[row + i % 16] & 0xff) + (table[row + BLOCK + i % 256 / 16] & 0xff);
    }
    LAST.set(new Pairs(table, dim, sums));
    return sums;
  }

  @Override
  public long within(byte[] sums, int offset, int bar) {
    long within = 0;
    for (int lane = 0; lane < BLOCK; lane++) {
      within |= (sums[offset + lane] & 0xff) <= bar ? 1L << lane : 0;
    }
    return within;
  }

  @Override
  public void project(float[] x, int rows, int dim, float[] directions, int count, float[] into) {
    float[] sums = new float[WAYS];
    for (int k = 0; k < count; k++) {
      for (int row = 0; row < rows; row++) {
        Arrays.fill(sums, 0);
        for (int i = 0; i < dim; i += WAYS) {
          int end = Math.min(WAYS, dim - i);
          for (int way = 0; way < end; way++) {
            sums[way] += x[row * dim + i + way] * directions[k * dim + i + way];
          }
        }
        into[row * count + k] = Kernel.total(sums);
      }
    }
  }
}
