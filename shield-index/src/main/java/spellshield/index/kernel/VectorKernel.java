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

  /// Vectors that look up bytes in a table of 64, or of 16 (`pshufb` and its like).
  private static final VectorSpecies<Byte> TABLES =
      FLOATS.vectorBitSize() == 512 && Processor.looksUpIn64()
          ? ByteVector.SPECIES_512
          : ByteVector.SPECIES_128;

  /// So many dimensions of four directions are half of a core's first cache, of 32 KiB.
  private static final int PART = 1024;

  /// `[256, 64]`: every byte, 64 times. What is loaded from here stays in a register; a broadcast
  /// is made again for every block.
  private static final byte[] REPEATED = new byte[256 * BLOCK];

  static {
    for (int i = 0; i < REPEATED.length; i++) {
      REPEATED[i] = (byte) (i / BLOCK);
    }
  }

  private static final VectorSpecies<Short> SUMS = TABLES.withLanes(short.class);

  /// Every other bit.
  private static final long EVENS = 0x5555_5555_5555_5555L;

  private static final int T = TABLES.length();
  private static final int F = FLOATS.length();
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

  // About the form of the scan. C2 must neither inline it into the search nor stop inlining inside
  // of it: in both cases vectors go to the heap, at five times the cost. So it is longer than 325
  // bytes of code (FreqInlineSize), calls no helper of ours, and has few enough operations to stay
  // under C2's limit of nodes. KernelTest counts the bytes.

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
    ByteVector most = ByteVector.fromArray(TABLES, REPEATED, bar * BLOCK);
    ByteVector kept = ByteVector.fromArray(TABLES, REPEATED, (0xff >>> shift) * BLOCK);
    // Eight dimensions without a loop: their tables stay in registers for all blocks.
    int row = dim * BLOCK;
    ByteVector t0 = ByteVector.fromArray(TABLES, table, row);
    ByteVector t1 = ByteVector.fromArray(TABLES, table, row + 1 * BLOCK);
    ByteVector t2 = ByteVector.fromArray(TABLES, table, row + 2 * BLOCK);
    ByteVector t3 = ByteVector.fromArray(TABLES, table, row + 3 * BLOCK);
    ByteVector t4 = ByteVector.fromArray(TABLES, table, row + 4 * BLOCK);
    ByteVector t5 = ByteVector.fromArray(TABLES, table, row + 5 * BLOCK);
    ByteVector t6 = ByteVector.fromArray(TABLES, table, row + 6 * BLOCK);
    ByteVector t7 = ByteVector.fromArray(TABLES, table, row + 7 * BLOCK);
    long left = 0;
    for (long rest = blocks; rest != 0; rest &= rest - 1) {
      int block = Long.numberOfTrailingZeros(rest);
      int at = offset + block * (LINES * BLOCK);
      long inside = 0;
      for (int lane = 0; lane < BLOCK; lane += T) {
        ByteVector even0 = ByteVector.fromArray(TABLES, cells, at + lane);
        ByteVector even1 = ByteVector.fromArray(TABLES, cells, at + lane + 1 * BLOCK);
        ByteVector even2 = ByteVector.fromArray(TABLES, cells, at + lane + 2 * BLOCK);
        ByteVector even3 = ByteVector.fromArray(TABLES, cells, at + lane + 3 * BLOCK);
        // There is no shift of bytes; of the upper bits, those of the next byte or cell, a look-up
        // takes no more than tables have entries for: none of 16, two of 64, which repeat.
        ByteVector odd0 =
            even0.reinterpretAsInts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
        ByteVector odd1 =
            even1.reinterpretAsInts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
        ByteVector odd2 =
            even2.reinterpretAsInts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
        ByteVector odd3 =
            even3.reinterpretAsInts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
        ByteVector sum0 = even0.selectFrom(t0).lanewise(VectorOperators.SUADD, odd0.selectFrom(t1));
        ByteVector sum1 = even1.selectFrom(t2).lanewise(VectorOperators.SUADD, odd1.selectFrom(t3));
        ByteVector sum2 = even2.selectFrom(t4).lanewise(VectorOperators.SUADD, odd2.selectFrom(t5));
        ByteVector sum3 = even3.selectFrom(t6).lanewise(VectorOperators.SUADD, odd3.selectFrom(t7));
        ByteVector chunk =
            sum0.lanewise(VectorOperators.SUADD, sum1)
                .lanewise(VectorOperators.SUADD, sum2.lanewise(VectorOperators.SUADD, sum3));
        ByteVector share =
            chunk
                .reinterpretAsShorts()
                .lanewise(VectorOperators.LSHR, shift)
                .reinterpretAsBytes()
                .and(kept);
        ByteVector sum =
            ByteVector.fromArray(TABLES, sums, block * BLOCK + lane)
                .lanewise(VectorOperators.SUADD, share);
        sum.intoArray(sums, block * BLOCK + lane);
        inside |= sum.compare(VectorOperators.ULE, most).toLong();
      }
      // No branch: whether a block falls is as good as chance to the processor.
      left |= (inside | -inside) >>> 63 << block;
    }
    return left;
  }

  @Override
  public long scanQuarters(
      byte[] cells,
      int offset,
      int chunkBytes,
      byte[] parts,
      int partsOffset,
      byte[] chunks,
      byte[] table,
      long items,
      int bar) {
    if (T < BLOCK) {
      return Kernel.super.scanQuarters(
          cells, offset, chunkBytes, parts, partsOffset, chunks, table, items, bar);
    }
    // All lines are touched before any is needed, so that their ways from memory overlap.
    int touched = 0;
    for (int chunk = 0; chunk < chunks.length; chunk++) {
      for (int line = 0; line < LINES; line++) {
        touched += cells[offset + chunk * chunkBytes + line * BLOCK];
        touched += parts[partsOffset + (chunk * LINES + line) * BLOCK];
      }
    }
    ByteVector upper = ByteVector.fromArray(TABLES, REPEATED, 0xfc * BLOCK);
    ByteVector lower = ByteVector.fromArray(TABLES, REPEATED, 0x03 * BLOCK);
    // Sums that went around the loop in vectors would be boxed at the JIT's whim.
    short[] sums = new short[BLOCK];
    long left = touched == Integer.MIN_VALUE ? 0 : items; // never, but the JIT does not know it
    for (int half = 0; half < 2 * chunks.length && left != 0; half++) {
      int chunk = chunks[half / 2];
      int line = half % 2 * 2;
      int at = offset + chunk * chunkBytes + line * BLOCK;
      int partsAt = partsOffset + (chunk * LINES + line) * BLOCK;
      int row = (chunk * CHUNK + 2 * line) * BLOCK;
      IntVector cell0 = ByteVector.fromArray(TABLES, cells, at).reinterpretAsInts();
      IntVector cell1 = ByteVector.fromArray(TABLES, cells, at + BLOCK).reinterpretAsInts();
      IntVector part0 = ByteVector.fromArray(TABLES, parts, partsAt).reinterpretAsInts();
      IntVector part1 = ByteVector.fromArray(TABLES, parts, partsAt + BLOCK).reinterpretAsInts();
      // Four bits of the cell, the upper two of its part; two more bits are not looked at.
      ByteVector even0 =
          cell0
              .lanewise(VectorOperators.LSHL, 2)
              .reinterpretAsBytes()
              .and(upper)
              .or(part0.lanewise(VectorOperators.LSHR, 2).reinterpretAsBytes().and(lower));
      ByteVector odd0 =
          cell0
              .lanewise(VectorOperators.LSHR, 2)
              .reinterpretAsBytes()
              .and(upper)
              .or(part0.lanewise(VectorOperators.LSHR, 6).reinterpretAsBytes().and(lower));
      ByteVector even1 =
          cell1
              .lanewise(VectorOperators.LSHL, 2)
              .reinterpretAsBytes()
              .and(upper)
              .or(part1.lanewise(VectorOperators.LSHR, 2).reinterpretAsBytes().and(lower));
      ByteVector odd1 =
          cell1
              .lanewise(VectorOperators.LSHR, 2)
              .reinterpretAsBytes()
              .and(upper)
              .or(part1.lanewise(VectorOperators.LSHR, 6).reinterpretAsBytes().and(lower));
      ShortVector both0 =
          even0
              .selectFrom(ByteVector.fromArray(TABLES, table, row))
              .lanewise(
                  VectorOperators.SUADD,
                  odd0.selectFrom(ByteVector.fromArray(TABLES, table, row + BLOCK)))
              .reinterpretAsShorts();
      ShortVector both1 =
          even1
              .selectFrom(ByteVector.fromArray(TABLES, table, row + 2 * BLOCK))
              .lanewise(
                  VectorOperators.SUADD,
                  odd1.selectFrom(ByteVector.fromArray(TABLES, table, row + 3 * BLOCK)))
              .reinterpretAsShorts();
      ShortVector evens =
          both0
              .and((short) 0xff)
              .add(both1.and((short) 0xff))
              .lanewise(VectorOperators.SUADD, ShortVector.fromArray(SUMS, sums, 0));
      ShortVector odds =
          both0
              .lanewise(VectorOperators.LSHR, 8)
              .add(both1.lanewise(VectorOperators.LSHR, 8))
              .lanewise(VectorOperators.SUADD, ShortVector.fromArray(SUMS, sums, BLOCK / 2));
      evens.intoArray(sums, 0);
      odds.intoArray(sums, BLOCK / 2);
      long evenWithin = evens.compare(VectorOperators.ULE, (short) bar).toLong();
      long oddWithin = odds.compare(VectorOperators.ULE, (short) bar).toLong();
      left &= Long.expand(evenWithin, EVENS) | Long.expand(oddWithin, ~EVENS);
    }
    return left;
  }

  @Override
  public long within(byte[] sums, int offset, int bar) {
    ByteVector most = ByteVector.broadcast(TABLES, (byte) bar);
    long within = 0;
    for (int lane = 0; lane < BLOCK; lane += T) {
      ByteVector some = ByteVector.fromArray(TABLES, sums, offset + lane);
      within |= some.compare(VectorOperators.ULE, most).toLong() << lane;
    }
    return within;
  }

  /// A part of the dimensions at a time, so that a part of four directions stays in the nearest
  /// cache for all rows: directions are larger than the next one, and would be read for each row.
  @Override
  public void project(float[] x, int rows, int dim, float[] directions, int count, float[] into) {
    int even = dim - dim % WAYS;
    float[] sums = new float[rows * count * WAYS];
    int part = rows == 1 ? Math.max(1, even) : PART; // read once, best from end to end
    for (int from = 0; from < even; from += part) {
      int length = Math.min(part, even - from);
      int k = 0;
      for (; k + 4 <= count; k += 4) {
        for (int row = 0; row < rows; row++) {
          int at = (row * count + k) * WAYS;
          addFour(x, row * dim + from, directions, k * dim + from, dim, length, sums, at);
        }
      }
      for (; k < count; k++) {
        for (int row = 0; row < rows; row++) {
          int at = (row * count + k) * WAYS;
          addOne(x, row * dim + from, directions, k * dim + from, length, sums, at);
        }
      }
    }
    float[] own = new float[WAYS];
    for (int row = 0; row < rows; row++) {
      for (int k = 0; k < count; k++) {
        System.arraycopy(sums, (row * count + k) * WAYS, own, 0, WAYS);
        for (int i = even; i < dim; i++) {
          own[i - even] += x[row * dim + i] * directions[k * dim + i];
        }
        into[row * count + k] = Kernel.total(own);
      }
    }
  }

  /// Four directions at once: four independent chains of additions, and x is loaded once for all.
  private static void addFour(
      float[] x,
      int xOffset,
      float[] directions,
      int offset,
      int dim,
      int length,
      float[] sums,
      int at) {
    for (int way = 0; way < WAYS; way += F) {
      FloatVector sum0 = FloatVector.fromArray(FLOATS, sums, at + way);
      FloatVector sum1 = FloatVector.fromArray(FLOATS, sums, at + WAYS + way);
      FloatVector sum2 = FloatVector.fromArray(FLOATS, sums, at + 2 * WAYS + way);
      FloatVector sum3 = FloatVector.fromArray(FLOATS, sums, at + 3 * WAYS + way);
      for (int i = way; i < length; i += WAYS) {
        FloatVector value = FloatVector.fromArray(FLOATS, x, xOffset + i);
        int from = offset + i;
        sum0 = sum0.add(value.mul(FloatVector.fromArray(FLOATS, directions, from)));
        sum1 = sum1.add(value.mul(FloatVector.fromArray(FLOATS, directions, from + dim)));
        sum2 = sum2.add(value.mul(FloatVector.fromArray(FLOATS, directions, from + 2 * dim)));
        sum3 = sum3.add(value.mul(FloatVector.fromArray(FLOATS, directions, from + 3 * dim)));
      }
      sum0.intoArray(sums, at + way);
      sum1.intoArray(sums, at + WAYS + way);
      sum2.intoArray(sums, at + 2 * WAYS + way);
      sum3.intoArray(sums, at + 3 * WAYS + way);
    }
  }

  private static void addOne(
      float[] x, int xOffset, float[] directions, int offset, int length, float[] sums, int at) {
    for (int way = 0; way < WAYS; way += F) {
      FloatVector sum = FloatVector.fromArray(FLOATS, sums, at + way);
      for (int i = way; i < length; i += WAYS) {
        sum =
            sum.add(
                FloatVector.fromArray(FLOATS, x, xOffset + i)
                    .mul(FloatVector.fromArray(FLOATS, directions, offset + i)));
      }
      sum.intoArray(sums, at + way);
    }
  }
}
