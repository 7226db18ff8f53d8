package spellshield.tools;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import spellshield.index.ProtectedSet;
import spellshield.sampler.Condition;
import spellshield.sampler.Euler;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.LocalEmpiricalDenoiser;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.shield.Shield;
import spellshield.tools.codec.Codec;
import spellshield.tools.measure.CopyCorrelation;
import spellshield.tools.report.ContactSheet;
import spellshield.tools.report.ContactSheet.Cell;

/// The second half of the demo: the dial from a memoriser to an artist, plain and behind the
/// shield.
final class DialDemo {
  private static final int STEPS = 18;

  private final ProtectedSet set;
  private final Codec codec;
  private final double radius;
  private final int samples;
  private final boolean quiet;
  private final ProtectedData data;
  private final BruteForce judge;
  private final IntFunction<String> names;

  /// Prepares the demo.
  ///
  /// @param names what a protected picture shows
  DialDemo(
      ProtectedSet set,
      Codec codec,
      double radius,
      int samples,
      boolean quiet,
      IntFunction<String> names) {
    this.set = set;
    this.codec = codec;
    this.radius = radius;
    this.samples = samples;
    this.quiet = quiet;
    this.data = ProtectedData.of(set);
    this.judge = new BruteForce(data.latents());
    this.names = names;
  }

  /// One setting of the dial.
  ///
  /// @param window the width of the window in pixels
  /// @param unchanged shielded outputs that are bit-equal to the plain ones
  /// @param plainCorrelation mean copy correlation with the nearest protected picture
  record Setting(
      int window,
      int samples,
      int plainInside,
      int shieldedInside,
      int unchanged,
      int certified,
      double plainCorrelation,
      double shieldedCorrelation) {}

  /// Samples at one setting and adds its rows to the sheet.
  Setting run(int halfWidth, int shown, ContactSheet sheet) {
    LocalEmpiricalDenoiser denoiser = LocalEmpiricalDenoiser.of(data.latents(), halfWidth);
    int width = Math.max(set.space().shape()[1], set.space().shape()[2]);
    int window = 2 * halfWidth + 1;
    String name = halfWidth >= width ? "whole image" : window + " px";
    Shield none = Shield.builder().build();
    Shield shield = Shield.builder().protecting(set.exact(), set.latents(), radius).build();
    List<Sample> plain = sample(name + " plain", sampler(denoiser, none));
    List<Sample> shielded =
        sample(name + " shielded", sampler(denoiser, shield).guaranteeing(set, radius));
    BruteForce.Nearest[] nearPlain = judge.nearest(plain);
    BruteForce.Nearest[] nearShielded = judge.nearest(shielded);
    double plainCorrelation = 0;
    double shieldedCorrelation = 0;
    List<List<Cell>> rows = List.of(cells(), cells(), cells(), cells());
    int unchanged = 0;
    for (int i = 0; i < samples; i++) {
      boolean same = Arrays.equals(plain.get(i).latent(), shielded.get(i).latent());
      unchanged += same ? 1 : 0;
      plainCorrelation += addPair(plain.get(i), nearPlain[i], rows.get(0), rows.get(1), "");
      shieldedCorrelation +=
          addPair(
              shielded.get(i), nearShielded[i], rows.get(2), rows.get(3), same ? "same" : "moved");
    }
    String[] headings = {name, "  nearest", "shielded", "  nearest"};
    for (int row = 0; row < headings.length; row++) {
      sheet.row(headings[row], rows.get(row).subList(0, Math.min(shown, samples)));
    }
    return new Setting(
        window,
        samples,
        count(nearPlain),
        count(nearShielded),
        unchanged,
        (int) shielded.stream().filter(sample -> sample.certificate().isPresent()).count(),
        plainCorrelation / samples,
        shieldedCorrelation / samples);
  }

  private static List<Cell> cells() {
    return new ArrayList<>();
  }

  private int count(BruteForce.Nearest[] nearest) {
    return (int) Arrays.stream(nearest).filter(n -> n.distance() <= radius).count();
  }

  /// Adds a sample and its nearest protected picture; returns their copy correlation.
  private double addPair(
      Sample sample,
      BruteForce.Nearest near,
      List<Cell> own,
      List<Cell> protectedOnes,
      String mark) {
    RgbImage picture = codec.decode(sample.latent());
    RgbImage original = codec.decode(data.latents().row(near.item()));
    double correlation = CopyCorrelation.of(picture, original);
    double share = near.distance() / set.statistics().typicalDistance();
    int frame = near.distance() <= radius ? ContactSheet.INSIDE : ContactSheet.OUTSIDE;
    own.add(new Cell(picture, "%.2f %s".formatted(share, mark).strip(), frame));
    protectedOnes.add(Cell.of(original, names.apply(near.item())));
    return correlation;
  }

  private List<Sample> sample(String task, ShieldedSampler sampler) {
    List<Sample> done = new ArrayList<>();
    int batch = 4;
    try (Progress progress = Progress.start(task, samples, quiet)) {
      for (int from = 0; from < samples; from += batch) {
        long[] seeds = new long[Math.min(batch, samples - from)];
        for (int i = 0; i < seeds.length; i++) {
          seeds[i] = (long) from + i;
        }
        done.addAll(sampler.sample(seeds, Condition.NONE));
        progress.step(seeds.length);
      }
    }
    return done;
  }

  private ShieldedSampler sampler(LocalEmpiricalDenoiser denoiser, Shield shield) {
    return new ShieldedSampler(
            denoiser, new Euler(), NoiseSchedule.Karras.edm(), STEPS, shield, set.space().shape())
        .delivering(codec::roundTrip);
  }
}
