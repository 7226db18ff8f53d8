package spellshield.tools;

import java.util.List;
import java.util.stream.IntStream;
import spellshield.sampler.Latents;
import spellshield.sampler.guarantee.Sample;

/// The judge of the demo: distances in plain float64 over all latents, sharing no code with the
/// search.
///
/// @param data every protected latent
public record BruteForce(Latents data) {

  /// The nearest protected latent.
  ///
  /// @param item its position
  /// @param distance `‖x − z‖`
  public record Nearest(int item, double distance) {}

  /// Returns the nearest protected latent of each output, `Σ (x_i − z_i)²` summed in order.
  public Nearest[] nearest(List<float[]> outputs) {
    return IntStream.range(0, outputs.size())
        .parallel()
        .mapToObj(i -> nearest(outputs.get(i)))
        .toArray(Nearest[]::new);
  }

  private Nearest nearest(float[] output) {
    int dim = data.dim();
    double least = Double.POSITIVE_INFINITY;
    int item = -1;
    for (int k = 0; k < data.batch(); k++) {
      double sum = 0;
      // Leaving early cannot change which one is nearest: squares only add.
      for (int from = 0; from < dim && sum < least; from += 64) {
        int to = Math.min(dim, from + 64);
        for (int i = from; i < to; i++) {
          double difference = (double) output[i] - data.values()[k * dim + i];
          sum += difference * difference;
        }
      }
      if (sum < least) {
        least = sum;
        item = k;
      }
    }
    return new Nearest(item, Math.sqrt(least));
  }

  /// Returns how many samples are not farther than `radius` from every protected latent.
  public int inside(List<Sample> samples, double radius) {
    return inside(nearest(samples.stream().map(Sample::latent).toList()), radius);
  }

  /// Returns how many of these are not farther than `radius`.
  public int inside(Nearest[] nearest, double radius) {
    int inside = 0;
    for (Nearest one : nearest) {
      inside += one.distance() <= radius ? 1 : 0;
    }
    return inside;
  }
}
