package spellshield.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import spellshield.index.ProtectedSet;
import spellshield.index.store.Precision;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.pipeline.DiffusionPipeline;
import spellshield.tools.codec.LatentCodec;
import spellshield.tools.codec.PixelCodec;
import spellshield.tools.image.Png;
import spellshield.tools.report.ContactSheet;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.Stored;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `shield demo`: the whole of it on the pictures that come with the project.
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Protects real pictures and samples models that have memorised them, plain and shielded.",
      "",
      "First 60,000 pictures of clothes and a table, then 1,871 emoji, in the latents of an autoencoder:"
          + " a closed formula from memoriser to artist, and two networks that were trained on them."
          + " About three minutes on two cores; with --small half a minute on a part."
    })
final class DemoCommand implements Callable<Integer> {
  /// Half-widths of the windows, in places of a latent of 8×8.
  private static final int[] HALF_WIDTHS = {8, 2, 1};

  private static final double EMOJI_SHARE = 0.3;
  private static final int SHOWN = 8;

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--small", description = "A part of the pictures and a few samples.")
  private boolean small;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "data",
      description = "Where emoji/ and fashion-mnist/ are (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("data");

  @Option(
      names = "--models",
      paramLabel = "DIR",
      defaultValue = "models",
      description = "Where emoji/ and emoji-memoriser/ are (default: ${DEFAULT-VALUE}).")
  private Path models = Path.of("models");

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      defaultValue = "out/demo",
      description = "Where sets and picture go (default: ${DEFAULT-VALUE}).")
  private Path output = Path.of("out/demo");

  @Option(names = "--json", description = "Prints one JSON object on standard output.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Shows no progress.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    Console console = Console.of(spec);
    Files.createDirectories(output);
    ObjectNode result = Json.object();
    StringBuilder report = new StringBuilder();
    int inside = scale(console, result, report);
    inside += dial(console, result, report);
    console.print(json ? Json.print(result) : report.toString().stripTrailing());
    if (inside > 0) {
      console.say("shield: %d guaranteed samples lie inside a ball".formatted(inside));
      return ExitCode.INSIDE;
    }
    return ExitCode.OK;
  }

  private int scale(Console console, ObjectNode result, StringBuilder report) throws IOException {
    ImageSource clothes =
        ImageSource.open(data.resolve("fashion-mnist").resolve("train-images-idx3-ubyte.gz"));
    long limit = small ? 3_000 : Long.MAX_VALUE;
    PixelCodec codec =
        SetBuild.fit(clothes, 28, 28, 1, Crop.ADM, new SetBuild.Range(0, limit), quiet);
    Path folder = output.resolve(small ? "fashion-set-small" : "fashion-set");
    long start = System.nanoTime();
    SetBuild.build(
        clothes, codec, SetBuild.Options.simple(folder, Precision.FLOAT32, limit, quiet));
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      double radius = set.radius(RadiusOption.DEFAULT_SHARE);
      console.say(
          "protected %,d pictures of clothes in %.0f s; sampling a model that has memorised them"
              .formatted(set.count(), (System.nanoTime() - start) / 1e9));
      ScaleDemo demo = new ScaleDemo(set, codec, radius, small ? 16 : 256, small ? 16 : 32, quiet);
      ScaleDemo.Result tables = demo.run();
      ObjectNode about = result.putObject("set");
      about.put("count", set.count()).put("dim", set.space().dim()).put("radius", radius);
      about.put("typicalDistance", set.statistics().typicalDistance());
      ArrayNode runs = result.putArray("runs");
      tables.runs().forEach(run -> runs.addPOJO(run));
      ArrayNode diversity = result.putArray("diversity");
      tables.diversity().forEach(row -> diversity.addPOJO(row));
      report.append(text(set, radius, tables));
      return tables.runs().getLast().inside();
    }
  }

  private static String text(ProtectedSet set, double radius, ScaleDemo.Result tables) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%n%,d protected pictures, dim %d, radius %.3f = %.2f of the typical distance %.3f%n%n"
            .formatted(
                set.count(),
                set.space().dim(),
                radius,
                radius / set.statistics().typicalDistance(),
                set.statistics().typicalDistance()));
    text.append(
        "search  samples  inside      ms/image  search ms/step  searches  steps pushed  resampled"
            + "  certified%n".formatted());
    for (ScaleDemo.Run run : tables.runs()) {
      text.append(
          "%-6s  %7d  %5.1f %%  %10.1f  %14.4f  %8.2f  %10.1f %%  %9d  %9d%n"
              .formatted(
                  run.name(),
                  run.samples(),
                  100.0 * run.inside() / run.samples(),
                  run.millisPerImage(),
                  run.searchMillisPerStep(),
                  run.searchesPerTrajectory(),
                  100 * run.pushedStepShare(),
                  run.resampled(),
                  run.certified()));
    }
    text.append(
        "%none class, %d samples in batches of 16%n"
            .formatted(tables.diversity().getFirst().samples()));
    text.append("          pairs within r   Vendi   mean pairwise distance%n".formatted());
    for (ScaleDemo.Diversity row : tables.diversity()) {
      text.append(
          "%-8s  %14d  %6.2f  %23.3f%n"
              .formatted(row.name(), row.tooNear(), row.vendi(), row.meanDistance()));
    }
    return text.toString();
  }

  private int dial(Console console, ObjectNode result, StringBuilder report) throws IOException {
    ImageSource emoji = ImageSource.open(data.resolve("emoji"));
    long limit = small ? 500 : Long.MAX_VALUE;
    Path folder = output.resolve(small ? "emoji-set-small" : "emoji-set");
    Map<String, String> names = names(emoji);
    try (LatentCodec codec = LatentCodec.open(models.resolve("emoji"), 64, 64, Crop.ADM)) {
      SetBuild.build(
          emoji, codec, SetBuild.Options.simple(folder, Precision.FLOAT32, limit, quiet));
      try (ProtectedSet set = ProtectedSet.open(folder)) {
        double radius = set.radius(EMOJI_SHARE);
        console.say("protected %,d emoji; turning the dial".formatted(set.count()));
        ContactSheet sheet =
            new ContactSheet(
                "%,d emoji, r = %.2f of the typical distance".formatted(set.count(), EMOJI_SHARE),
                2);
        List<DialDemo.Setting> settings =
            turn(
                new DialDemo(
                    set, codec, radius, quiet, item -> names.getOrDefault(set.item(item).id(), "")),
                sheet);
        ArrayNode dial = result.putArray("dial");
        settings.forEach(setting -> dial.addPOJO(setting));
        report.append(text(set, radius, settings));
        Path picture = output.resolve("demo.png");
        Files.write(picture, Png.write(sheet.draw()));
        result.put("picture", picture.toString());
        report.append("%npicture: %s%n".formatted(picture));
        return settings.stream()
            .mapToInt(setting -> setting.shieldedInside() + setting.shieldedFilesInside())
            .sum();
      }
    }
  }

  /// Returns what the pictures of a source show, by their ids.
  private static Map<String, String> names(ImageSource source) {
    try (Stream<Stored> entries = source.stored(0)) {
      return entries.collect(
          Collectors.toMap(entry -> entry.origin().id(), entry -> entry.origin().name()));
    }
  }

  private List<DialDemo.Setting> turn(DialDemo demo, ContactSheet sheet) throws IOException {
    List<DialDemo.Setting> settings = new ArrayList<>();
    int samples = small ? 4 : 32;
    for (int halfWidth : HALF_WIDTHS) {
      int window = 2 * halfWidth + 1;
      String name = window > 8 ? "whole latent" : "%d×%d window".formatted(window, window);
      settings.add(demo.formula(name, halfWidth, samples, SHOWN, sheet));
    }
    for (String model : new String[] {"emoji-memoriser", "emoji"}) {
      try (DiffusionPipeline pipeline = DiffusionPipeline.load(models.resolve(model))) {
        settings.add(demo.network(model, pipeline, samples, SHOWN, sheet));
      }
    }
    return settings;
  }

  private static String text(ProtectedSet set, double radius, List<DialDemo.Setting> settings) {
    StringBuilder text = new StringBuilder();
    text.append(
        ("%n%,d protected emoji, dim %d, radius %.3f = %.2f of the typical distance %.3f%n%n"
                + "                          inside, latent/file                        second  copy"
                + " correlation%n"
                + "model            samples     plain  shielded  unchanged  certified   round  plain,"
                + " shielded%n")
            .formatted(
                set.count(),
                set.space().dim(),
                radius,
                EMOJI_SHARE,
                set.statistics().typicalDistance()));
    for (DialDemo.Setting setting : settings) {
      text.append(
          "%-15s  %7d  %8s  %8s  %9d  %9d  %6d  %.3f, %.3f%n"
              .formatted(
                  setting.model(),
                  setting.samples(),
                  setting.plainInside() + "/" + setting.plainFilesInside(),
                  setting.shieldedInside() + "/" + setting.shieldedFilesInside(),
                  setting.unchanged(),
                  setting.certified(),
                  setting.again(),
                  setting.plainCorrelation(),
                  setting.shieldedCorrelation()));
    }
    return text.toString();
  }
}
