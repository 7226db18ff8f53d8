package spellshield.tools;

import java.util.List;
import java.util.stream.IntStream;
import spellshield.index.store.RadiusScales;
import spellshield.sampler.Latents;
import spellshield.sampler.guarantee.Sample;

/// The judge of the demo: distances in plain float64 over all latents, sharing no code with the
/// search.
///
/// @param data every protected latent
/// @param scales how wide their balls are
public record BruteForce(Latents data, RadiusScales scales) {

  /// Judges by the latents and balls of a set.
  public static BruteForce of(ProtectedData data) {
    return new BruteForce(data.latents(), data.scales());
  }

  /// The nearest protected latent.
  ///
  /// @param item its position
  /// @param distance `‖x − z‖`
  /// @param scale s of its ball
  public record Nearest(int item, double distance, double scale) {}

  /// Returns the nearest protected latent of each output, that of the least `‖x − z_k‖/s_k`; `Σ
  /// (x_i − z_i)²` summed in order.
  public Nearest[] nearest(List<float[]> outputs) {
    return IntStream.range(0, outputs.size())
        .parallel()
        .mapToObj(i -> nearest(outputs.get(i)))
        .toArray(Nearest[]::new);
  }

  private Nearest nearest(float[] output) {
    int dim = data.dim();
    double least = Double.POSITIVE_INFINITY; // (‖x − z‖/s)²
    double square = Double.POSITIVE_INFINITY;
    int item = -1;
    for (int k = 0; k < data.batch(); k++) {
      double scale = scales.of(k);
      double bar = least * scale * scale;
      double sum = 0;
      // Leaving early cannot change which one is nearest: squares only add.
      for (int from = 0; from < dim && sum < bar; from += 64) {
        int to = Math.min(dim, from + 64);
        for (int i = from; i < to; i++) {
          double difference = (double) output[i] - data.values()[k * dim + i];
          sum += difference * difference;
        }
      }
      if (sum < bar) {
        least = sum / (scale * scale);
        square = sum;
        item = k;
      }
    }
    return new Nearest(item, Math.sqrt(square), item < 0 ? 1 : scales.of(item));
  }

  /// Returns how many samples are not farther than `radius`, times how wide a ball is, from every
  /// protected latent.
  public int inside(List<Sample> samples, double radius) {
    return inside(nearest(samples.stream().map(Sample::latent).toList()), radius);
  }

  /// Returns how many of these are not farther than `radius`, times how wide the ball is.
  public int inside(Nearest[] nearest, double radius) {
    int inside = 0;
    for (Nearest one : nearest) {
      inside += one.distance() <= one.scale() * radius ? 1 : 0;
    }
    return inside;
  }
}
