package spellshield.sampler.denoiser;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import spellshield.index.linalg.Matrix;

/// The posterior means of up to 32 rows over the same items; used once.
///
/// 1. One float32 product a chunk gives all dot products of rows and items.
/// 2. Each row, alone: choose the items that may carry weight, weigh them, average if they are few.
/// 3. If a row has many, one product a chunk averages with the weights.
final class PosteriorTile {
  /// Rows of every product, whatever the batch: equal shapes give equal bits.
  static final int ROWS = 32;

  /// Weights below e^−CUT of the largest are none: 10⁶ of them add 10⁻⁸.
  private static final double CUT = 32;

  /// Up to so many items are averaged one by one, in float64.
  private static final int FEW = 256;

  /// The error of an exponent below which the product's distances are good enough.
  private static final double HARMLESS = 1.0 / 256;

  private final List<ItemChunk> chunks;
  private final float[] x;
  private final int rows;
  private final int dim;
  private final double sigma;

  /// The first item of each chunk; at the end, the number of items.
  private final int[] starts;

  /// Per chunk `[ROWS, n]` from `ROWS·starts[chunk]`: first the dot products, then the weights.
  private final float[] table;

  private final double maxItemNorm;
  private final float[] means;

  /// @param x `[ROWS, D]`, the rows beyond `rows` filled up with zeros
  PosteriorTile(List<ItemChunk> chunks, float[] x, int rows, int dim, double sigma) {
    this.chunks = chunks;
    this.x = x;
    this.rows = rows;
    this.dim = dim;
    this.sigma = sigma;
    starts = new int[chunks.size() + 1];
    double maxNormSquared = 0;
    for (int c = 0; c < chunks.size(); c++) {
      starts[c + 1] = starts[c] + chunks.get(c).count();
      for (double normSquared : chunks.get(c).normsSquared()) {
        maxNormSquared = Math.max(maxNormSquared, normSquared);
      }
    }
    maxItemNorm = Math.sqrt(maxNormSquared);
    table = new float[Math.multiplyExact(ROWS, starts[chunks.size()])];
    means = new float[ROWS * dim];
  }

  /// Returns x̂0 of every row, `[ROWS, D]`.
  float[] means() {
    try (Matrix rowMatrix = Matrix.of(x, ROWS, dim)) {
      for (int c = 0; c < chunks.size(); c++) {
        try (Matrix dots = chunks.get(c).items().multiplyTransposed(rowMatrix)) {
          dots.copyColumnMajor(table, ROWS * starts[c]);
        }
      }
    }
    boolean[] many = new boolean[ROWS];
    IntStream.range(0, rows).parallel().forEach(r -> many[r] = !averageFew(r));
    if (IntStream.range(0, rows).anyMatch(r -> many[r])) {
      averageMany(many);
    }
    return means;
  }

  /// Weighs the items for row `r` and averages them if they are few; else leaves the weights, their
  /// sum 1, in the table and returns false.
  private boolean averageFew(int r) {
    double error = scoreError(r);
    Candidates candidates = candidates(r, error);
    if (candidates.count <= FEW || !(error / (2 * sigma * sigma) <= HARMLESS)) {
      measure(r, candidates);
    }
    double total = candidates.weigh(sigma, CUT);
    for (int c = 0; c < chunks.size(); c++) {
      int n = chunks.get(c).count();
      Arrays.fill(table, ROWS * starts[c] + r * n, ROWS * starts[c] + (r + 1) * n, 0);
    }
    if (candidates.count <= FEW) {
      average(r, candidates, total);
      return true;
    }
    for (int i = 0; i < candidates.count; i++) {
      int c = chunkOf(candidates.items[i]);
      int j = candidates.items[i] - starts[c];
      table[ROWS * starts[c] + r * chunks.get(c).count() + j] =
          (float) (candidates.values[i] / total);
    }
    return false;
  }

  /// Bounds the error of `‖z‖² − 2·x·z` as float32 products give it.
  private double scoreError(int r) {
    double norm = Math.sqrt(Distances.normSquared(x, r * dim, dim));
    double unit = dim * 0x1p-24;
    double gamma = unit / (1 - unit);
    // Twice the product's; that of ‖z‖², in float64; what is too small for float32.
    return 2.001 * gamma * norm * maxItemNorm + dim * 0x1p-52 * maxItemNorm * maxItemNorm + 1e-30;
  }

  /// Chooses a superset of the items whose weight is above e^−CUT of the largest.
  private Candidates candidates(int r, double error) {
    int count = starts[chunks.size()];
    double[] scores = new double[count]; // ‖x − z‖² − ‖x‖², off by `error` at most
    double least = Double.POSITIVE_INFINITY;
    for (int c = 0; c < chunks.size(); c++) {
      double[] normsSquared = chunks.get(c).normsSquared();
      int from = ROWS * starts[c] + r * normsSquared.length;
      for (int j = 0; j < normsSquared.length; j++) {
        double score = normsSquared[j] - 2.0 * table[from + j];
        scores[starts[c] + j] = score;
        least = Math.min(least, score);
      }
    }
    // true ≤ true least + 2σ²·CUT implies score − error ≤ least + error + 2σ²·CUT
    return new Candidates(scores, least + 2 * error + 2 * sigma * sigma * CUT);
  }

  /// Replaces the candidates' distances by exact ones.
  private void measure(int r, Candidates candidates) {
    float[] z = new float[dim];
    for (int i = 0; i < candidates.count; i++) {
      copyItem(candidates.items[i], z);
      candidates.values[i] = Distances.distanceSquared(x, r * dim, z);
    }
  }

  private void average(int r, Candidates candidates, double total) {
    double[] mean = new double[dim];
    Arrays.fill(mean, -0.0); // the only start that keeps the sign of an item's zero
    float[] z = new float[dim];
    for (int i = 0; i < candidates.count; i++) {
      copyItem(candidates.items[i], z);
      double weight = candidates.values[i];
      for (int j = 0; j < dim; j++) {
        mean[j] += weight * z[j];
      }
    }
    for (int j = 0; j < dim; j++) {
      means[r * dim + j] = (float) (mean[j] / total);
    }
  }

  private void averageMany(boolean[] many) {
    double[] sums = new double[ROWS * dim];
    float[] columnMajor = new float[ROWS * dim];
    for (int c = 0; c < chunks.size(); c++) {
      int n = chunks.get(c).count();
      float[] weights = Arrays.copyOfRange(table, ROWS * starts[c], ROWS * (starts[c] + n));
      try (Matrix weightMatrix = Matrix.of(weights, ROWS, n);
          Matrix product = weightMatrix.multiply(chunks.get(c).items())) {
        product.copyColumnMajor(columnMajor, 0);
      }
      for (int j = 0; j < dim; j++) {
        for (int r = 0; r < ROWS; r++) {
          sums[r * dim + j] += columnMajor[j * ROWS + r];
        }
      }
    }
    for (int r = 0; r < rows; r++) {
      for (int i = r * dim; many[r] && i < (r + 1) * dim; i++) {
        means[i] = (float) sums[i];
      }
    }
  }

  private void copyItem(int item, float[] z) {
    int c = chunkOf(item);
    chunks.get(c).items().copyRow(item - starts[c], z);
  }

  private int chunkOf(int item) {
    int found = Arrays.binarySearch(starts, item);
    return found >= 0 ? found : -found - 2;
  }
}
