package spellshield.benchmarks.latents;

import java.util.SplittableRandom;
import spellshield.index.store.LatentReader;

/// Latents that stand in for real ones: a Gaussian of mean 0 with their spectrum, its axes the
/// principal directions.
///
/// Item k is drawn from the seed and k alone: a shorter set is the beginning of a longer one. What
/// a Gaussian lacks are the clusters of real latents; norms and distances vary a little less too.
final class GaussianLatents implements LatentReader {

  /// The name of its latent space.
  static final String SPACE = "gaussian stand-in";

  private static final long SEED = 0xba5e;

  /// Some of the eigenvalues, largest first, of the covariance of 40,000 real latents
  /// (tiny-ImageNet through TAEF2). Between them the spectrum is straight in log-log coordinates,
  /// which meets the cumulative variance to .002 everywhere; it adds up to 1,350, half the square
  /// of the typical distance 52.
  // spotless:off
  private static final double[][] SPECTRUM = {
    {1, 30.3}, {2, 25.1}, {3, 22.8}, {4, 21.1}, {6, 17.4}, {8, 13.7}, {12, 11.1}, {16, 9.92},
    {24, 7.02}, {32, 5.99}, {48, 4.23}, {64, 3.52}, {96, 2.40}, {128, 1.81}, {192, 1.19},
    {256, .879}, {384, .583}, {512, .457}, {768, .338}, {1024, .276}, {1280, .232}, {1536, .194},
    {1664, .175}, {1792, .153}, {1920, .118}, {1984, .0871}, {2048, .00494},
  };
  // spotless:on

  private final long count;
  private final double[] deviations = new double[BaseLatents.DIM];

  GaussianLatents(long count) {
    this.count = count;
    int next = 1;
    for (int i = 0; i < deviations.length; i++) {
      next += i + 1 > SPECTRUM[next][0] ? 1 : 0;
      double[] left = SPECTRUM[next - 1];
      double[] right = SPECTRUM[next];
      double part = Math.log((i + 1) / left[0]) / Math.log(right[0] / left[0]);
      deviations[i] = Math.sqrt(left[1] * Math.pow(right[1] / left[1], part));
    }
  }

  @Override
  public long count() {
    return count;
  }

  @Override
  public int dim() {
    return deviations.length;
  }

  @Override
  public double read(long item, float[] into) {
    // Not item times the golden ratio: that is the step of the generator itself, and the stream of
    // an item would be that of the one before it, but for the first number.
    SplittableRandom random = new SplittableRandom(SEED + item);
    for (int i = 0; i < deviations.length; i++) {
      into[i] = (float) (deviations[i] * random.nextGaussian());
    }
    return 0;
  }
}
