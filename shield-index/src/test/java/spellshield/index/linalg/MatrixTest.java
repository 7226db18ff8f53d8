package spellshield.index.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class MatrixTest {

  @Test
  void products_equal_the_sums_of_the_definition() {
    Seeds.check(
        50,
        random -> {
          int m = random.nextInt(1, 20);
          int k = random.nextInt(1, 20);
          int n = random.nextInt(1, 20);
          double[] a = gaussian(random, m * k);
          double[] b = gaussian(random, k * n);
          double[] bTransposed = new double[n * k];
          double[] aTransposed = new double[k * m];
          double[] expected = new double[m * n];
          for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
              for (int l = 0; l < k; l++) {
                expected[i * n + j] += a[i * k + l] * b[l * n + j];
                bTransposed[j * k + l] = b[l * n + j];
                aTransposed[l * m + i] = a[i * k + l];
              }
            }
          }
          try (Matrix x = Matrix.of(a, m, k);
              Matrix y = Matrix.of(b, k, n);
              Matrix xT = Matrix.of(aTransposed, k, m);
              Matrix yT = Matrix.of(bTransposed, n, k)) {
            for (Matrix product :
                new Matrix[] {x.multiply(y), x.multiplyTransposed(yT), xT.transposeMultiply(y)}) {
              try (product) {
                assertThat(product.rows()).isEqualTo(m);
                assertThat(product.columns()).isEqualTo(n);
                assertThat(product.toDoubles()).containsExactly(expected, within(1e-12));
              }
            }
          }
        });
  }

  @Test
  void float_products_read_back_row_by_row() {
    try (Matrix x = Matrix.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2);
        Matrix y = Matrix.of(new float[] {1, 0, 2, 0, 1, 3}, 2, 3);
        Matrix product = x.multiply(y)) {
      assertThat(product.toFloats()).containsExactly(1, 2, 8, 3, 4, 18, 5, 6, 28);
    }
  }

  @Test
  void eigenpairs_rebuild_the_matrix_largest_first() {
    Seeds.check(
        50,
        random -> {
          int n = random.nextInt(1, 30);
          double[] root = gaussian(random, n * n);
          double[] symmetric = new double[n * n];
          for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
              for (int l = 0; l < n; l++) {
                symmetric[i * n + j] += root[i * n + l] * root[j * n + l];
              }
            }
          }
          Matrix.Eigenpairs pairs = Matrix.symmetricEigen(symmetric, n);
          double[] rebuilt = new double[n * n];
          for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
              for (int l = 0; l < n; l++) {
                rebuilt[i * n + j] +=
                    pairs.values()[l] * pairs.vectors()[i * n + l] * pairs.vectors()[j * n + l];
              }
            }
          }
          assertThat(rebuilt).containsExactly(symmetric, within(1e-10 * n * n));
          assertThat(pairs.values()).isSortedAccordingTo((x, y) -> Double.compare(y, x));
        });
  }

  private static double[] gaussian(SplittableRandom random, int count) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = random.nextGaussian();
    }
    return values;
  }
}
