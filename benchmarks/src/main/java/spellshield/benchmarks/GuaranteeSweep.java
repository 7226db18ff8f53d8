package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import spellshield.index.ProtectedSet;
import spellshield.sampler.Ancestral;
import spellshield.sampler.Condition;
import spellshield.sampler.Ddim;
import spellshield.sampler.Denoiser;
import spellshield.sampler.DpmSolver2M;
import spellshield.sampler.Euler;
import spellshield.sampler.Heun;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.shield.Activity;
import spellshield.sampler.shield.Shield;
import spellshield.tools.BruteForce;
import spellshield.tools.ProtectedData;

/// Every sampler at several radii on one set, the memoriser behind it: how many samples end inside.
///
/// `java --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp
/// "benchmarks/target/classes:benchmarks/target/lib/*" spellshield.benchmarks.GuaranteeSweep SET
/// SAMPLES STEPS SHARE...`
///
/// The judge is a float64 brute force over all latents; every certificate is also checked anew. A
/// line per run, in Markdown.
public final class GuaranteeSweep {
  private static final List<Sampler> SAMPLERS =
      List.of(new Euler(), Heun.deterministic(), new Ancestral(1), new Ddim(0), new DpmSolver2M());

  private GuaranteeSweep() {}

  /// Runs the sweep.
  ///
  /// @param args the folder of a set, the number of samples, of steps, and the radii as shares
  public static void main(String[] args) throws IOException {
    int samples = Integer.parseInt(args[1]);
    int steps = Integer.parseInt(args[2]);
    System.out.println(
        "| sampler | r, share | samples | plain inside | inside | certified | checked | moved at the end"
            + " | resampled | steps pushed | searches | ms/image |");
    System.out.println("|---|---|---|---|---|---|---|---|---|---|---|---|");
    try (ProtectedSet set = ProtectedSet.open(Path.of(args[0]))) {
      ProtectedData data = ProtectedData.of(set);
      long[] seeds = new long[samples];
      int[] labels = new int[samples];
      for (int i = 0; i < samples; i++) {
        seeds[i] = i;
        labels[i] = i % data.names().size();
      }
      Condition condition = new Condition.Labels(labels);
      BruteForce judge = BruteForce.of(data);
      try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data.latents(), data.labels())) {
        for (Sampler sampler : SAMPLERS) {
          Runs runs = new Runs(set, denoiser, sampler, steps);
          List<Sample> plain = runs.plain(seeds, condition);
          for (String share : Arrays.asList(args).subList(3, args.length)) {
            double radius = set.radius(Double.parseDouble(share));
            long start = System.nanoTime();
            List<Sample> shielded = runs.shielded(radius, seeds, condition);
            double millis = (System.nanoTime() - start) / 1e6 / samples;
            System.out.println(
                String.format(
                    Locale.ROOT,
                    "| %s | %s | %d | %d | %d | %s | %.0f |",
                    sampler.name(),
                    share,
                    samples,
                    judge.inside(plain, radius),
                    judge.inside(shielded, radius),
                    certificates(set, shielded),
                    millis));
          }
        }
      }
    }
  }

  /// Sampling runs that differ in the radius alone.
  private record Runs(ProtectedSet set, Denoiser denoiser, Sampler sampler, int steps) {
    List<Sample> plain(long[] seeds, Condition condition) {
      return sampler(Shield.builder().build()).sample(seeds, condition);
    }

    List<Sample> shielded(double radius, long[] seeds, Condition condition) {
      Shield shield = Shield.builder().protecting(set.exact(), set.latents(), radius).build();
      return sampler(shield).guaranteeing(set, radius).sample(seeds, condition);
    }

    private ShieldedSampler sampler(Shield shield) {
      return new ShieldedSampler(
          denoiser, sampler, NoiseSchedule.Karras.edm(), steps, shield, set.space().shape());
    }
  }

  private static String certificates(ProtectedSet set, List<Sample> shielded) {
    Activity activity = Activity.NONE;
    int certified = 0;
    int moved = 0;
    int resampled = 0;
    for (Sample sample : shielded) {
      activity = activity.plus(sample.activity());
      certified += sample.certificate().isPresent() ? 1 : 0;
      moved += sample.moved() > 0 ? 1 : 0;
      resampled += sample.attempts() > 1 ? 1 : 0;
    }
    // Checking one certificate is a brute force over the whole set on disk; the first 16 stand for
    // all.
    long valid =
        shielded.stream()
            .limit(16)
            .filter(s -> s.certificate().isPresent())
            .filter(s -> s.certificate().get().check(set, s.latent()).isEmpty())
            .count();
    return String.format(
        Locale.ROOT,
        "%d | %d of 16 | %d | %d | %.1f %% | %.2f",
        certified,
        valid,
        moved,
        resampled,
        100.0 * activity.acted() / Math.max(1, activity.steps()),
        (double) activity.searches() / shielded.size());
  }
}
