package spellshield.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.ProtectedSet;
import spellshield.index.search.NeighborSearch;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.denoiser.LocalEmpiricalDenoiser;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.shield.History;
import spellshield.sampler.shield.Shield;
import spellshield.tools.codec.Codec;
import spellshield.tools.codec.PixelCodec;
import spellshield.tools.image.Png;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `shield sample`: pictures outside the set, each with its certificate.
@Command(
    name = "sample",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Samples pictures with the shield in force and certifies each.",
      "",
      "The denoisers are closed formulas over the set's own pictures: the worst case, models that have"
          + " memorised all they must not show. Each PNG file carries its certificate, and a .json"
          + " file beside it repeats it. Ends with exit code 3 when a sample could not be brought"
          + " outside; that one is not written.",
      "",
      "Example: shield sample set -o out -n 8 --half-width 20 --radius 0.3"
    })
final class SampleCommand implements Callable<Integer> {

  /// The keyword of the PNG text that holds the certificate.
  static final String CERTIFICATE = "spellshield-certificate";

  enum Search {
    EXACT,
    HNSW
  }

  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "SET", description = "The folder of the set.")
  private Path set = Path.of("");

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      required = true,
      description = "The folder for the pictures; made where needed.")
  private Path output = Path.of("");

  @Option(
      names = {"-n", "--count"},
      defaultValue = "8",
      description = "How many (default: ${DEFAULT-VALUE}).")
  private int count;

  @Option(
      names = "--seed",
      defaultValue = "0",
      description = "The first seed; the others follow (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Mixin private RadiusOption radiusOption = new RadiusOption();

  @Option(
      names = "--search",
      defaultValue = "exact",
      description =
          "The search at each step: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})."
              + " Certificates are exact with either.")
  private Search search = Search.EXACT;

  @Option(
      names = "--half-width",
      paramLabel = "PX",
      description =
          "Denoise by windows of this half-width: the smaller, the more parts are mixed. Unless"
              + " told, whole pictures: a pure memoriser.")
  private @Nullable Integer halfWidth;

  @Option(names = "--label", description = "Sample one class of the set; unless told, all.")
  private @Nullable String label;

  @Option(
      names = "--sampler",
      defaultValue = "euler",
      description =
          "euler, heun, flow-heun, ancestral, ddim, dpm++2m or dpm++2m-sde (default: ${DEFAULT-VALUE}).")
  private String sampler = "euler";

  @Option(
      names = "--steps",
      defaultValue = "32",
      description = "Steps of the sampler (default: ${DEFAULT-VALUE}).")
  private int steps;

  @Option(
      names = "--batch",
      defaultValue = "16",
      description = "How many at once (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(
      names = "--overcompensation",
      paramLabel = "LAMBDA",
      defaultValue = "1.6",
      description = "How far a push goes, 1 to the surface (default: ${DEFAULT-VALUE}).")
  private double overcompensation;

  @Option(names = "--diverse", description = "Also keep the samples a radius from each other.")
  private boolean diverse;

  @Option(
      names = "--history",
      paramLabel = "DIR",
      description = "Keep away from the outputs recorded here, and add to them.")
  private @Nullable Path historyFolder;

  @Option(names = "--json", description = "Prints one JSON object.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Shows no progress.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    if (count < 1 || batch < 1) {
      throw new IllegalArgumentException(
          "--count and --batch must be at least 1, but were %d and %d".formatted(count, batch));
    }
    Console console = Console.of(spec);
    try (ProtectedSet protectedSet = ProtectedSet.open(set)) {
      PixelCodec codec = PixelCodec.parse(protectedSet.space().description());
      double radius = radiusOption.of(protectedSet);
      if (radius >= protectedSet.statistics().meanClearance()) {
        console.say(
            "shield: the radius holds the mean of the set, where every trajectory begins; expect"
                + " crowded steps and failed samples");
      }
      ProtectedData data = ProtectedData.of(protectedSet);
      History history = history(protectedSet);
      ShieldedSampler run =
          new ShieldedSampler(
                  denoiser(data),
                  Sampler.parse(sampler),
                  NoiseSchedule.Karras.edm(),
                  steps,
                  shield(protectedSet, radius, history),
                  protectedSet.space().shape())
              .guaranteeing(protectedSet, radius)
              .delivering(codec::roundTrip);
      ObjectNode result = Json.object();
      result.put("set", protectedSet.id()).put("radius", radius);
      int failed = sampleAll(run, data, codec, result.putArray("samples"), console);
      if (historyFolder != null && history != null) {
        history.save(historyFolder, protectedSet.space(), Instant.now());
      }
      if (json) {
        console.print(Json.print(result));
      }
      return failed > 0 ? ExitCode.INSIDE : ExitCode.OK;
    }
  }

  private int sampleAll(
      ShieldedSampler run, ProtectedData data, Codec codec, ArrayNode list, Console console)
      throws IOException {
    Files.createDirectories(output);
    int failed = 0;
    try (Progress progress = Progress.start("sampling", count, quiet)) {
      for (int from = 0; from < count; from += batch) {
        long[] seeds = new long[Math.min(batch, count - from)];
        for (int i = 0; i < seeds.length; i++) {
          seeds[i] = seed + from + i;
        }
        for (Sample sample : run.sample(seeds, condition(data, seeds.length))) {
          failed += sample.failed() ? 1 : 0;
          write(sample, codec, list, console);
          progress.step();
        }
      }
    }
    return failed;
  }

  private void write(Sample sample, Codec codec, ArrayNode list, Console console)
      throws IOException {
    String name = "sample-%d".formatted(sample.requestedSeed());
    ObjectNode entry = list.addObject().put("seed", sample.requestedSeed());
    entry.put("attempts", sample.attempts()).put("pushedSteps", sample.activity().acted());
    entry.put("searches", sample.activity().searches()).put("moved", sample.moved());
    if (sample.certificate().isEmpty()) {
      entry.put("failure", sample.failure());
      console.say(
          "shield: seed %d: not written, %s".formatted(sample.requestedSeed(), sample.failure()));
      return;
    }
    String certificate = sample.certificate().get().toJson();
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    texts.put("Software", "SpellShield");
    texts.put(CERTIFICATE, certificate);
    Path picture = output.resolve(name + ".png");
    Files.write(picture, Png.write(codec.decode(sample.latent()), texts));
    Files.writeString(output.resolve(name + ".json"), certificate + "\n");
    entry.put("picture", picture.toString());
    entry.put("nearest", sample.certificate().get().nearestId());
    entry.put("distance", sample.certificate().get().nearestDistance());
    if (!json) {
      console.print(
          "%s  %.4f from %s, pushed at %d of %d steps"
              .formatted(
                  picture,
                  sample.certificate().get().nearestDistance(),
                  sample.certificate().get().nearestId(),
                  sample.activity().acted(),
                  sample.activity().steps()));
    }
  }

  private Condition condition(ProtectedData data, int rows) {
    if (label == null) {
      return Condition.NONE;
    }
    int[] labels = new int[rows];
    Arrays.fill(labels, data.number(label));
    return new Condition.Labels(labels);
  }

  private Denoiser denoiser(ProtectedData data) {
    if (halfWidth != null) {
      return LocalEmpiricalDenoiser.of(data.latents(), halfWidth, data.labels());
    }
    return EmpiricalDenoiser.of(data.latents(), data.labels());
  }

  private @Nullable History history(ProtectedSet protectedSet) throws IOException {
    if (historyFolder != null && Files.isDirectory(historyFolder)) {
      return History.load(historyFolder, protectedSet.space());
    }
    return historyFolder != null || diverse ? new History(protectedSet.space().dim()) : null;
  }

  private Shield shield(ProtectedSet protectedSet, double radius, @Nullable History history)
      throws IOException {
    NeighborSearch chosen =
        switch (search) {
          case EXACT -> protectedSet.exact();
          case HNSW -> protectedSet.hnsw();
        };
    Shield.Builder builder =
        Shield.builder()
            .protecting(chosen, protectedSet.latents(), radius)
            .overcompensation(overcompensation);
    if (diverse) {
      builder.intraBatch(radius);
    }
    if (history != null) {
      builder.history(history, radius);
    }
    return builder.build();
  }
}
