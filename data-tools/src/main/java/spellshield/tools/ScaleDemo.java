package spellshield.tools;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import spellshield.index.ProtectedSet;
import spellshield.index.search.NeighborSearch;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Euler;
import spellshield.sampler.Latents;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.measure.Pairwise;
import spellshield.sampler.measure.Vendi;
import spellshield.sampler.shield.Activity;
import spellshield.sampler.shield.History;
import spellshield.sampler.shield.Shield;
import spellshield.tools.codec.Codec;

/// The first half of the demo: a model that has memorised every protected picture, sampled class by
/// class, plain and behind the shield.
final class ScaleDemo {
  /// All at once: the memoriser works in tiles of 32 rows of one class, which small batches leave
  /// empty.
  private static final int BATCH = 256;

  /// The batches that are kept apart are smaller: each must differ from those before.
  private static final int DIVERSE_BATCH = 16;

  private final ProtectedSet set;
  private final Codec codec;
  private final double radius;
  private final int samples;
  private final int steps;
  private final boolean quiet;
  private final ProtectedData data;

  ScaleDemo(ProtectedSet set, Codec codec, double radius, int samples, int steps, boolean quiet) {
    this.set = set;
    this.codec = codec;
    this.radius = radius;
    this.samples = samples;
    this.steps = steps;
    this.quiet = quiet;
    this.data = ProtectedData.of(set);
  }

  /// One line of the table.
  record Run(
      String name,
      int samples,
      int inside,
      double millisPerImage,
      double searchMillisPerStep,
      double searchesPerTrajectory,
      double pushedStepShare,
      int resampled,
      int certified) {}

  /// One line of the table of diversity.
  record Diversity(String name, int samples, int tooNear, double vendi, double meanDistance) {}

  /// Both tables.
  record Result(List<Run> runs, List<Diversity> diversity) {}

  Result run() throws IOException {
    try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data.latents(), data.labels())) {
      Shield none = Shield.builder().build();
      // The first run of a kernel is compiled while it runs; that is not what the table is about.
      sampler(denoiser, none).sample(new long[] {-1, -2}, labels(0, 2));
      List<Run> runs = new ArrayList<>();
      runs.add(run("plain", denoiser, none, sampler -> sampler));
      runs.add(run("hnsw", denoiser, shield(set.hnsw()), sampler -> sampler));
      runs.add(
          run(
              "exact",
              denoiser,
              shield(set.exact()),
              sampler -> sampler.guaranteeing(set, radius)));
      List<Diversity> diversity = new ArrayList<>();
      diversity.add(diversity("plain", sampler(denoiser, none)));
      Shield apart =
          Shield.builder()
              .protecting(set.exact(), set.latents(), radius)
              .intraBatch(radius)
              .history(new History(set.space().dim()), radius)
              .build();
      diversity.add(diversity("shielded", sampler(denoiser, apart).guaranteeing(set, radius)));
      return new Result(runs, diversity);
    }
  }

  private Shield shield(NeighborSearch search) {
    return Shield.builder().protecting(search, set.latents(), radius).build();
  }

  private ShieldedSampler sampler(Denoiser denoiser, Shield shield) {
    return new ShieldedSampler(
            denoiser, new Euler(), NoiseSchedule.Karras.edm(), steps, shield, set.space().shape())
        .delivering(codec::roundTrip);
  }

  private Run run(
      String name, Denoiser denoiser, Shield shield, UnaryOperator<ShieldedSampler> guarantee) {
    List<Sample> done = new ArrayList<>();
    long start = System.nanoTime();
    ShieldedSampler sampler;
    int batches = (samples + BATCH - 1) / BATCH;
    try (Progress progress = Progress.start(name + ", steps", (long) batches * steps, quiet)) {
      Denoiser counted =
          (xt, sigma, condition) -> {
            progress.step();
            return denoiser.denoise(xt, sigma, condition);
          };
      sampler = guarantee.apply(sampler(counted, shield));
      for (int from = 0; from < samples; from += BATCH) {
        long[] seeds = seeds(from, Math.min(BATCH, samples - from));
        done.addAll(sampler.sample(seeds, labels(from, seeds.length)));
      }
    }
    double millis = (System.nanoTime() - start) / 1e6;
    Activity activity = Activity.NONE;
    int resampled = 0;
    int certified = 0;
    for (Sample sample : done) {
      activity = activity.plus(sample.activity());
      resampled += sample.attempts() > 1 ? 1 : 0;
      certified += sample.certificate().isPresent() ? 1 : 0;
    }
    return new Run(
        name,
        samples,
        BruteForce.of(data).inside(done, radius),
        millis / samples,
        sampler.searchNanos() / 1e6 / Math.max(1, activity.steps()),
        (double) activity.searches() / samples,
        (double) activity.acted() / Math.max(1, activity.steps()),
        resampled,
        certified);
  }

  private Diversity diversity(String name, ShieldedSampler sampler) {
    int count = Math.min(64, samples);
    List<Sample> done = new ArrayList<>();
    for (int from = 0; from < count; from += DIVERSE_BATCH) {
      long[] seeds = seeds(1_000_000 + from, Math.min(DIVERSE_BATCH, count - from));
      done.addAll(sampler.sample(seeds, new Condition.Labels(new int[seeds.length])));
    }
    int dim = set.space().dim();
    float[] values = new float[count * dim];
    int tooNear = 0;
    for (int i = 0; i < count; i++) {
      System.arraycopy(done.get(i).latent(), 0, values, i * dim, dim);
      for (int j = 0; j < i; j++) {
        double sum = 0;
        for (int d = 0; d < dim; d++) {
          sum += Math.pow((double) values[i * dim + d] - values[j * dim + d], 2);
        }
        tooNear += Math.sqrt(sum) <= radius ? 1 : 0;
      }
    }
    Latents rows = new Latents(values, count, set.space().shape());
    double bandwidth = 0.3 * set.statistics().typicalDistance();
    return new Diversity(
        name, count, tooNear, Vendi.rbf(rows, bandwidth), Pairwise.meanDistance(rows));
  }

  private static long[] seeds(int from, int count) {
    long[] seeds = new long[count];
    Arrays.setAll(seeds, i -> from + (long) i);
    return seeds;
  }

  private Condition labels(int from, int count) {
    int[] labels = new int[count];
    Arrays.setAll(labels, i -> (from + i) % data.names().size());
    return new Condition.Labels(labels);
  }
}
