package spellshield.sampler;

import java.util.SplittableRandom;

/// Gaussian noise that belongs to a trajectory, not to a batch.
///
/// Every row has a seed; the draw with number `k` of a row depends on its seed and `k` alone. So
/// the same seed gives the same picture in any batch, at any place in it.
///
/// @param seeds one seed per row
public record Noise(long... seeds) implements Draws {

  @Override
  public int batch() {
    return seeds.length;
  }

  @Override
  public Latents draw(int k, int... shape) {
    Latents out = Latents.zeros(seeds.length, shape);
    int dim = out.dim();
    for (int row = 0; row < seeds.length; row++) {
      SplittableRandom random = stream(seeds[row], k);
      for (int i = 0; i < dim; i++) {
        out.values()[row * dim + i] = (float) random.nextGaussian();
      }
    }
    return out;
  }

  /// Returns the random stream number `k` of a seed.
  public static SplittableRandom stream(long seed, long k) {
    // Splitmix's finaliser keeps neighbouring (seed, k) apart.
    return new SplittableRandom(mix(seed + 0x9e3779b97f4a7c15L * (k + 1)) ^ mix(seed));
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
