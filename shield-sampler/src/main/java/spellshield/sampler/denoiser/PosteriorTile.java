package spellshield.sampler.denoiser;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import spellshield.index.linalg.Matrix;

/// The posterior means of up to 32 rows over the same items; used once.
///
/// 1. One float32 product a chunk gives all dot products of rows and items; those items of a row
///    stay candidates whose weight the product's error does not rule out.
/// 2. Their distances are measured in float64 and turned into weights.
/// 3. The items that kept a weight are averaged in float64.
///
/// Steps 2 and 3 fetch a chunk's candidates once for all rows.
final class PosteriorTile {
  /// Enough rows for a product at full speed; a class of few rows wastes the rest.
  static final int ROWS = 32;

  /// Weights below e^−CUT of the largest are none: 10⁶ of them add 10⁻⁸.
  private static final double CUT = 32;

  private final List<ItemChunk> chunks;
  private final float[] x;
  private final int rows;
  private final int dim;
  private final double sigma;

  /// The first item of each chunk; at the end, the number of items.
  private final int[] starts;

  /// @param x `[ROWS, D]`, the rows beyond `rows` filled up with zeros
  PosteriorTile(List<ItemChunk> chunks, float[] x, int rows, int dim, double sigma) {
    this.chunks = chunks;
    this.x = x;
    this.rows = rows;
    this.dim = dim;
    this.sigma = sigma;
    starts = new int[chunks.size() + 1];
    for (int c = 0; c < chunks.size(); c++) {
      starts[c + 1] = starts[c] + chunks.get(c).count();
    }
  }

  /// Returns x̂0 of every row, `[rows, D]`.
  float[] means() {
    float[] dots = dots();
    Candidates[] candidates = new Candidates[rows];
    forEachRow(r -> candidates[r] = candidates(r, dots));
    measure(candidates);
    double[] totals = new double[rows];
    forEachRow(r -> totals[r] = candidates[r].weigh(sigma, CUT));
    return average(candidates, totals);
  }

  private void forEachRow(java.util.function.IntConsumer action) {
    IntStream.range(0, rows).parallel().forEach(action);
  }

  /// Returns `x·z` of every row and item, per chunk `[ROWS, n]` from `ROWS·starts[chunk]`.
  private float[] dots() {
    float[] dots = new float[Math.multiplyExact(ROWS, starts[chunks.size()])];
    try (Matrix rowMatrix = Matrix.of(x, ROWS, dim)) {
      for (int c = 0; c < chunks.size(); c++) {
        try (Matrix product = chunks.get(c).items().multiplyTransposed(rowMatrix)) {
          product.copyColumnMajor(dots, ROWS * starts[c]);
        }
      }
    }
    return dots;
  }

  /// Chooses a superset of the items whose weight is above e^−CUT of the largest.
  private Candidates candidates(int r, float[] dots) {
    double[] scores = new double[starts[chunks.size()]]; // ‖x − z‖² − ‖x‖²
    double least = Double.POSITIVE_INFINITY;
    double maxNormSquared = 0;
    for (int c = 0; c < chunks.size(); c++) {
      double[] normsSquared = chunks.get(c).normsSquared();
      int from = ROWS * starts[c] + r * normsSquared.length;
      for (int j = 0; j < normsSquared.length; j++) {
        double score = normsSquared[j] - 2.0 * dots[from + j];
        scores[starts[c] + j] = score;
        least = Math.min(least, score);
        maxNormSquared = Math.max(maxNormSquared, normsSquared[j]);
      }
    }
    // true ≤ true least + 2σ²·CUT implies score − error ≤ least + error + 2σ²·CUT
    double error = scoreError(r, maxNormSquared);
    return new Candidates(scores, least + 2 * error + 2 * sigma * sigma * CUT);
  }

  /// Bounds the error of `‖z‖² − 2·x·z` as a float32 product gives it.
  private double scoreError(int r, double maxNormSquared) {
    double norm = Math.sqrt(Distances.normSquared(x, r * dim, dim));
    double unit = dim * 0x1p-24;
    double gamma = unit / (1 - unit);
    // Twice the product's; that of ‖z‖², in float64; what is too small for float32.
    return 2.001 * gamma * norm * Math.sqrt(maxNormSquared)
        + dim * 0x1p-52 * maxNormSquared
        + 1e-30;
  }

  /// Replaces the candidates' scores by their distances.
  private void measure(Candidates[] candidates) {
    for (int c = 0; c < chunks.size(); c++) {
      float[] items = fetch(candidates, c);
      int start = starts[c];
      int end = starts[c + 1];
      forEachRow(r -> {
        Candidates row = candidates[r];
        double[] lanes = new double[Distances.LANES];
        for (int i = row.from(start); i < row.from(end); i++) {
          int from = (row.items[i] - start) * dim;
          row.values[i] = Distances.distanceSquared(x, r * dim, items, from, dim, lanes);
        }
      });
    }
  }

  private float[] average(Candidates[] candidates, double[] totals) {
    double[][] sums = new double[rows][dim];
    for (double[] sum : sums) {
      Arrays.fill(sum, -0.0); // the only start that keeps the sign of an item's zero
    }
    for (int c = 0; c < chunks.size(); c++) {
      float[] items = fetch(candidates, c);
      int start = starts[c];
      int end = starts[c + 1];
      forEachRow(r -> {
        Candidates row = candidates[r];
        for (int i = row.from(start); i < row.from(end); i++) {
          addScaled(sums[r], row.values[i], items, (row.items[i] - start) * dim);
        }
      });
    }
    float[] means = new float[rows * dim];
    for (int i = 0; i < means.length; i++) {
      means[i] = (float) (sums[i / dim][i % dim] / totals[i / dim]);
    }
    return means;
  }

  private static void addScaled(double[] sum, double weight, float[] items, int from) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += weight * items[from + j];
    }
  }

  /// Copies those items of a chunk that are a candidate of any row, each to its place.
  private float[] fetch(Candidates[] candidates, int c) {
    BitSet wanted = new BitSet();
    for (Candidates row : candidates) {
      for (int i = row.from(starts[c]); i < row.from(starts[c + 1]); i++) {
        wanted.set(row.items[i] - starts[c]);
      }
    }
    float[] items = new float[wanted.length() * dim];
    for (int j = wanted.nextSetBit(0); j >= 0; j = wanted.nextSetBit(j + 1)) {
      chunks.get(c).items().copyRow(j, items, j * dim);
    }
    return items;
  }
}
