package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import spellshield.index.ProtectedSet;
import spellshield.sampler.Condition;
import spellshield.sampler.Euler;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.shield.Shield;
import spellshield.tools.BruteForce;
import spellshield.tools.ProtectedData;
import spellshield.tools.codec.LatentCodec;

/// Latent and file at several radii: how many files of a memoriser need a second round, and that
/// none is inside at the end.
///
/// `java --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp
/// "benchmarks/target/classes:benchmarks/target/lib/*" spellshield.benchmarks.FileCertificates SET
/// MODEL SAMPLES SHARE...`
///
/// SET was made by `shield index --model MODEL`. The judge is a float64 brute force over all
/// latents, asked about the latents and about the decoded, rounded and encoded pictures. A line per
/// radius, in Markdown.
public final class FileCertificates {
  private static final int STEPS = 32;

  private FileCertificates() {}

  /// Samples at every radius.
  ///
  /// @param args the folder of a set, that of its model, the number of samples, the radii as shares
  public static void main(String[] args) throws IOException {
    System.out.println(
        "| r, share | samples | plain inside, latent / file | inside, latent / file | certified |"
            + " files that moved a second time | resampled | moved at the end, share of r | ms/image |");
    System.out.println("|---|---|---|---|---|---|---|---|---|");
    Path model = Path.of(args[1]);
    try (ProtectedSet set = ProtectedSet.open(Path.of(args[0]));
        LatentCodec codec = LatentCodec.open(model, set.space())) {
      set.requireSpace(codec.space());
      ProtectedData data = ProtectedData.of(set);
      try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data.latents())) {
        FileCertificates run = new FileCertificates();
        for (String share : Arrays.asList(args).subList(3, args.length)) {
          double radius = set.radius(Double.parseDouble(share));
          run.print(set, codec, data, denoiser, share, radius, Integer.parseInt(args[2]));
        }
      }
    }
  }

  private void print(
      ProtectedSet set,
      LatentCodec codec,
      ProtectedData data,
      EmpiricalDenoiser denoiser,
      String share,
      double radius,
      int samples) {
    long[] seeds = LongStream.range(0, samples).toArray();
    int[] shape = set.space().shape();
    Shield shield = Shield.builder().protecting(set.exact(), set.latents(), radius).build();
    List<Sample> plain =
        sampler(denoiser, Shield.builder().build(), shape).sample(seeds, Condition.NONE);
    long start = System.nanoTime();
    List<Sample> shielded =
        sampler(denoiser, shield, shape)
            .guaranteeing(set, radius)
            .checking(codec.autoencoder().fileCheck(shape))
            .sample(seeds, Condition.NONE);
    double millis = (System.nanoTime() - start) / 1e6 / samples;
    BruteForce judge = BruteForce.of(data);
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %d / %d | %d / %d | %d | %d | %d | %.3f | %.0f |%n",
        share,
        samples,
        judge.inside(plain, radius),
        filesInside(judge, codec, plain, radius),
        judge.inside(shielded, radius),
        filesInside(judge, codec, shielded, radius),
        shielded.stream().filter(s -> s.certificate().isPresent()).count(),
        shielded.stream().filter(s -> s.rounds() > 2).count(),
        shielded.stream().filter(s -> s.attempts() > 1).count(),
        shielded.stream().mapToDouble(Sample::moved).average().orElse(0) / radius,
        millis);
  }

  private static ShieldedSampler sampler(EmpiricalDenoiser denoiser, Shield shield, int... shape) {
    return new ShieldedSampler(
        denoiser, new Euler(), NoiseSchedule.Karras.edm(), STEPS, shield, shape);
  }

  private static int filesInside(
      BruteForce judge, LatentCodec codec, List<Sample> samples, double radius) {
    List<float[]> files =
        codec.encode(samples.stream().map(s -> codec.decode(s.latent())).toList());
    return judge.inside(judge.nearest(files), radius);
  }
}
