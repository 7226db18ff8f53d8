package spellshield.index.kernel;

import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
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

  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;

  /// As many bytes as a vector has shorts.
  private static final VectorSpecies<Byte> HALF_BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(SHORTS.vectorBitSize() / 2));

  private static final int F = FLOATS.length();
  private static final int S = SHORTS.length();
  private static final int D = DOUBLES.length();

  @Override
  public double dot(float[] a, int aOffset, float[] b, int bOffset, int length) {
    double[] sums = new double[WAYS];
    int even = length - length % WAYS;
    // Two accumulators hide the latency of the addition; narrower vectors take more passes.
    for (int way = 0; way < WAYS; way += 2 * D) {
      DoubleVector sum0 = DoubleVector.zero(DOUBLES);
      DoubleVector sum1 = DoubleVector.zero(DOUBLES);
      for (int i = way; i < even; i += WAYS) {
        sum0 = sum0.add(widen(a, aOffset + i).mul(widen(b, bOffset + i)));
        sum1 = sum1.add(widen(a, aOffset + i + D).mul(widen(b, bOffset + i + D)));
      }
      sum0.intoArray(sums, way);
      sum1.intoArray(sums, way + D);
    }
    for (int i = even; i < length; i++) {
      sums[i - even] += (double) a[aOffset + i] * (double) b[bOffset + i];
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

  // About the form of the three scans of codes. C2 must neither inline them into the search nor
  // stop inlining inside of them: in both cases vectors go to the heap, at five times the cost.
  // So each is longer than 325 bytes of code (FreqInlineSize), calls no helper of ours, and has
  // few enough operations to stay under C2's limit of nodes: eight conversions are too many.
  // KernelTest counts the bytes.

  @Override
  public long scanChunk(
      byte[] codes,
      int offset,
      long blocks,
      short[] query,
      int dim,
      boolean first,
      int limit,
      short[] sums) {
    if (first) {
      Arrays.fill(sums, (short) 0);
    }
    ShortVector bar = ShortVector.broadcast(SHORTS, (short) limit);
    // Four dimensions without a loop: their codes stay in registers for all blocks.
    ShortVector q0 = ShortVector.fromArray(SHORTS, query, (dim + 0) * LANES);
    ShortVector q1 = ShortVector.fromArray(SHORTS, query, (dim + 1) * LANES);
    ShortVector q2 = ShortVector.fromArray(SHORTS, query, (dim + 2) * LANES);
    ShortVector q3 = ShortVector.fromArray(SHORTS, query, (dim + 3) * LANES);
    long left = 0;
    for (long rest = blocks; rest != 0; rest &= rest - 1) {
      int block = Long.numberOfTrailingZeros(rest);
      int at = offset + block * (STRIDE * BLOCK);
      long inside = 0;
      for (int lane = 0; lane < BLOCK; lane += S) {
        ShortVector sum = ShortVector.fromArray(SHORTS, sums, block * BLOCK + lane);
        // 255² fits 16 bits without a sign; the sum stops at 65,535 instead of wrapping.
        ShortVector d0 =
            ((ShortVector)
                    ByteVector.fromArray(HALF_BYTES, codes, at + lane)
                        .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
                .sub(q0);
        sum = sum.lanewise(VectorOperators.SUADD, d0.mul(d0));
        ShortVector d1 =
            ((ShortVector)
                    ByteVector.fromArray(HALF_BYTES, codes, at + lane + 1 * BLOCK)
                        .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
                .sub(q1);
        sum = sum.lanewise(VectorOperators.SUADD, d1.mul(d1));
        ShortVector d2 =
            ((ShortVector)
                    ByteVector.fromArray(HALF_BYTES, codes, at + lane + 2 * BLOCK)
                        .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
                .sub(q2);
        sum = sum.lanewise(VectorOperators.SUADD, d2.mul(d2));
        ShortVector d3 =
            ((ShortVector)
                    ByteVector.fromArray(HALF_BYTES, codes, at + lane + 3 * BLOCK)
                        .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
                .sub(q3);
        sum = sum.lanewise(VectorOperators.SUADD, d3.mul(d3));
        sum.intoArray(sums, block * BLOCK + lane);
        inside |= sum.compare(VectorOperators.ULE, bar).toLong();
      }
      // No branch: whether a block falls is as good as chance to the processor.
      left |= (inside | -inside) >>> 63 << block;
    }
    return left;
  }

  @Override
  public long scanBoxes(
      byte[] low, byte[] high, short[] query, byte[] order, int limit, short[] sums) {
    Arrays.fill(sums, (short) 0);
    ShortVector bar = ShortVector.broadcast(SHORTS, (short) limit);
    ShortVector zero = ShortVector.zero(SHORTS);
    long inside = -1L;
    for (int from = 0; from < order.length; from += STRIDE) {
      inside = 0;
      for (int lane = 0; lane < BLOCK; lane += S) {
        ShortVector sum = ShortVector.fromArray(SHORTS, sums, lane);
        for (int i = from; i < from + STRIDE; i += 2) {
          int at0 = order[i + 0] * BLOCK + lane;
          ShortVector code0 = ShortVector.fromArray(SHORTS, query, order[i + 0] * LANES);
          ShortVector under0 =
              ((ShortVector)
                      ByteVector.fromArray(HALF_BYTES, low, at0)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
                  .sub(code0);
          ShortVector over0 =
              code0.sub(
                  (ShortVector)
                      ByteVector.fromArray(HALF_BYTES, high, at0)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
          ShortVector difference0 = under0.max(over0).max(zero);
          sum = sum.lanewise(VectorOperators.SUADD, difference0.mul(difference0));
          int at1 = order[i + 1] * BLOCK + lane;
          ShortVector code1 = ShortVector.fromArray(SHORTS, query, order[i + 1] * LANES);
          ShortVector under1 =
              ((ShortVector)
                      ByteVector.fromArray(HALF_BYTES, low, at1)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
                  .sub(code1);
          ShortVector over1 =
              code1.sub(
                  (ShortVector)
                      ByteVector.fromArray(HALF_BYTES, high, at1)
                          .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
          ShortVector difference1 = under1.max(over1).max(zero);
          sum = sum.lanewise(VectorOperators.SUADD, difference1.mul(difference1));
        }
        sum.intoArray(sums, lane);
        inside |= sum.compare(VectorOperators.ULE, bar).toLong() << lane;
      }
      if (inside == 0) {
        return 0;
      }
    }
    return inside;
  }

  @Override
  public void rowSquares(
      byte[] rows, int offset, int length, long lanes, byte[] query, int[] sums) {
    int even = length - length % (2 * S);
    for (long rest = lanes; rest != 0; rest &= rest - 1) {
      int lane = Long.numberOfTrailingZeros(rest);
      int row = offset + lane * length;
      IntVector squares0 = IntVector.zero(INTS);
      IntVector squares1 = IntVector.zero(INTS);
      for (int i = 0; i < even; i += 2 * S) {
        ShortVector difference0 =
            ((ShortVector)
                    ByteVector.fromArray(HALF_BYTES, rows, row + i)
                        .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
                .sub(
                    (ShortVector)
                        ByteVector.fromArray(HALF_BYTES, query, i)
                            .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
        // Two squares of 16 bits without a sign in each int.
        IntVector two0 = difference0.mul(difference0).reinterpretAsInts();
        squares0 = squares0.add(two0.and(0xffff)).add(two0.lanewise(VectorOperators.LSHR, 16));
        ShortVector difference1 =
            ((ShortVector)
                    ByteVector.fromArray(HALF_BYTES, rows, row + i + S)
                        .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0))
                .sub(
                    (ShortVector)
                        ByteVector.fromArray(HALF_BYTES, query, i + S)
                            .convertShape(VectorOperators.ZERO_EXTEND_B2S, SHORTS, 0));
        // Two squares of 16 bits without a sign in each int.
        IntVector two1 = difference1.mul(difference1).reinterpretAsInts();
        squares1 = squares1.add(two1.and(0xffff)).add(two1.lanewise(VectorOperators.LSHR, 16));
      }
      // Whole numbers: any order of adding is the same.
      int sum = squares0.add(squares1).reduceLanes(VectorOperators.ADD);
      for (int i = even; i < length; i++) {
        int difference = (rows[row + i] & 0xff) - (query[i] & 0xff);
        sum += difference * difference;
      }
      sums[lane] = sum;
    }
  }

  @Override
  public void project(float[] x, float[] directions, int count, float[] into, int intoOffset) {
    int even = x.length - x.length % WAYS;
    float[] sums = new float[WAYS];
    int k = 0;
    for (; k + 4 <= count; k += 4) {
      int row = k * x.length;
      projectFour(x, directions, row, even, into, intoOffset + k);
    }
    for (; k < count; k++) {
      int row = k * x.length;
      for (int way = 0; way < WAYS; way += F) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = way; i < even; i += WAYS) {
          sum =
              sum.add(
                  FloatVector.fromArray(FLOATS, x, i)
                      .mul(FloatVector.fromArray(FLOATS, directions, row + i)));
        }
        sum.intoArray(sums, way);
      }
      into[intoOffset + k] = finish(x, directions, row, even, sums);
    }
  }

  /// Four directions at once: four independent chains of additions, and x is loaded once for all.
  private static void projectFour(
      float[] x, float[] directions, int row, int even, float[] into, int intoOffset) {
    int d = x.length;
    float[][] sums = new float[4][WAYS];
    for (int way = 0; way < WAYS; way += F) {
      FloatVector sum0 = FloatVector.zero(FLOATS);
      FloatVector sum1 = FloatVector.zero(FLOATS);
      FloatVector sum2 = FloatVector.zero(FLOATS);
      FloatVector sum3 = FloatVector.zero(FLOATS);
      for (int i = way; i < even; i += WAYS) {
        FloatVector value = FloatVector.fromArray(FLOATS, x, i);
        int at = row + i;
        sum0 = sum0.add(value.mul(FloatVector.fromArray(FLOATS, directions, at)));
        sum1 = sum1.add(value.mul(FloatVector.fromArray(FLOATS, directions, at + d)));
        sum2 = sum2.add(value.mul(FloatVector.fromArray(FLOATS, directions, at + 2 * d)));
        sum3 = sum3.add(value.mul(FloatVector.fromArray(FLOATS, directions, at + 3 * d)));
      }
      sum0.intoArray(sums[0], way);
      sum1.intoArray(sums[1], way);
      sum2.intoArray(sums[2], way);
      sum3.intoArray(sums[3], way);
    }
    for (int k = 0; k < 4; k++) {
      into[intoOffset + k] = finish(x, directions, row + k * d, even, sums[k]);
    }
  }

  private static float finish(float[] x, float[] directions, int row, int even, float[] sums) {
    for (int i = even; i < x.length; i++) {
      sums[i - even] += x[i] * directions[row + i];
    }
    return Kernel.total(sums);
  }
}
