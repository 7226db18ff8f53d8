package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import spellshield.index.ProtectedSet;
import spellshield.index.kernel.Distance;
import spellshield.sampler.Condition;
import spellshield.sampler.Euler;
import spellshield.sampler.Latents;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.shield.Shield;
import spellshield.tools.codec.LatentCodec;
import spellshield.tools.edit.Edit;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.ImageSource.Entry;

/// What a shield does against models that have memorised *edited* copies, such as the mirrored ones
/// that many are trained with: `java … VariantShares PICTURES MODEL PLAIN VARIANTS SHARE SAMPLES
/// EDITS`.
///
/// PLAIN and VARIANTS are sets of the same PICTURES by `shield index --model MODEL`, the second
/// with `--variants`. For each edit a memoriser of all pictures so edited is sampled without a
/// shield and with that of each set, guaranteed; an output counts where it lies within the radius
/// of an edited copy, in float64, whether that is in the set or not.
public final class VariantShares {
  private static final int STEPS = 32;
  private static final int BATCH = 64;
  private static final long EDIT_SEED = 1;

  private final LatentCodec codec;
  private final double radius;
  private final int samples;

  private VariantShares(LatentCodec codec, double radius, int samples) {
    this.codec = codec;
    this.radius = radius;
    this.samples = samples;
  }

  /// Measures and prints a table.
  ///
  /// @param args pictures, model, set, set with variants, radius as a share, samples, edits
  public static void main(String[] args) throws IOException {
    try (ProtectedSet plain = ProtectedSet.open(Path.of(args[2]));
        ProtectedSet both = ProtectedSet.open(Path.of(args[3]));
        LatentCodec codec = LatentCodec.open(Path.of(args[1]), plain.space())) {
      both.requireSpace(plain.space());
      double radius = plain.radius(Double.parseDouble(args[4]));
      List<RgbImage> pictures = pictures(Path.of(args[0]));
      System.out.printf(
          Locale.ROOT,
          "%,d pictures, %,d latents with variants, r = %.3f%n%n",
          plain.count(),
          both.count(),
          radius);
      System.out.println(
          "| the model has memorised | outputs | edited copies without a shield | with a shield of the"
              + " pictures | with a shield of their variants too |");
      System.out.println("|---|---|---|---|---|");
      VariantShares run = new VariantShares(codec, radius, Integer.parseInt(args[5]));
      run.print("the pictures", pictures, plain, both);
      for (Edit edit : Edit.parseList(args[6])) {
        List<RgbImage> edited =
            pictures.stream()
                .map(picture -> edit.apply(codec.prepare(picture), codec, EDIT_SEED))
                .toList();
        run.print(edit.name(), edited, plain, both);
      }
    }
  }

  private static List<RgbImage> pictures(Path source) throws IOException {
    List<RgbImage> pictures = new ArrayList<>();
    try (Stream<Entry> entries = ImageSource.open(source).entries()) {
      entries.forEach(entry -> {
        if (entry instanceof Entry.Picture picture) {
          pictures.add(picture.image());
        }
      });
    }
    return pictures;
  }

  private void print(String name, List<RgbImage> pictures, ProtectedSet plain, ProtectedSet both) {
    int dim = codec.space().dim();
    float[] values = new float[pictures.size() * dim];
    for (int from = 0; from < pictures.size(); from += BATCH) {
      List<float[]> some =
          codec.encode(pictures.subList(from, Math.min(pictures.size(), from + BATCH)));
      for (int i = 0; i < some.size(); i++) {
        System.arraycopy(some.get(i), 0, values, (from + i) * dim, dim);
      }
    }
    Latents copies = new Latents(values, pictures.size(), codec.space().shape());
    try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(copies)) {
      System.out.printf(
          Locale.ROOT,
          "| %s | %d | %d | %d | %d |%n",
          name,
          samples,
          copied(denoiser, copies, Optional.empty()),
          copied(denoiser, copies, Optional.of(plain)),
          copied(denoiser, copies, Optional.of(both)));
    }
  }

  /// Returns how many outputs lie within the radius of a copy.
  private int copied(EmpiricalDenoiser denoiser, Latents copies, Optional<ProtectedSet> set) {
    Shield shield =
        set.map(some -> Shield.builder().protecting(some, radius).build())
            .orElseGet(() -> Shield.builder().build());
    ShieldedSampler sampler =
        new ShieldedSampler(
            denoiser,
            new Euler(),
            NoiseSchedule.Karras.edm(),
            STEPS,
            shield,
            codec.space().shape());
    set.ifPresent(some -> sampler.guaranteeing(some, radius));
    int inside = 0;
    for (int from = 0; from < samples; from += BATCH) {
      long[] seeds = LongStream.range(from, Math.min(samples, from + BATCH)).toArray();
      for (Sample sample : sampler.sample(seeds, Condition.NONE)) {
        inside += isCopy(sample.latent(), copies) ? 1 : 0;
      }
    }
    return inside;
  }

  private boolean isCopy(float[] latent, Latents copies) {
    for (int i = 0; i < copies.batch(); i++) {
      if (Distance.between(latent, 0, copies.values(), i * copies.dim(), copies.dim()) <= radius) {
        return true;
      }
    }
    return false;
  }
}
