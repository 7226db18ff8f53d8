package spellshield.sampler.denoiser;

import spellshield.sampler.Latents;

/// The posterior mean as it is written down, in float64: the tests' oracle.
final class Posterior {
  private Posterior() {}

  static double[] mean(Latents data, float[] x, double sigma, int[] items) {
    int dim = data.dim();
    double[] weights = new double[items.length];
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < items.length; i++) {
      for (int j = 0; j < dim; j++) {
        double difference = (double) x[j] - data.values()[items[i] * dim + j];
        weights[i] += difference * difference;
      }
      least = Math.min(least, weights[i]);
    }
    double total = 0;
    for (int i = 0; i < items.length; i++) {
      weights[i] = Math.exp(-(weights[i] - least) / (2 * sigma * sigma));
      total += weights[i];
    }
    double[] mean = new double[dim];
    for (int i = 0; i < items.length; i++) {
      for (int j = 0; j < dim; j++) {
        mean[j] += weights[i] / total * data.values()[items[i] * dim + j];
      }
    }
    return mean;
  }
}
