package spellshield.sampler.denoiser;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import spellshield.index.linalg.Matrix;
import spellshield.sampler.Latents;

/// The posterior means of up to 32 rows over the same items; used once.
///
/// 1. [#multiply()]: one float32 product a chunk gives all dot products of rows and items; those
///    items of a row stay candidates whose weight the product's error does not rule out.
/// 2. [#average(float[])]: their distances are measured in float64 and turned into weights, and the
///    items that kept a weight are averaged, in float64 too. A chunk's candidates are fetched once
///    for all rows.
final class PosteriorTile {
  /// Enough rows for a product at full speed; a class of few rows wastes the rest.
  static final int ROWS = 32;

  /// Weights below e^−CUT of the largest are none: 10⁶ of them add 10⁻⁸.
  private static final double CUT = 32;

  private final List<ItemChunk> chunks;
  private final int[] rowNumbers;
  private final int rows;
  private final int dim;
  private final double sigma;

  /// `[ROWS, D]`, filled up with zeros
  private final float[] x;

  /// The first item of each chunk; at the end, the number of items.
  private final int[] starts;

  private final Candidates[] candidates;

  /// @param rowNumbers which rows of `xt` to work on, at most [#ROWS]
  PosteriorTile(List<ItemChunk> chunks, Latents xt, int[] rowNumbers, double sigma) {
    this.chunks = chunks;
    this.rowNumbers = rowNumbers;
    this.sigma = sigma;
    rows = rowNumbers.length;
    dim = xt.dim();
    x = new float[ROWS * dim];
    for (int r = 0; r < rows; r++) {
      System.arraycopy(xt.values(), rowNumbers[r] * dim, x, r * dim, dim);
    }
    starts = new int[chunks.size() + 1];
    for (int c = 0; c < chunks.size(); c++) {
      starts[c + 1] = starts[c] + chunks.get(c).count();
    }
    candidates = new Candidates[rows];
  }

  /// Returns the number of candidates that all rows may have together.
  int size() {
    return Math.multiplyExact(rows, starts[chunks.size()]);
  }

  /// Chooses every row's candidates.
  void multiply() {
    float[] dots = dots();
    forEachRow(r -> candidates[r] = candidates(r, dots));
  }

  /// Writes x̂0 of the tile's rows to their places.
  void average(float[] x0hat) {
    measure();
    double[] totals = new double[rows];
    forEachRow(r -> totals[r] = candidates[r].weigh(sigma, CUT));
    double[][] sums = sums();
    for (int r = 0; r < rows; r++) {
      for (int j = 0; j < dim; j++) {
        x0hat[rowNumbers[r] * dim + j] = (float) (sums[r][j] / totals[r]);
      }
    }
  }

  private void forEachRow(IntConsumer action) {
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
  private void measure() {
    for (int c = 0; c < chunks.size(); c++) {
      float[] items = fetch(c);
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

  /// Returns every row's sum of weighted items.
  private double[][] sums() {
    double[][] sums = new double[rows][dim];
    for (double[] sum : sums) {
      Arrays.fill(sum, -0.0); // the only start that keeps the sign of an item's zero
    }
    for (int c = 0; c < chunks.size(); c++) {
      float[] items = fetch(c);
      int start = starts[c];
      int end = starts[c + 1];
      forEachRow(r -> {
        Candidates row = candidates[r];
        for (int i = row.from(start); i < row.from(end); i++) {
          addScaled(sums[r], row.values[i], items, (row.items[i] - start) * dim);
        }
      });
    }
    return sums;
  }

  private static void addScaled(double[] sum, double weight, float[] items, int from) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += weight * items[from + j];
    }
  }

  /// Copies those items of a chunk that are a candidate of any row, each to its place.
  private float[] fetch(int c) {
    boolean[] wanted = new boolean[chunks.get(c).count()];
    int length = 0;
    for (Candidates row : candidates) {
      int last = row.from(starts[c + 1]);
      for (int i = row.from(starts[c]); i < last; i++) {
        wanted[row.items[i] - starts[c]] = true;
        length = Math.max(length, row.items[i] - starts[c] + 1);
      }
    }
    float[] items = new float[length * dim];
    for (int j = 0; j < length; j++) {
      if (wanted[j]) {
        chunks.get(c).items().copyRow(j, items, j * dim);
      }
    }
    return items;
  }
}
