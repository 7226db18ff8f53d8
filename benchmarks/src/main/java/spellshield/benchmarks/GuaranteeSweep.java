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
      try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data.latents(), data.labels())) {
        for (Sampler sampler : SAMPLERS) {
          for (String share : Arrays.asList(args).subList(3, args.length)) {
            line(set, data, denoiser, sampler, Double.parseDouble(share), samples, steps);
          }
        }
      }
    }
  }

  private static void line(
      ProtectedSet set,
      ProtectedData data,
      EmpiricalDenoiser denoiser,
      Sampler sampler,
      double share,
      int samples,
      int steps) {
    double radius = set.radius(share);
    Shield shield = Shield.builder().protecting(set.exact(), set.latents(), radius).build();
    NoiseSchedule schedule = NoiseSchedule.Karras.edm();
    int[] shape = set.space().shape();
    long[] seeds = new long[samples];
    int[] labels = new int[samples];
    int classes = data.names().size();
    for (int i = 0; i < samples; i++) {
      seeds[i] = i;
      labels[i] = i % classes;
    }
    BruteForce judge = new BruteForce(data.latents());
    Condition condition = new Condition.Labels(labels);
    List<Sample> plain =
        new ShieldedSampler(denoiser, sampler, schedule, steps, Shield.builder().build(), shape)
            .sample(seeds, condition);
    long start = System.nanoTime();
    List<Sample> shielded =
        new ShieldedSampler(denoiser, sampler, schedule, steps, shield, shape)
            .guaranteeing(set, radius)
            .sample(seeds, condition);
    double millis = (System.nanoTime() - start) / 1e6 / samples;
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
    System.out.println(
        String.format(
            Locale.ROOT,
            "| %s | %.2f | %d | %d | %d | %d | %d of 16 | %d | %d | %.1f %% | %.2f | %.0f |",
            sampler.name(),
            share,
            samples,
            judge.inside(plain, radius),
            judge.inside(shielded, radius),
            certified,
            valid,
            moved,
            resampled,
            100.0 * activity.acted() / Math.max(1, activity.steps()),
            (double) activity.searches() / samples,
            millis));
  }
}
