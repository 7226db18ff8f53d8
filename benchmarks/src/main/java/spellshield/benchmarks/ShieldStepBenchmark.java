package spellshield.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import spellshield.index.search.Neighbor;
import spellshield.index.search.NeighborSearch;
import spellshield.index.search.Neighborhood;
import spellshield.index.store.LatentReader;
import spellshield.index.store.RadiusScales;
import spellshield.sampler.Condition;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;
import spellshield.sampler.shield.Shield;
import spellshield.sampler.shield.ShieldedDenoiser;

/// `./shield bench ShieldStep`
///
/// What the shield adds to a step beside the search: reading the latents that hold the predictions,
/// Δ, and the copies, for a batch of 16 at once. The answers are given, so that neither a search
/// nor a network is in the time. The neighbours of a prediction lie in random directions, at half
/// of the radius to all of it.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 2)
public class ShieldStepBenchmark {
  private static final int BATCH = 16;
  private static final double RADIUS = 15;

  @Param({"2048", "16384"})
  int dim;

  @Param({"0", "1", "100"})
  int neighbours;

  private Latents x0hat;
  private Latents xt;
  private ShieldedDenoiser shielded;

  /// Draws the predictions and what holds them.
  @Setup
  public void draw() {
    SplittableRandom random = new SplittableRandom(11);
    x0hat = Latents.zeros(BATCH, dim);
    xt = Latents.zeros(BATCH, dim);
    for (int i = 0; i < BATCH * dim; i++) {
      x0hat.values()[i] = (float) random.nextGaussian();
      xt.values()[i] = (float) (x0hat.values()[i] + random.nextGaussian());
    }
    float[] centres = new float[Math.max(1, BATCH * neighbours) * dim];
    List<Neighborhood> answers = new ArrayList<>();
    for (int row = 0; row < BATCH; row++) {
      List<Neighbor> found = new ArrayList<>();
      for (int k = 0; k < neighbours; k++) {
        found.add(place(centres, row * neighbours + k, x0hat.row(row), random));
      }
      found.sort(Neighbor.NEAREST_FIRST);
      answers.add(new Neighborhood(found, RADIUS));
    }
    Shield shield =
        Shield.builder()
            .protecting(new Known(answers), LatentReader.of(centres, dim), RADIUS)
            .candidateLists(false)
            .build();
    long[] seeds = new long[BATCH];
    for (int row = 0; row < BATCH; row++) {
      seeds[row] = row;
    }
    shielded = shield.over((x, sigma, condition) -> x0hat, new Noise(seeds));
    requirePushes();
  }

  private static Neighbor place(float[] centres, int item, float[] x, SplittableRandom random) {
    double distance = RADIUS * random.nextDouble(0.5, 1);
    // The norm of D Gaussians is √D, to 1/√(2D); 0.9 keeps even the farthest inside.
    double step = 0.9 * distance / Math.sqrt(x.length);
    float[] centre = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      centre[i] = (float) (x[i] + step * random.nextGaussian());
    }
    System.arraycopy(centre, 0, centres, item * x.length, x.length);
    return Neighbor.measure(item, x, 0, centre, 0, 1);
  }

  private void requirePushes() {
    shielded.denoise(xt, 1, Condition.NONE);
    int pushed = shielded.activities().stream().mapToInt(activity -> activity.acted()).sum();
    if (pushed != (neighbours == 0 ? 0 : BATCH)) {
      throw new IllegalStateException("%d of %d predictions were pushed".formatted(pushed, BATCH));
    }
  }

  @Benchmark
  public Latents step() {
    return shielded.denoise(xt, 1, Condition.NONE);
  }

  /// A search whose answers are known.
  private record Known(List<Neighborhood> answers) implements NeighborSearch {
    @Override
    public List<Neighborhood> search(float[] queries, double... radii) {
      return answers.subList(0, radii.length);
    }

    @Override
    public RadiusScales scales() {
      return RadiusScales.ONES;
    }

    @Override
    public boolean approximate() {
      return false;
    }
  }
}
