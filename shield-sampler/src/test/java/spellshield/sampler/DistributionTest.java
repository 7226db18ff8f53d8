package spellshield.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// What the stochastic samplers make of a Gaussian, which their linear steps keep a Gaussian.
///
/// A step's coefficients give the exact mean and variance after any number of steps. 20,000 outputs
/// are compared with these, and these with the data's own.
class DistributionTest {
  private static final double MEAN = 0.8;
  private static final double STD = 0.6;
  private static final int COUNT = 20_000;

  /// P(|N(0, 1)| > 4) = 6.3·10⁻⁵: the p-value of each of the six comparisons.
  private static final double BOUND = 4;

  private record Moments(double mean, double variance) {}

  @Test
  void ancestral_outputs_have_the_mean_and_the_variance_of_the_data() {
    double[] sigmas = new NoiseSchedule.Karras(0.01, 20, 7).sigmas(60);
    requireMoments(sampled(new Ancestral(1), sigmas), ancestral(1, sigmas));
    requireData(ancestral(1, new NoiseSchedule.Karras(0.01, 20, 7).sigmas(2000)));
  }

  @Test
  void ddim_outputs_have_the_mean_and_the_variance_of_the_data() {
    double[] sigmas = new NoiseSchedule.Exponential(0.01, 20).sigmas(60);
    requireMoments(sampled(new Ddim(1), sigmas), ancestral(1, sigmas));
    requireData(ancestral(1, new NoiseSchedule.Exponential(0.01, 20).sigmas(2000)));
  }

  @Test
  void churned_heun_outputs_have_the_mean_and_the_variance_of_the_data() {
    double[] sigmas = new NoiseSchedule.Karras(0.01, 20, 7).sigmas(40);
    requireMoments(sampled(new Heun(10, 0.05, 10, 1), sigmas), heun(10, 0.05, 10, sigmas));
    requireData(heun(10, 0.05, 10, new NoiseSchedule.Karras(0.01, 20, 7).sigmas(2000)));
  }

  private static void requireMoments(float[] outputs, Moments expected) {
    double mean = 0;
    for (float x : outputs) {
      mean += x / COUNT;
    }
    double variance = 0;
    for (float x : outputs) {
      variance += (x - mean) * (x - mean) / (COUNT - 1);
    }
    // The mean of n has the variance v/n, the sample variance nearly 2v²/n.
    assertThat(mean).isCloseTo(expected.mean, within(BOUND * Math.sqrt(expected.variance / COUNT)));
    assertThat(variance)
        .isCloseTo(expected.variance, within(BOUND * expected.variance * Math.sqrt(2.0 / COUNT)));
  }

  private static void requireData(Moments many) {
    // Starting from N(0, σ²) in place of N(μ, s² + σ²) leaves s/sqrt(s² + σ²) = 3 % of μ.
    assertThat(many.mean).isCloseTo(MEAN, within(0.03 * MEAN));
    assertThat(many.variance).isCloseTo(STD * STD, within(0.01 * STD * STD));
  }

  private static float[] sampled(Sampler sampler, double[] sigmas) {
    Noise noise = new Noise(LongStream.range(0, COUNT / 10).toArray());
    Latents start = noise.draw(0, 10);
    for (int i = 0; i < start.values().length; i++) {
      start.values()[i] *= (float) sigmas[0];
    }
    GaussianDenoiser gaussian = new GaussianDenoiser(new double[] {MEAN}, new double[] {STD});
    return sampler.sample(gaussian, sigmas, start, noise, Condition.NONE).values();
  }

  /// x − μ shrinks to this share of itself in x̂0 − μ.
  private static double shrink(double sigma) {
    return STD * STD / (STD * STD + sigma * sigma);
  }

  private static Moments ancestral(double eta, double[] sigmas) {
    double mean = -MEAN; // of x − μ
    double variance = sigmas[0] * sigmas[0];
    for (int i = 0; i + 1 < sigmas.length; i++) {
      double s = sigmas[i];
      double n = sigmas[i + 1];
      double up = eta * n * Math.sqrt((s * s - n * n) / (s * s));
      double factor = 1 + (Math.sqrt(n * n - up * up) - s) / s * (1 - shrink(s));
      mean *= factor;
      variance = variance * factor * factor + up * up;
    }
    return new Moments(mean + MEAN, variance);
  }

  private static Moments heun(double churn, double low, double high, double[] sigmas) {
    double mean = -MEAN;
    double variance = sigmas[0] * sigmas[0];
    for (int i = 0; i + 1 < sigmas.length; i++) {
      double s = sigmas[i];
      double n = sigmas[i + 1];
      double gamma =
          s >= low && s <= high ? Math.min(churn / (sigmas.length - 1), Math.sqrt(2) - 1) : 0;
      double hat = s * (1 + gamma);
      variance += hat * hat - s * s;
      double d = (1 - shrink(hat)) / hat;
      double predicted = 1 + (n - hat) * d;
      double dNext = n == 0 ? d : predicted * (1 - shrink(n)) / n;
      double factor = 1 + (n - hat) * (d + dNext) / 2;
      mean *= factor;
      variance *= factor * factor;
    }
    return new Moments(mean + MEAN, variance);
  }
}
