package spellshield.sampler.denoiser;

import java.util.Arrays;
import spellshield.sampler.Latents;

/// The local posterior mean of one row; used once, by one thread.
///
/// Items are taken in blocks of eight, in their order. A block's energies are summed, the least
/// energy so far is lowered where the block has a lower one (and the sums so far scaled down to
/// it), and the items are added with their weights. So the whole set is read once, and nothing is
/// kept but one block's energies.
final class LocalPosterior {
  /// Eight energies of 64 × 64 positions fill a quarter of a second-level cache.
  private static final int BLOCK = 8;

  private final float[] items;
  private final int channels;
  private final int height;
  private final int width;
  private final int positions;
  private final int halfWidth;
  private final float[] x;
  private final int offset;
  private final double scale;

  /// `[BLOCK, H, W]`
  private final double[] energies;

  private final double[] least;
  private final double[] total;

  /// `[C, H, W]`, weighted
  private final double[] sums;

  private final double[] columns;
  private final float[] weights;

  LocalPosterior(Latents data, int halfWidth, float[] x, int offset, double sigma) {
    items = data.values();
    channels = data.shape()[0];
    height = data.shape()[1];
    width = data.shape()[2];
    positions = height * width;
    this.halfWidth = halfWidth;
    this.x = x;
    this.offset = offset;
    scale = 1 / (2 * sigma * sigma);
    energies = new double[BLOCK * positions];
    least = new double[positions];
    Arrays.fill(least, Double.POSITIVE_INFINITY);
    total = new double[positions];
    sums = new double[channels * positions];
    columns = new double[width + 2 * halfWidth + 1]; // stays zero on both sides
    weights = new float[width];
  }

  /// Averages the given items, one or more, into `target` from the row's offset.
  void mean(int[] which, float[] target) {
    double[] squares = new double[positions];
    for (int first = 0; first < which.length; first += BLOCK) {
      int n = Math.min(BLOCK, which.length - first);
      for (int b = 0; b < n; b++) {
        squaredDifferences(which[first + b] * channels * positions, squares);
        sumWindows(squares, b * positions);
      }
      lowerLeast(n);
      for (int b = 0; b < n; b++) {
        add(which[first + b] * channels * positions, b * positions);
      }
    }
    for (int c = 0; c < channels; c++) {
      for (int p = 0; p < positions; p++) {
        target[offset + c * positions + p] = (float) (sums[c * positions + p] / total[p]);
      }
    }
  }

  private void squaredDifferences(int item, double[] squares) {
    for (int c = 0; c < channels; c++) {
      int xFrom = offset + c * positions;
      int zFrom = item + c * positions;
      if (c == 0) {
        for (int p = 0; p < positions; p++) {
          double difference = (double) x[xFrom + p] - items[zFrom + p];
          squares[p] = difference * difference;
        }
      } else {
        for (int p = 0; p < positions; p++) {
          double difference = (double) x[xFrom + p] - items[zFrom + p];
          squares[p] += difference * difference;
        }
      }
    }
  }

  /// Sums the squares over every position's window: first down the columns, then along the row.
  private void sumWindows(double[] squares, int target) {
    Arrays.fill(columns, halfWidth + 1, halfWidth + 1 + width, 0);
    for (int y = 0; y < Math.min(halfWidth, height); y++) {
      addRow(squares, y * width);
    }
    for (int y = 0; y < height; y++) {
      if (y + halfWidth < height) {
        addRow(squares, (y + halfWidth) * width);
      }
      if (y - halfWidth - 1 >= 0) {
        subtractRow(squares, (y - halfWidth - 1) * width);
      }
      sumAlong(target + y * width);
    }
  }

  private void addRow(double[] squares, int from) {
    for (int i = 0; i < width; i++) {
      columns[halfWidth + 1 + i] += squares[from + i];
    }
  }

  private void subtractRow(double[] squares, int from) {
    for (int i = 0; i < width; i++) {
      columns[halfWidth + 1 + i] -= squares[from + i];
    }
  }

  private void sumAlong(int target) {
    int window = 2 * halfWidth + 1;
    double sum = 0;
    for (int i = 1; i < window; i++) {
      sum += columns[i];
    }
    for (int i = 0; i < width; i++) {
      sum += columns[i + window] - columns[i]; // one sum to wait for, not two
      energies[target + i] = sum;
    }
  }

  private void lowerLeast(int n) {
    for (int y = 0; y < height; y++) {
      int first = y * width;
      double[] lower = Arrays.copyOfRange(least, first, first + width);
      for (int b = 0; b < n; b++) {
        int from = b * positions + first;
        for (int i = 0; i < width; i++) {
          lower[i] = Math.min(lower[i], energies[from + i]);
        }
      }
      if (Arrays.equals(lower, 0, width, least, first, first + width)) {
        continue;
      }
      // e^(−(old least − new least)/2σ²) turns weights against the old into weights against the new
      LocalWeights.weigh(least, first, lower, 0, scale, weights, width);
      System.arraycopy(lower, 0, least, first, width);
      for (int i = 0; i < width; i++) {
        total[first + i] *= weights[i];
      }
      for (int c = 0; c < channels; c++) {
        for (int i = 0; i < width; i++) {
          sums[c * positions + first + i] *= weights[i];
        }
      }
    }
  }

  private void add(int item, int energy) {
    for (int y = 0; y < height; y++) {
      int first = y * width;
      if (!matters(energy + first, first)) {
        continue;
      }
      LocalWeights.weigh(energies, energy + first, least, first, scale, weights, width);
      for (int i = 0; i < width; i++) {
        total[first + i] += weights[i];
      }
      for (int c = 0; c < channels; c++) {
        int from = c * positions + first;
        for (int i = 0; i < width; i++) {
          sums[from + i] += weights[i] * items[item + from + i];
        }
      }
    }
  }

  /// Returns whether any position of an image row gives the item a weight above 0.
  private boolean matters(int energy, int first) {
    for (int i = 0; i < width; i++) {
      if ((energies[energy + i] - least[first + i]) * scale < LocalWeights.CUT) {
        return true;
      }
    }
    return false;
  }
}
