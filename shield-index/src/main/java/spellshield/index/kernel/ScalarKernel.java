package spellshield.index.kernel;

import java.util.Arrays;

/// The formulas as they read, for a JVM without the Vector API; C2 vectorises the inner loops.
final class ScalarKernel implements Kernel {

  @Override
  public double dot(double[] a, float[] b, int bOffset, int length) {
    double[] sums = new double[WAYS];
    for (int i = 0; i < length; i += WAYS) {
      int end = Math.min(WAYS, length - i);
      for (int way = 0; way < end; way++) {
        sums[way] += a[i + way] * b[bOffset + i + way];
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
  public int scanBlock(
      float[] block, int offset, float[] query, int dims, float limit, float[] sums) {
    Arrays.fill(sums, 0, BLOCK, 0f);
    for (int from = 0; from < dims; from += STRIDE) {
      int to = Math.min(dims, from + STRIDE);
      for (int dim = from; dim < to; dim++) {
        float coordinate = query[dim];
        int row = offset + dim * BLOCK;
        for (int lane = 0; lane < BLOCK; lane++) {
          float difference = block[row + lane] - coordinate;
          sums[lane] += difference * difference;
        }
      }
      boolean allOutside = true;
      for (int lane = 0; lane < BLOCK; lane++) {
        allOutside &= sums[lane] > limit;
      }
      if (allOutside) {
        return to;
      }
    }
    return dims;
  }
}
