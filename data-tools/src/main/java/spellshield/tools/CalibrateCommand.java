package spellshield.tools;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.Coverage;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetEditor;
import spellshield.index.store.Epoch;
import spellshield.index.store.Manifest;
import spellshield.tools.calibrate.Calibration;
import spellshield.tools.calibrate.Calibration.Verdict;
import spellshield.tools.calibrate.Measurement;
import spellshield.tools.calibrate.PictureSample;
import spellshield.tools.codec.Codec;
import spellshield.tools.edit.Edit;
import spellshield.tools.image.Png;
import spellshield.tools.report.SharePlot;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.Stored;

/// `shield calibrate`: which radius?
@Command(
    name = "calibrate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures what a radius catches and what it blocks, and recommends one or says that none"
          + " separates.",
      "",
      "Edits pictures of the set and tells how far the copies are from what is protected; tells the"
          + " same of pictures that were held out. Recommended is the smallest radius that catches"
          + " nearly all copies of every edit that can be caught at all without blocking too many of"
          + " the innocent pictures, by 95 % bounds of both shares. Edits are made at the size of the"
          + " latents' pictures.",
      "",
      "Example: shield calibrate set --pictures pictures/ --held-out others/ --model models/emoji"
          + " -o curve.png --write"
    })
final class CalibrateCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "SET", description = "The folder of the set.")
  private Path set = Path.of("");

  @Option(
      names = "--pictures",
      paramLabel = "SOURCE",
      required = true,
      description = "What the set was built of, in any form that 'shield index' reads.")
  private Path pictures = Path.of("");

  @Option(
      names = "--held-out",
      paramLabel = "SOURCE",
      required = true,
      description = "Pictures of the same kind that are not protected.")
  private Path heldOut = Path.of("");

  @Mixin private ModelOption modelOption = new ModelOption();

  @Option(
      names = "--edits",
      paramLabel = "LIST",
      defaultValue = Edit.DEFAULTS,
      description = "What is done to the pictures (default: ${DEFAULT-VALUE}).")
  private String edits = Edit.DEFAULTS;

  @Option(
      names = "--sample",
      paramLabel = "N",
      defaultValue = "500",
      description = "Draws so many pictures of either source (default: ${DEFAULT-VALUE}).")
  private int sample;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "Draws the samples and the noise (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--catch",
      paramLabel = "SHARE",
      defaultValue = "0.99",
      description = "Of the copies of an edit, at least caught (default: ${DEFAULT-VALUE}).")
  private double leastCaught;

  @Option(
      names = "--block",
      paramLabel = "SHARE",
      defaultValue = "0.10",
      description = "Of the innocent pictures, at most blocked (default: ${DEFAULT-VALUE}).")
  private double mostBlocked;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      description = "Draws the curves into a .png or .svg file.")
  private @Nullable Path output;

  @Option(
      names = "--write",
      description =
          "Writes the recommendation and what it covers into the set, as its next epoch; 'shield"
              + " inspect' and 'shield audit' quote it.")
  private boolean write;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      defaultValue = "calibrated",
      description = "Why, in one line; kept with the epoch (default: ${DEFAULT-VALUE}).")
  private String reason = "";

  @Option(names = "--json", description = "Prints one JSON object.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Shows no progress.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    Console console = Console.of(spec);
    Epoch.requireReason(reason);
    requirePlotName();
    List<Edit> list = Edit.parseList(edits);
    Coverage coverage;
    try (ProtectedSet protectedSet = ProtectedSet.open(set);
        Codec codec = modelOption.of(protectedSet.space())) {
      Calibration calibration = measure(protectedSet, codec, list, console);
      Verdict verdict = calibration.judge(leastCaught, mostBlocked);
      CalibrationReport report =
          new CalibrationReport(protectedSet, calibration, verdict, leastCaught);
      console.print(json ? Json.print(report.json()) : report.text());
      draw(report.plot());
      coverage = report.coverage();
    }
    if (!write) {
      return ExitCode.OK;
    }
    if (coverage == null) {
      console.say("shield: no radius separates, so nothing was written into the set");
      return ExitCode.BAD_INPUT;
    }
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(set)) {
      editor.cover(coverage);
      Manifest manifest = editor.commit(Instant.now(), reason);
      console.say("written into %s, epoch %d".formatted(set, manifest.generation()));
    }
    return ExitCode.OK;
  }

  private Calibration measure(
      ProtectedSet protectedSet, Codec codec, List<Edit> list, Console console) throws IOException {
    List<Stored> drawn = PictureSample.draw(ImageSource.open(pictures), sample, seed);
    List<Stored> others = PictureSample.draw(ImageSource.open(heldOut), sample, seed);
    Measurement measurement;
    Calibration calibration;
    try (Progress progress =
        Progress.start("measuring", (long) drawn.size() + others.size(), quiet)) {
      measurement = new Measurement(protectedSet, codec, list, seed, progress::step);
      calibration = measurement.measure(drawn, others);
    }
    measurement.leftOut().forEach(line -> console.say("left out: " + line));
    if (!protectedSet.radiusScales().areOnes()) {
      console.say(
          "shield: %d pictures of the set have balls of their own, which catch and block what they hold; distances to the nearest are divided by how wide its ball is"
              .formatted(protectedSet.radiusScales().otherCount()));
    }
    if (measurement.heldOutInSet() > 0) {
      console.say(
          "shield: %d of the held-out pictures are protected ones, or cannot be told from them, and count as blocked"
              .formatted(measurement.heldOutInSet()));
    }
    return calibration;
  }

  private void requirePlotName() {
    if (output != null && !output.toString().matches("(?i).*\\.(png|svg)")) {
      throw new IllegalArgumentException(
          "the curves are drawn into a file ending in .png or .svg, but -o was " + output);
    }
  }

  private void draw(SharePlot plot) throws IOException {
    if (output == null) {
      return;
    }
    if (output.toString().toLowerCase(Locale.ROOT).endsWith(".svg")) {
      Files.write(output, plot.svg().getBytes(StandardCharsets.UTF_8));
    } else {
      Files.write(output, Png.write(plot.draw()));
    }
  }
}
