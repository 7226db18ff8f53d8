package spellshield.index.kernel;

import static org.assertj.core.api.Assertions.assertThat;

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
          double[] a = new double[length];
          double expected = 0;
          double magnitude = 0;
          for (int i = 0; i < length; i++) {
            a[i] = random.nextGaussian();
            expected += a[i] * b[bOffset + i];
            magnitude += Math.abs(a[i] * b[bOffset + i]);
          }
          double byScalar = scalar.dot(a, b, bOffset, length);
          assertThat(vector.dot(a, b, bOffset, length)).isEqualTo(byScalar);
          // n·v·Σ|aᵢbᵢ| for each of the two sums.
          assertThat(Math.abs(byScalar - expected))
              .isLessThanOrEqualTo(2 * (length + 1) * 0x1p-53 * magnitude);
        });
  }

  @Test
  void the_vector_and_the_scalar_scan_leave_the_same_bits_and_stop_at_the_same_dimension() {
    Seeds.check(
        300,
        random -> {
          int dims = random.nextInt(1, 70);
          int offset = random.nextInt(3) * 64;
          float[] block = gaussian(random, offset + dims * Kernel.BLOCK);
          float[] query = gaussian(random, dims);
          if (random.nextInt(10) == 0) {
            query[random.nextInt(dims)] = Float.NaN;
          }
          float limit = (float) (random.nextDouble() * 3 * dims);
          float[] byScalar = new float[Kernel.BLOCK];
          float[] byVector = new float[Kernel.BLOCK];
          int scalarDims = scalar.scanBlock(block, offset, query, dims, limit, byScalar);
          int vectorDims = vector.scanBlock(block, offset, query, dims, limit, byVector);
          assertThat(vectorDims).isEqualTo(scalarDims);
          assertThat(byVector).isEqualTo(byScalar);
          for (int lane = 0; lane < Kernel.BLOCK; lane++) {
            float expected = 0;
            for (int dim = 0; dim < scalarDims; dim++) {
              float difference = block[offset + dim * Kernel.BLOCK + lane] - query[dim];
              expected += difference * difference;
            }
            assertThat(Float.compare(byScalar[lane], expected)).isZero();
            if (scalarDims < dims) {
              assertThat(byScalar[lane]).isGreaterThan(limit);
            }
          }
        });
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
