package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ForkJoinPool;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.benchmarks.latents.MakeLatents;
import spellshield.index.search.Neighborhood;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.shield.Activity;
import spellshield.sampler.shield.Shield;
import spellshield.sampler.shield.ShieldedDenoiser;

/// What the shield costs an image: `java … ShieldedTrajectories CACHE COUNT SHARE...`.
///
/// The memoriser of [MakeLatents] samples batches of 16 in 32 steps, and the shield moves what it
/// predicts, for real: a pushed trajectory is searched for where the push led it. Everything that
/// the shield does counts (searches, lists, Δ), nothing that the network does. A line per radius in
/// Markdown, once with candidate lists and once with a search at every step; the first two of seven
/// runs warm up, and the figures are the medians of the others.
public final class ShieldedTrajectories {
  private static final int RUNS = 7;
  private static final int WARMING = 2;

  private ShieldedTrajectories() {}

  /// Measures.
  ///
  /// @param args the cache, the number of latents, the radii as shares of the typical distance
  public static void main(String[] args) throws IOException {
    try (BenchmarkSet set = BenchmarkSet.open(Path.of(args[0]), Integer.parseInt(args[1]))) {
      measure(set, Arrays.asList(args).subList(2, args.length));
    }
  }

  private static void measure(BenchmarkSet set, List<String> shares) {
    Latents memorised = MakeLatents.memorised(set.latents(), set.shape());
    double[] sigmas = MakeLatents.sigmas(memorised);
    try (EmpiricalDenoiser memoriser = EmpiricalDenoiser.of(memorised)) {
      System.out.printf(
          "%d latents, batches of %d, %d steps, %d threads%n%n",
          set.latents().count(),
          MakeLatents.TRAJECTORIES,
          MakeLatents.STEPS,
          ForkJoinPool.getCommonPoolParallelism() + 1);
      System.out.println(
          "| r, share | lists | shield ms/image | of it searches | searches/image | steps pushed | inside, plain | inside |");
      System.out.println("|---|---|---|---|---|---|---|---|");
      for (String share : shares) {
        double radius = Double.parseDouble(share) * set.typicalDistance();
        Latents plain = MakeLatents.sample(memoriser, sigmas, noise(RUNS - 1), set.shape());
        for (boolean lists : new boolean[] {true, false}) {
          double[] shield = new double[RUNS];
          double[] searches = new double[RUNS];
          Run run = null;
          for (int i = 0; i < RUNS; i++) {
            run = new Run(set, memoriser, sigmas, radius, lists, i);
            shield[i] = run.shieldNanos / 1e6 / MakeLatents.TRAJECTORIES;
            searches[i] = run.searchNanos / 1e6 / MakeLatents.TRAJECTORIES;
          }
          System.out.printf(
              Locale.ROOT,
              "| %s | %s | %.2f | %.2f | %.2f | %.1f %% | %d of %d | %d of %d |%n",
              share,
              lists ? "yes" : "no",
              median(shield),
              median(searches),
              (double) run.activity.searches() / MakeLatents.TRAJECTORIES,
              run.activity.steps() == 0 ? 0 : 100.0 * run.activity.acted() / run.activity.steps(),
              inside(set, plain, radius),
              plain.batch(),
              inside(set, run.samples, radius),
              run.samples.batch());
        }
      }
    }
  }

  private static double median(double[] values) {
    double[] counted = Arrays.copyOfRange(values, WARMING, values.length);
    Arrays.sort(counted);
    return counted[counted.length / 2];
  }

  private static long inside(BenchmarkSet set, Latents samples, double radius) {
    List<Neighborhood> found = set.exact().search(samples.values(), samples.batch(), radius);
    return found.stream().filter(answer -> !answer.neighbors().isEmpty()).count();
  }

  private static Noise noise(int run) {
    long[] seeds = new long[MakeLatents.TRAJECTORIES];
    Arrays.setAll(seeds, t -> (long) run * MakeLatents.TRAJECTORIES + t);
    return new Noise(seeds);
  }

  /// One batch, and the time that was not the network's.
  private static final class Run {
    final Latents samples;
    long shieldNanos;
    final long searchNanos;
    Activity activity = Activity.NONE;

    Run(
        BenchmarkSet set,
        Denoiser network,
        double[] sigmas,
        double radius,
        boolean lists,
        int run) {
      long[] networkNanos = new long[1];
      Denoiser timed =
          (xt, sigma, condition) -> {
            long start = System.nanoTime();
            Latents x0hat = network.denoise(xt, sigma, condition);
            networkNanos[0] += System.nanoTime() - start;
            return x0hat;
          };
      Shield shield =
          Shield.builder()
              .protecting(set.exact(), set.latents(), radius)
              .candidateLists(lists)
              .build();
      ShieldedDenoiser shielded = shield.over(timed, noise(run));
      Denoiser whole =
          (xt, sigma, condition) -> {
            long start = System.nanoTime();
            Latents x0hat = shielded.denoise(xt, sigma, condition);
            shieldNanos += System.nanoTime() - start;
            return x0hat;
          };
      this.samples = MakeLatents.sample(whole, sigmas, noise(run), set.shape());
      this.shieldNanos -= networkNanos[0];
      this.searchNanos = shielded.searchNanos();
      for (Activity row : shielded.activities()) {
        this.activity = activity.plus(row);
      }
    }
  }
}
