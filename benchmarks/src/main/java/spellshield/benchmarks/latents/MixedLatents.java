package spellshield.benchmarks.latents;

import java.util.SplittableRandom;
import spellshield.index.store.LatentReader;

/// Any number of latents with the mean, the covariance and the norms of a few.
///
/// Item k is `μ + √(1 − β)·(a − μ) + √β·(b − μ)` with a, b drawn from the base and β from [0.2,
/// 0.5], all from the seed and k alone: a shorter set is the beginning of a longer one.
final class MixedLatents implements LatentReader {
  private static final long SEED = 0x313ed;

  private final float[] base;
  private final int dim;
  private final float[] mean;
  private final long count;

  MixedLatents(LatentReader latents, long count) {
    this.dim = latents.dim();
    this.count = count;
    int rows = Math.toIntExact(latents.count());
    this.base = new float[Math.multiplyExact(rows, dim)];
    float[] row = new float[dim];
    double[] sum = new double[dim];
    for (int item = 0; item < rows; item++) {
      latents.read(item, row);
      System.arraycopy(row, 0, base, item * dim, dim);
      for (int i = 0; i < dim; i++) {
        sum[i] += row[i];
      }
    }
    this.mean = new float[dim];
    for (int i = 0; i < dim; i++) {
      mean[i] = (float) (sum[i] / rows);
    }
  }

  @Override
  public long count() {
    return count;
  }

  @Override
  public int dim() {
    return dim;
  }

  @Override
  public double read(long item, float[] into) {
    SplittableRandom random = new SplittableRandom(SEED + item * 0x9e3779b97f4a7c15L);
    int rows = base.length / dim;
    int a = random.nextInt(rows) * dim;
    int b = random.nextInt(rows) * dim;
    double beta = random.nextDouble(0.2, 0.5);
    double weightA = Math.sqrt(1 - beta);
    double weightB = Math.sqrt(beta);
    for (int i = 0; i < dim; i++) {
      into[i] =
          (float) (mean[i] + weightA * (base[a + i] - mean[i]) + weightB * (base[b + i] - mean[i]));
    }
    return 0;
  }
}
