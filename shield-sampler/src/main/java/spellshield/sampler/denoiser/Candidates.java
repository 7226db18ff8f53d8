package spellshield.sampler.denoiser;

import java.util.Arrays;

/// The items that may carry weight for one row: numbers, squared distances, then weights.
final class Candidates {
  /// Ascending item numbers; the first [#count] entries count.
  final int[] items;

  /// ‖x − z‖², up to a constant; [#weigh] turns them into weights, the largest 1.
  final double[] values;

  int count;

  /// Takes the items whose score is at most `limit`, with the score as their distance.
  Candidates(double[] scores, double limit) {
    for (double score : scores) {
      count += score <= limit ? 1 : 0;
    }
    items = new int[count];
    values = new double[count];
    int next = 0;
    for (int k = 0; next < count; k++) {
      if (scores[k] <= limit) {
        items[next] = k;
        values[next++] = scores[k];
      }
    }
  }

  /// Returns the position of the first candidate with at least the given number.
  int from(int item) {
    int found = Arrays.binarySearch(items, 0, count, item);
    return found >= 0 ? found : -found - 1;
  }

  /// Replaces distances by weights `exp(−(d² − least d²)/(2σ²))`, drops those below e^−cut, and
  /// returns the sum of the rest.
  double weigh(double sigma, double cut) {
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      least = Math.min(least, values[i]);
    }
    double total = 0;
    int kept = 0;
    for (int i = 0; i < count; i++) {
      double exponent = (values[i] - least) / (2 * sigma * sigma);
      if (exponent <= cut) {
        items[kept] = items[i];
        values[kept] = Math.exp(-exponent);
        total += values[kept++];
      }
    }
    count = kept;
    return total;
  }
}
