package spellshield.tools;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import spellshield.index.ProtectedSet;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Euler;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.LocalEmpiricalDenoiser;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.pipeline.DiffusionPipeline;
import spellshield.sampler.pipeline.Generated;
import spellshield.sampler.pipeline.Protection;
import spellshield.sampler.pipeline.Request;
import spellshield.sampler.shield.Shield;
import spellshield.tools.codec.LatentCodec;
import spellshield.tools.measure.CopyCorrelation;
import spellshield.tools.report.ContactSheet;
import spellshield.tools.report.ContactSheet.Cell;

/// The second half of the demo: in the latents of an autoencoder, the dial from a memoriser to an
/// artist and real networks, plain and behind the shield.
final class DialDemo {
  private static final int FORMULA_STEPS = 18;
  private static final int NETWORK_STEPS = 30;

  /// Of the networks; the pipeline's own is for networks of another size.
  private static final double GUIDANCE_SCALE = 2;

  private static final int BATCH = 16;

  private final ProtectedSet set;
  private final LatentCodec codec;
  private final double radius;
  private final boolean quiet;
  private final ProtectedData data;
  private final BruteForce judge;
  private final IntFunction<String> names;

  /// Prepares the demo.
  ///
  /// @param names what a protected picture shows
  DialDemo(
      ProtectedSet set,
      LatentCodec codec,
      double radius,
      boolean quiet,
      IntFunction<String> names) {
    this.set = set;
    this.codec = codec;
    this.radius = radius;
    this.quiet = quiet;
    this.data = ProtectedData.of(set);
    this.judge = BruteForce.of(data);
    this.names = names;
  }

  /// One line of the table.
  ///
  /// @param plainInside plain samples whose latents lie inside
  /// @param plainFilesInside plain samples whose files, encoded again, lie inside
  /// @param unchanged shielded outputs that are bit-equal to the plain ones
  /// @param again shielded samples that needed a second round, or more, for latent or file
  /// @param plainCorrelation mean copy correlation with the nearest protected picture
  record Setting(
      String model,
      int samples,
      int plainInside,
      int plainFilesInside,
      int shieldedInside,
      int shieldedFilesInside,
      int unchanged,
      int certified,
      int again,
      double plainCorrelation,
      double shieldedCorrelation) {}

  /// Samples the closed formula with windows of a half-width, in places of the latent.
  Setting formula(String name, int halfWidth, int samples, int shown, ContactSheet sheet) {
    LocalEmpiricalDenoiser denoiser = LocalEmpiricalDenoiser.of(data.latents(), halfWidth);
    Shield none = Shield.builder().build();
    Shield shield = Shield.builder().protecting(set.exact(), set.latents(), radius).build();
    ShieldedSampler plain = sampler(denoiser, none);
    ShieldedSampler shielded =
        sampler(denoiser, shield)
            .guaranteeing(set, radius)
            .checking(codec.autoencoder().fileCheck(set.space().shape()));
    return setting(
        name,
        batches(name + " plain", samples, seeds -> plain.sample(seeds, Condition.NONE)),
        batches(name + " shielded", samples, seeds -> shielded.sample(seeds, Condition.NONE)),
        shown,
        sheet);
  }

  private ShieldedSampler sampler(Denoiser denoiser, Shield shield) {
    return new ShieldedSampler(
        denoiser,
        new Euler(),
        NoiseSchedule.Karras.edm(),
        FORMULA_STEPS,
        shield,
        set.space().shape());
  }

  /// Samples a network, its classes in turn.
  Setting network(
      String name, DiffusionPipeline pipeline, int samples, int shown, ContactSheet sheet) {
    int classes = pipeline.labels().size();
    Function<long[], Request> request =
        seeds ->
            Request.labels(
                    Arrays.stream(seeds).mapToInt(seed -> Math.floorMod(seed, classes)).toArray())
                .seeds(seeds)
                .steps(NETWORK_STEPS)
                .guidanceScale(GUIDANCE_SCALE)
                .withoutPictures();
    Protection protection = Protection.of(set, radius);
    return setting(
        name,
        batches(name + " plain", samples, seeds -> samples(pipeline.sample(request.apply(seeds)))),
        batches(
            name + " shielded",
            samples,
            seeds -> samples(pipeline.sample(request.apply(seeds), protection))),
        shown,
        sheet);
  }

  private static List<Sample> samples(List<Generated> results) {
    return results.stream().map(Generated::sample).toList();
  }

  private List<Sample> batches(String task, int samples, Function<long[], List<Sample>> run) {
    List<Sample> done = new ArrayList<>();
    try (Progress progress = Progress.start(task, samples, quiet)) {
      for (int from = 0; from < samples; from += BATCH) {
        long[] seeds = new long[Math.min(BATCH, samples - from)];
        for (int i = 0; i < seeds.length; i++) {
          seeds[i] = (long) from + i;
        }
        done.addAll(run.apply(seeds));
        progress.step(seeds.length);
      }
    }
    return done;
  }

  /// Judges by brute force, and adds four rows to the sheet.
  private Setting setting(
      String name, List<Sample> plain, List<Sample> shielded, int shown, ContactSheet sheet) {
    int samples = plain.size();
    Look look = look(plain, i -> "");
    int[] unchanged = new int[1];
    Look shieldedLook =
        look(
            shielded,
            i -> {
              boolean same = Arrays.equals(plain.get(i).latent(), shielded.get(i).latent());
              unchanged[0] += same ? 1 : 0;
              return same ? "same" : "moved";
            });
    sheet.row(name, look.own().subList(0, Math.min(shown, samples)));
    sheet.row("  nearest", look.near().subList(0, Math.min(shown, samples)));
    sheet.row("shielded", shieldedLook.own().subList(0, Math.min(shown, samples)));
    sheet.row("  nearest", shieldedLook.near().subList(0, Math.min(shown, samples)));
    return new Setting(
        name,
        samples,
        look.latentsInside(),
        look.filesInside(),
        shieldedLook.latentsInside(),
        shieldedLook.filesInside(),
        unchanged[0],
        (int) shielded.stream().filter(sample -> sample.certificate().isPresent()).count(),
        (int) shielded.stream().filter(sample -> sample.rounds() > 1).count(),
        look.correlation(),
        shieldedLook.correlation());
  }

  /// What becomes of samples as pictures.
  ///
  /// @param own each picture, with the distance of its latent
  /// @param near the nearest protected picture of each
  /// @param correlation mean copy correlation of both
  private record Look(
      List<Cell> own, List<Cell> near, int latentsInside, int filesInside, double correlation) {}

  private Look look(List<Sample> samples, IntFunction<String> mark) {
    List<float[]> latents = samples.stream().map(Sample::latent).toList();
    List<RgbImage> pictures = latents.stream().map(codec::decode).toList();
    BruteForce.Nearest[] nearest = judge.nearest(latents);
    BruteForce.Nearest[] nearestToFiles = judge.nearest(codec.encode(pictures));
    List<Cell> own = new ArrayList<>();
    List<Cell> near = new ArrayList<>();
    double correlation = 0;
    for (int i = 0; i < samples.size(); i++) {
      RgbImage original = codec.decode(data.latents().row(nearest[i].item()));
      correlation += CopyCorrelation.of(pictures.get(i), original);
      double least = Math.min(nearest[i].distance(), nearestToFiles[i].distance());
      double share = nearest[i].distance() / set.statistics().typicalDistance();
      int frame = least <= radius ? ContactSheet.INSIDE : ContactSheet.OUTSIDE;
      own.add(new Cell(pictures.get(i), "%.2f %s".formatted(share, mark.apply(i)).strip(), frame));
      near.add(Cell.of(original, names.apply(nearest[i].item())));
    }
    return new Look(
        own,
        near,
        judge.inside(nearest, radius),
        judge.inside(nearestToFiles, radius),
        correlation / samples.size());
  }
}
