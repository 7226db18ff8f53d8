package spellshield.index.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.util.Arrays;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class KernelTest {
  private static final int[] AWKWARD = {0, 1, 2, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 784, 1021};

  private final Kernel scalar = new ScalarKernel();
  private final Kernel vector = new VectorKernel();

  @Test
  void the_vector_and_the_scalar_distance_have_the_same_bits_and_are_near_the_formula() {
    Seeds.check(
        300,
        random -> {
          int length = AWKWARD[random.nextInt(AWKWARD.length)];
          int aOffset = random.nextInt(5);
          int bOffset = random.nextInt(5);
          float[] a = gaussian(random, aOffset + length);
          float[] b = gaussian(random, bOffset + length);
          double expected = 0;
          for (int i = 0; i < length; i++) {
            expected += Math.pow((double) a[aOffset + i] - b[bOffset + i], 2);
          }
          double byScalar = scalar.distanceSquared(a, aOffset, b, bOffset, length);
          double byVector = vector.distanceSquared(a, aOffset, b, bOffset, length);
          assertThat(byVector).isEqualTo(byScalar);
          // Both sums are within (D + 3)·v of the true one.
          assertThat(Math.abs(byScalar - expected))
              .isLessThanOrEqualTo(2 * (length + 3) * 0x1p-53 * expected);
        });
  }

  @Test
  void the_vector_and_the_scalar_dot_product_have_the_same_bits_and_are_near_the_formula() {
    Seeds.check(
        300,
        random -> {
          int length = AWKWARD[random.nextInt(AWKWARD.length)];
          int bOffset = random.nextInt(5);
          float[] b = gaussian(random, bOffset + length);
          int aOffset = random.nextInt(5);
          float[] a = gaussian(random, aOffset + length);
          double expected = 0;
          double magnitude = 0;
          for (int i = 0; i < length; i++) {
            double product = (double) a[aOffset + i] * b[bOffset + i];
            expected += product;
            magnitude += Math.abs(product);
          }
          double byScalar = scalar.dot(a, aOffset, b, bOffset, length);
          assertThat(vector.dot(a, aOffset, b, bOffset, length)).isEqualTo(byScalar);
          // n·v·Σ|aᵢbᵢ| for each of the two sums.
          assertThat(Math.abs(byScalar - expected))
              .isLessThanOrEqualTo(2 * (length + 1) * 0x1p-53 * magnitude);
        });
  }

  @Test
  void projections_have_the_same_bits_and_the_stated_error() {
    Seeds.check(
        200,
        random -> {
          // Now and then more dimensions than are taken at a time.
          int dim = random.nextInt(8) == 0 ? random.nextInt(1000, 2200) : random.nextInt(1, 200);
          int count = random.nextInt(0, 11);
          int rows = random.nextInt(1, 6);
          float[] x = gaussian(random, rows * dim);
          float[] directions = gaussian(random, count * dim);
          float[] byScalar = new float[rows * count];
          float[] byVector = new float[rows * count];
          scalar.project(x, rows, dim, directions, count, byScalar);
          vector.project(x, rows, dim, directions, count, byVector);
          assertThat(byVector).isEqualTo(byScalar);
          double roundings = Math.ceilDiv(dim, 16) + 17.0;
          for (int at = 0; at < byScalar.length; at++) {
            double expected = 0;
            double magnitude = 0;
            for (int i = 0; i < dim; i++) {
              double term = (double) x[at / count * dim + i] * directions[at % count * dim + i];
              expected += term;
              magnitude += Math.abs(term);
            }
            assertThat(Math.abs(byScalar[at] - expected))
                .isLessThanOrEqualTo(roundings * 0x1p-24 * (1 + 1e-4) * magnitude);
          }
        });
  }

  @Test
  void a_row_is_projected_as_it_is_alone() {
    Seeds.check(
        50,
        random -> {
          int dim = random.nextInt(1, 1500);
          int count = random.nextInt(1, 11);
          int rows = random.nextInt(2, 6);
          float[] x = gaussian(random, rows * dim);
          float[] directions = gaussian(random, count * dim);
          float[] together = new float[rows * count];
          vector.project(x, rows, dim, directions, count, together);
          for (int row = 0; row < rows; row++) {
            float[] alone = new float[count];
            float[] own = Arrays.copyOfRange(x, row * dim, (row + 1) * dim);
            vector.project(own, 1, dim, directions, count, alone);
            assertThat(Arrays.copyOfRange(together, row * count, (row + 1) * count))
                .isEqualTo(alone);
          }
        });
  }

  @Test
  void both_say_which_sums_are_within_a_bar() {
    Seeds.check(
        200,
        random -> {
          int offset = random.nextInt(64);
          byte[] sums = new byte[offset + Kernel.BLOCK];
          random.nextBytes(sums);
          int bar = random.nextInt(8) == 0 ? 255 : random.nextInt(256);
          long expected = 0;
          for (int lane = 0; lane < Kernel.BLOCK; lane++) {
            expected |= Byte.toUnsignedInt(sums[offset + lane]) <= bar ? 1L << lane : 0;
          }
          assertThat(vector.within(sums, offset, bar)).isEqualTo(expected);
          assertThat(scalar.within(sums, offset, bar)).isEqualTo(expected);
        });
  }

  @Test
  void both_scans_of_chunks_leave_what_whole_numbers_say() {
    Seeds.check(
        400,
        random -> {
          int chunks = random.nextInt(1, 17);
          int blockCount = random.nextInt(1, 65);
          int bytes = blockCount * Kernel.LINES * Kernel.BLOCK; // of a chunk
          byte[] cells = new byte[chunks * bytes];
          random.nextBytes(cells);
          byte[] table = table(random, chunks * Kernel.CHUNK);
          int[] shifts = random.ints(chunks, 0, 8).toArray();
          long blocks = random.nextLong() & (-1L >>> (64 - blockCount));
          int[] expected = new int[blockCount * Kernel.BLOCK];
          for (int item = 0; item < expected.length; item++) {
            for (int chunk = 0; chunk < chunks; chunk++) {
              int share = 0;
              for (int i = 0; i < Kernel.CHUNK; i++) {
                int line = item / Kernel.BLOCK * Kernel.LINES + i / 2;
                byte both = cells[chunk * bytes + line * Kernel.BLOCK + item % Kernel.BLOCK];
                int cell = i % 2 == 0 ? both & 15 : (both >> 4) & 15;
                share += table[(chunk * Kernel.CHUNK + i) * Kernel.BLOCK + cell] & 0xff;
              }
              expected[item] += Math.min(share, 255) / (1 << shifts[chunk]);
            }
          }
          int bar = bar(random, expected);
          for (Kernel kernel : new Kernel[] {scalar, vector}) {
            byte[] sums = new byte[64 * Kernel.BLOCK];
            Arrays.fill(sums, (byte) 77);
            long left = blocks;
            for (int chunk = 0; chunk < chunks; chunk++) {
              // Only the last call may drop a block, so that all sums are whole.
              int now = chunk < chunks - 1 ? 255 : bar;
              int dim = chunk * Kernel.CHUNK;
              int shift = shifts[chunk];
              left =
                  kernel.scanChunk(
                      cells, chunk * bytes, left, table, dim, shift, chunk == 0, now, sums);
            }
            for (int block = 0; block < blockCount; block++) {
              if ((blocks >>> block & 1) == 0) {
                assertThat(left >>> block & 1).isZero();
                continue;
              }
              long within = 0;
              for (int lane = 0; lane < Kernel.BLOCK; lane++) {
                int sum = Math.min(expected[block * Kernel.BLOCK + lane], 255);
                assertThat(sums[block * Kernel.BLOCK + lane] & 0xff).isEqualTo(sum);
                within |= sum <= bar ? 1L << lane : 0;
              }
              assertThat(left >>> block & 1).isEqualTo(within == 0 ? 0 : 1);
              assertThat(Kernels.within(sums, block * Kernel.BLOCK, bar)).isEqualTo(within);
            }
          }
        });
  }

  @Test
  void both_looks_at_quarters_leave_what_whole_numbers_say() {
    Seeds.check(
        400,
        random -> {
          int chunks = random.nextInt(1, 17);
          int offset = random.nextInt(100);
          int chunkBytes = Kernel.LINES * Kernel.BLOCK + random.nextInt(100);
          byte[] cells = new byte[offset + chunks * chunkBytes];
          random.nextBytes(cells);
          int partsOffset = random.nextInt(100);
          byte[] parts = new byte[partsOffset + chunks * Kernel.LINES * Kernel.BLOCK];
          random.nextBytes(parts);
          byte[] order = order(random, chunks);
          int most = new int[] {2, 40, 256}[random.nextInt(3)];
          byte[] table = new byte[chunks * Kernel.CHUNK * Kernel.BLOCK];
          for (int i = 0; i < table.length; i++) {
            table[i] = (byte) random.nextInt(most);
          }
          int[] expected = new int[Kernel.BLOCK];
          for (int lane = 0; lane < Kernel.BLOCK; lane++) {
            for (int line = 0; line < chunks * Kernel.LINES; line++) {
              int at = line / Kernel.LINES * chunkBytes + line % Kernel.LINES * Kernel.BLOCK;
              int both = cells[offset + at + lane] & 0xff;
              int part = parts[partsOffset + line * Kernel.BLOCK + lane] & 0xff;
              int even = 4 * (both % 16) + part % 16 / 4;
              int odd = 4 * (both / 16) + part / 16 / 4;
              int term = table[2 * line * Kernel.BLOCK + even] & 0xff;
              term += table[(2 * line + 1) * Kernel.BLOCK + odd] & 0xff;
              expected[lane] += Math.min(term, 255);
            }
          }
          int bar =
              switch (random.nextInt(3)) {
                case 0 -> expected[random.nextInt(Kernel.BLOCK)];
                case 1 -> Kernel.MOST_OF_QUARTERS;
                default -> random.nextInt(chunks * Kernel.CHUNK * most);
              };
          long items = random.nextLong();
          long within = 0;
          for (int lane = 0; lane < Kernel.BLOCK; lane++) {
            within |= expected[lane] <= bar ? 1L << lane : 0;
          }
          for (Kernel kernel : new Kernel[] {scalar, vector}) {
            long left =
                kernel.scanQuarters(
                    cells, offset, chunkBytes, parts, partsOffset, order, table, items, bar);
            assertThat(left).isEqualTo(items & within);
          }
        });
  }

  private static byte[] order(SplittableRandom random, int chunks) {
    byte[] order = new byte[chunks];
    for (int i = 0; i < chunks; i++) {
      int at = random.nextInt(i + 1);
      order[i] = order[at];
      order[at] = (byte) i;
    }
    return order;
  }

  @Test
  void sums_of_quarters_stop_at_what_lets_all_pass() {
    int chunks = 125; // of 1,000 dimensions, more than two bytes can count
    byte[] cells = new byte[chunks * Kernel.LINES * Kernel.BLOCK];
    byte[] table = new byte[chunks * Kernel.CHUNK * Kernel.BLOCK];
    Arrays.fill(table, (byte) 255);
    byte[] order = order(new SplittableRandom(1), chunks);
    for (Kernel kernel : new Kernel[] {scalar, vector}) {
      for (int bar : new int[] {Kernel.MOST_OF_QUARTERS - 1, Kernel.MOST_OF_QUARTERS}) {
        assertThat(
                kernel.scanQuarters(
                    cells, 0, Kernel.LINES * Kernel.BLOCK, cells, 0, order, table, -1L, bar))
            .isEqualTo(bar == Kernel.MOST_OF_QUARTERS ? -1L : 0);
      }
    }
  }

  /// Sixteen terms for each dimension, four times; small ones, or any.
  private static byte[] table(SplittableRandom random, int dims) {
    int most = new int[] {2, 8, 40, 256}[random.nextInt(4)];
    byte[] table = new byte[dims * Kernel.BLOCK];
    for (int i = 0; i < table.length; i++) {
      table[i] = i % Kernel.BLOCK < 16 ? (byte) random.nextInt(most) : table[i - 16];
    }
    return table;
  }

  /// Often exactly a sum, and sometimes what lets all pass.
  private static int bar(SplittableRandom random, int[] sums) {
    int sum = sums[random.nextInt(sums.length)];
    return switch (random.nextInt(4)) {
      case 0 -> Math.min(sum, 255);
      case 1 -> Math.clamp(sum - 1L, 0, 255);
      case 2 -> 255;
      default -> random.nextInt(256);
    };
  }

  @Test
  void the_hot_kernels_are_too_long_to_be_inlined() throws IOException {
    // C2's FreqInlineSize; inlined into a search, its vectors would be boxed.
    try (InputStream in = VectorKernel.class.getResourceAsStream("VectorKernel.class")) {
      ClassModel model = ClassFile.of().parse(Objects.requireNonNull(in).readAllBytes());
      for (MethodModel method : model.methods()) {
        if (method.methodName().stringValue().startsWith("scan")) {
          CodeAttribute code = method.findAttribute(Attributes.code()).orElseThrow();
          assertThat(code.codeLength()).isGreaterThan(325);
        }
      }
    }
  }

  @Test
  void a_hot_kernel_keeps_its_bits() {
    // The JIT takes over somewhere in these rounds; a lane reduction would change its order then.
    SplittableRandom random = new SplittableRandom(1);
    float[] a = gaussian(random, 784);
    float[] b = gaussian(random, 784);
    double expected = scalar.distanceSquared(a, 0, b, 0, 784);
    for (int round = 0; round < 20_000; round++) {
      assertThat(vector.distanceSquared(a, 0, b, 0, 784) == expected).isTrue();
    }
  }

  private static float[] gaussian(SplittableRandom random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
