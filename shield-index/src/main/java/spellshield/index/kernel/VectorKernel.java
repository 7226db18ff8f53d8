package spellshield.index.kernel;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// The same sums as [ScalarKernel], lane by lane, with the Vector API.
///
/// A lane only ever holds one item (scan) or one numbered partial sum (distances), so the width of
/// the machine's vectors decides how many lanes go at once, never what is added to what.
final class VectorKernel implements Kernel {
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Double> DOUBLES = DoubleVector.SPECIES_PREFERRED;

  /// As many floats as a vector of doubles has lanes; 64 bits is the smallest shape there is.
  private static final VectorSpecies<Float> HALF =
      VectorSpecies.of(float.class, VectorShape.forBitSize(DOUBLES.vectorBitSize() / 2));

  private static final int F = FLOATS.length();
  private static final int D = DOUBLES.length();

  @Override
  public double dot(double[] a, float[] b, int bOffset, int length) {
    double[] sums = new double[WAYS];
    int even = length - length % WAYS;
    // Two accumulators hide the latency of the addition; narrower vectors take more passes.
    for (int way = 0; way < WAYS; way += 2 * D) {
      DoubleVector sum0 = DoubleVector.zero(DOUBLES);
      DoubleVector sum1 = DoubleVector.zero(DOUBLES);
      for (int i = way; i < even; i += WAYS) {
        DoubleVector a0 = DoubleVector.fromArray(DOUBLES, a, i);
        DoubleVector a1 = DoubleVector.fromArray(DOUBLES, a, i + D);
        sum0 = sum0.add(a0.mul(widen(b, bOffset + i)));
        sum1 = sum1.add(a1.mul(widen(b, bOffset + i + D)));
      }
      sum0.intoArray(sums, way);
      sum1.intoArray(sums, way + D);
    }
    for (int i = even; i < length; i++) {
      sums[i - even] += a[i] * b[bOffset + i];
    }
    return Kernel.total(sums);
  }

  @Override
  public double distanceSquared(float[] a, int aOffset, float[] b, int bOffset, int length) {
    double[] sums = new double[WAYS];
    int even = length - length % WAYS;
    for (int way = 0; way < WAYS; way += 2 * D) {
      DoubleVector sum0 = DoubleVector.zero(DOUBLES);
      DoubleVector sum1 = DoubleVector.zero(DOUBLES);
      for (int i = way; i < even; i += WAYS) {
        DoubleVector d0 = widen(a, aOffset + i).sub(widen(b, bOffset + i));
        DoubleVector d1 = widen(a, aOffset + i + D).sub(widen(b, bOffset + i + D));
        sum0 = sum0.add(d0.mul(d0));
        sum1 = sum1.add(d1.mul(d1));
      }
      sum0.intoArray(sums, way);
      sum1.intoArray(sums, way + D);
    }
    for (int i = even; i < length; i++) {
      double difference = (double) a[aOffset + i] - (double) b[bOffset + i];
      sums[i - even] += difference * difference;
    }
    return Kernel.total(sums);
  }

  private static DoubleVector widen(float[] values, int offset) {
    return (DoubleVector)
        FloatVector.fromArray(HALF, values, offset).convertShape(VectorOperators.F2D, DOUBLES, 0);
  }

  @Override
  public int scanBlock(
      float[] block, int offset, float[] query, int dims, float limit, float[] sums) {
    FloatVector zero = FloatVector.zero(FLOATS);
    for (int lane = 0; lane < BLOCK; lane += F) {
      zero.intoArray(sums, lane);
    }
    for (int from = 0; from < dims; from += STRIDE) {
      int to = Math.min(dims, from + STRIDE);
      boolean allOutside = true;
      // Four accumulators: the whole block at 512 bits, half of it at 256. The early exit looks at
      // the
      // whole block on every machine, so that the partial sums left behind have the same bits.
      for (int lane = 0; lane < BLOCK; lane += 4 * F) {
        FloatVector sum0 = FloatVector.fromArray(FLOATS, sums, lane);
        FloatVector sum1 = FloatVector.fromArray(FLOATS, sums, lane + F);
        FloatVector sum2 = FloatVector.fromArray(FLOATS, sums, lane + 2 * F);
        FloatVector sum3 = FloatVector.fromArray(FLOATS, sums, lane + 3 * F);
        for (int dim = from; dim < to; dim++) {
          FloatVector coordinate = FloatVector.broadcast(FLOATS, query[dim]);
          int at = offset + dim * BLOCK + lane;
          FloatVector d0 = FloatVector.fromArray(FLOATS, block, at).sub(coordinate);
          FloatVector d1 = FloatVector.fromArray(FLOATS, block, at + F).sub(coordinate);
          FloatVector d2 = FloatVector.fromArray(FLOATS, block, at + 2 * F).sub(coordinate);
          FloatVector d3 = FloatVector.fromArray(FLOATS, block, at + 3 * F).sub(coordinate);
          sum0 = sum0.add(d0.mul(d0));
          sum1 = sum1.add(d1.mul(d1));
          sum2 = sum2.add(d2.mul(d2));
          sum3 = sum3.add(d3.mul(d3));
        }
        sum0.intoArray(sums, lane);
        sum1.intoArray(sums, lane + F);
        sum2.intoArray(sums, lane + 2 * F);
        sum3.intoArray(sums, lane + 3 * F);
        VectorMask<Float> outside =
            sum0.compare(VectorOperators.GT, limit)
                .and(sum1.compare(VectorOperators.GT, limit))
                .and(sum2.compare(VectorOperators.GT, limit))
                .and(sum3.compare(VectorOperators.GT, limit));
        allOutside &= outside.allTrue();
      }
      if (allOutside) {
        return to;
      }
    }
    return dims;
  }
}
