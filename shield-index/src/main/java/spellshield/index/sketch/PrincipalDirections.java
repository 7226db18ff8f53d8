package spellshield.index.sketch;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import spellshield.index.linalg.Matrix;
import spellshield.index.store.LatentReader;

/// The mean and the leading principal directions of a sample of latents.
///
/// Subspace iteration (a randomised SVD with three passes) on at most 4,096 evenly spaced latents:
/// with X the centred sample and V a random orthonormal `[D, l]`, repeat `V ← orth(Xᵀ(X·V))`, then
/// turn V so that `VᵀXᵀX V` is diagonal, largest first. l exceeds the wanted number by a few
/// directions, which sharpens the last ones. Source: Halko, Martinsson, Tropp 2011, arXiv
/// 0909.4061, section 5.
///
/// How good the directions are decides how fast a search is, never what it finds.
final class PrincipalDirections {
  private static final int SAMPLE = 4096;
  private static final long SAMPLE_VALUES = 1L << 26; // 256 MiB of float32
  private static final int SLICES = 16;
  private static final int OVERSAMPLING = 8;
  private static final int PASSES = 3;
  private static final long SEED = 0x5be11L;

  private PrincipalDirections() {}

  /// Returns the mean of all latents, `[D]`, summed in float64.
  ///
  /// The latents are summed in [#SLICES] slices on all cores and the slices in order, so the bits
  /// do not depend on the number of cores.
  static float[] mean(LatentReader latents) {
    int dim = latents.dim();
    double[][] sums =
        IntStream.range(0, SLICES)
            .parallel()
            .mapToObj(slice -> sum(latents, slice))
            .toArray(double[][]::new);
    float[] mean = new float[dim];
    for (int i = 0; i < dim; i++) {
      double sum = 0;
      for (double[] slice : sums) {
        sum += slice[i];
      }
      mean[i] = latents.count() == 0 ? 0 : (float) (sum / latents.count());
    }
    return mean;
  }

  private static double[] sum(LatentReader latents, int slice) {
    double[] sum = new double[latents.dim()];
    float[] row = new float[latents.dim()];
    long to = latents.count() * (slice + 1) / SLICES;
    for (long item = latents.count() * slice / SLICES; item < to; item++) {
      latents.read(item, row);
      for (int i = 0; i < sum.length; i++) {
        sum[i] += row[i];
      }
    }
    return sum;
  }

  /// Returns `count` orthonormal directions, row by row, `[count, D]`.
  static float[] fit(LatentReader latents, float[] mean, int count) {
    int dim = latents.dim();
    int width = Math.min(dim, count + OVERSAMPLING);
    SplittableRandom random = new SplittableRandom(SEED);
    double[][] basis = new double[width][dim];
    for (double[] direction : basis) {
      fillGaussian(direction, random);
    }
    orthonormalise(basis, random);
    int rows = (int) Math.min(latents.count(), Math.clamp(SAMPLE_VALUES / dim, 1, SAMPLE));
    if (rows > 0) {
      try (Matrix sample = sample(latents, mean, rows)) {
        for (int pass = 0; pass < PASSES; pass++) {
          basis = product(sample, basis);
          orthonormalise(basis, random);
        }
        basis = rotate(sample, basis);
        orthonormalise(basis, random);
      }
    }
    float[] directions = new float[count * dim];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < dim; j++) {
        directions[i * dim + j] = (float) basis[i][j];
      }
    }
    return directions;
  }

  private static Matrix sample(LatentReader latents, float[] mean, int rows) {
    int dim = latents.dim();
    float[] values = new float[rows * dim];
    float[] row = new float[dim];
    for (int i = 0; i < rows; i++) {
      latents.read(i * latents.count() / rows, row);
      for (int j = 0; j < dim; j++) {
        values[i * dim + j] = row[j] - mean[j];
      }
    }
    return Matrix.of(values, rows, dim);
  }

  /// Returns `Xᵀ(X·V)`, the columns of V being the rows of `basis`.
  private static double[][] product(Matrix sample, double[][] basis) {
    try (Matrix v = toMatrix(basis);
        Matrix xv = sample.multiplyTransposed(v);
        Matrix xtxv = xv.transposeMultiply(sample)) {
      return rows(xtxv.toFloats(), basis.length);
    }
  }

  /// Turns the basis so that the sample's covariance is diagonal in it, largest variance first.
  private static double[][] rotate(Matrix sample, double[][] basis) {
    int width = basis.length;
    double[] gram;
    try (Matrix v = toMatrix(basis);
        Matrix xv = sample.multiplyTransposed(v);
        Matrix product = xv.transposeMultiply(xv)) {
      gram = product.toDoubles();
    }
    double[] vectors = Matrix.symmetricEigen(gram, width).vectors();
    double[][] turned = new double[width][basis[0].length];
    for (int to = 0; to < width; to++) {
      for (int from = 0; from < width; from++) {
        double weight = vectors[from * width + to];
        for (int j = 0; j < turned[to].length; j++) {
          turned[to][j] += weight * basis[from][j];
        }
      }
    }
    return turned;
  }

  private static Matrix toMatrix(double[][] basis) {
    int dim = basis[0].length;
    float[] values = new float[basis.length * dim];
    for (int i = 0; i < basis.length; i++) {
      for (int j = 0; j < dim; j++) {
        values[i * dim + j] = (float) basis[i][j];
      }
    }
    return Matrix.of(values, basis.length, dim);
  }

  private static double[][] rows(float[] values, int count) {
    int dim = values.length / count;
    double[][] rows = new double[count][dim];
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < dim; j++) {
        rows[i][j] = values[i * dim + j];
      }
    }
    return rows;
  }

  /// Gram–Schmidt, twice for each direction; what vanishes is drawn anew.
  private static void orthonormalise(double[][] basis, SplittableRandom random) {
    for (int i = 0; i < basis.length; i++) {
      double before = norm(basis[i]);
      scale(basis[i], before > 0 ? 1 / before : 0);
      // A sample of low rank leaves nothing of some directions; any other one does as well.
      while (!(removeEarlier(basis, i) > 1e-4)) {
        fillGaussian(basis[i], random);
        scale(basis[i], 1 / norm(basis[i]));
      }
      scale(basis[i], 1 / norm(basis[i]));
      removeEarlier(basis, i);
      scale(basis[i], 1 / norm(basis[i]));
    }
  }

  private static double removeEarlier(double[][] basis, int i) {
    for (int k = 0; k < i; k++) {
      double dot = 0;
      for (int j = 0; j < basis[i].length; j++) {
        dot += basis[k][j] * basis[i][j];
      }
      for (int j = 0; j < basis[i].length; j++) {
        basis[i][j] -= dot * basis[k][j];
      }
    }
    return norm(basis[i]);
  }

  private static void fillGaussian(double[] direction, SplittableRandom random) {
    for (int j = 0; j < direction.length; j++) {
      direction[j] = random.nextGaussian();
    }
  }

  private static double norm(double[] direction) {
    double sum = 0;
    for (double value : direction) {
      sum += value * value;
    }
    return Math.sqrt(sum);
  }

  private static void scale(double[] direction, double factor) {
    for (int j = 0; j < direction.length; j++) {
      direction[j] *= factor;
    }
  }
}
