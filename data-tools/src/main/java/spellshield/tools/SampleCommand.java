package spellshield.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.LiveSet;
import spellshield.index.ProtectedSet;
import spellshield.index.store.LatentSpace;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.denoiser.LocalEmpiricalDenoiser;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.pipeline.DiffusionPipeline;
import spellshield.sampler.pipeline.Generated;
import spellshield.sampler.pipeline.Protection;
import spellshield.sampler.pipeline.Request;
import spellshield.sampler.pipeline.Timing;
import spellshield.sampler.scheduler.Scheduler;
import spellshield.sampler.shield.History;
import spellshield.sampler.shield.Shield;
import spellshield.tools.codec.Codec;
import tools.jackson.databind.node.ObjectNode;

/// `shield sample`: pictures outside the set, each with its certificate.
@Command(
    name = "sample",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Samples pictures with the shield in force and certifies each.",
      "",
      "With --model a diffusers pipeline in ONNX is sampled; its autoencoder must have made the set."
          + " Without, a closed formula over the set's own pictures: the worst case, a model that has"
          + " memorised all it must not show. Each PNG file carries its certificate, and a .json"
          + " file beside it repeats it. Ends with exit code 3 when a sample could not be brought"
          + " outside; that one is not written.",
      "",
      "Pictures that are added to the set or removed from it while this runs count from the next"
          + " step on; each certificate names the epoch of the set that it is about.",
      "",
      "Examples: shield sample set -o out -n 8 --half-width 20 --radius 0.1",
      "          shield sample set -o out -n 8 --model models/emoji --label flags --radius 0.3"
    })
final class SampleCommand implements Callable<Integer> {

  enum Search {
    EXACT,
    HNSW
  }

  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "SET", arity = "0..1", description = "The folder of the set.")
  private @Nullable Path set;

  @Option(names = "--set", paramLabel = "SET", description = "The folder of the set, said by name.")
  private @Nullable Path setByName;

  @Mixin private ModelOption modelOption = new ModelOption();

  @Mixin private PipelineOptions pipelineOptions = new PipelineOptions();

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
      names = "--force-radius",
      description = "Samples even where the radius holds the mean of the set.")
  private boolean forceRadius;

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

  @Option(
      names = "--label",
      description = "Sample one class, of the set or with --model of the model; unless told, all.")
  private @Nullable String label;

  @Option(
      names = "--sampler",
      description =
          "Without --model: euler, heun, flow-heun, ancestral, ddim, dpm++2m or dpm++2m-sde (default:"
              + " euler).")
  private @Nullable String sampler;

  @Option(
      names = "--steps",
      description = "Steps of the sampler (default: 32, with --model the pipeline's).")
  private @Nullable Integer steps;

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
    Path folder = set == null ? setByName : set;
    if (folder == null || (set != null && setByName != null)) {
      throw new IllegalArgumentException("name the folder of the set, once");
    }
    Path model = modelOption.folder();
    if (model != null && (halfWidth != null || sampler != null)) {
      throw new IllegalArgumentException(
          "--half-width and --sampler are for sampling without --model; with it give --scheduler");
    }
    if (model == null && pipelineOptions.given()) {
      throw new IllegalArgumentException(
          "--prompt, --negative-prompt, --guidance, --scheduler and --size need --model");
    }
    try (LiveSet live = LiveSet.open(folder)) {
      ObjectNode result = Json.object();
      double radius;
      ProtectedData data = null;
      try (LiveSet.Lease lease = live.lease()) {
        ProtectedSet now = lease.set();
        radius = radiusOption.of(now);
        radiusOption.judge(now, radius, forceRadius).ifPresent(console::say);
        if (model == null) {
          data = ProtectedData.of(now);
        }
        result.put("set", now.id()).put("radius", radius);
      }
      History history = history(live.space());
      Protection protection = new Protection(live, radius, shield(live, radius, history));
      SampleWriter writer =
          new SampleWriter(
              Files.createDirectories(output), result.putArray("samples"), console, !json);
      int failed =
          data != null
              ? sampleFormula(data, protection, writer)
              : samplePipeline(Objects.requireNonNull(model), protection, writer, result);
      if (historyFolder != null && history != null) {
        history.save(historyFolder, live.space(), Instant.now());
      }
      if (json) {
        console.print(Json.print(result));
      }
      return failed > 0 ? ExitCode.INSIDE : ExitCode.OK;
    }
  }

  private int sampleFormula(ProtectedData data, Protection protection, SampleWriter writer)
      throws IOException {
    int failed = 0;
    LatentSpace space = protection.set().space();
    try (Codec codec = modelOption.of(space);
        Progress progress = Progress.start("sampling", count, quiet)) {
      ShieldedSampler run =
          new ShieldedSampler(
                  denoiser(data),
                  Sampler.parse(sampler == null ? "euler" : sampler),
                  NoiseSchedule.Karras.edm(),
                  steps == null ? 32 : steps,
                  protection.shield(),
                  space.shape())
              .guaranteeing(protection.set(), protection.radius())
              .delivering(codec::roundTrip);
      for (int from = 0; from < count; from += batch) {
        long[] seeds = seeds(from);
        for (Sample sample : run.sample(seeds, condition(data, seeds.length))) {
          if (sample.certificate().isPresent()) {
            writer.write(sample, codec.decode(sample.latent()), "");
          } else {
            writer.fail(sample);
            failed++;
          }
          progress.step();
        }
      }
    }
    return failed;
  }

  private int samplePipeline(
      Path model, Protection protection, SampleWriter writer, ObjectNode result)
      throws IOException {
    int failed = 0;
    Timing first = new Timing();
    Timing others = new Timing();
    try (DiffusionPipeline loaded = DiffusionPipeline.load(model);
        Progress progress = Progress.start("sampling", count, quiet)) {
      DiffusionPipeline pipeline = pipelineOptions.scheduled(loaded);
      pipeline
          .scheduler()
          .flatMap(Scheduler::note)
          .ifPresent(note -> Console.of(spec).say("shield: " + note));
      for (int from = 0; from < count; from += batch) {
        long[] seeds = seeds(from);
        Request request =
            pipelineOptions
                .request(pipeline, label, seeds, steps)
                .batch(batch)
                .timing(from == 0 ? first : others);
        for (Generated generated : pipeline.sample(request, protection)) {
          if (generated.picture().isPresent()) {
            writer.write(generated.sample(), generated.picture().get(), generated.parameters());
          } else {
            writer.fail(generated.sample());
            failed++;
          }
          progress.step();
        }
      }
    }
    // While the JVM compiles, a search takes many times as long as afterwards.
    boolean warm = others.images() > 0;
    Timing timing = warm ? others : first;
    result
        .putObject("millisPerImage")
        .put("images", timing.images())
        .put("firstBatch", !warm)
        .put("network", timing.networkMillis())
        .put("shield", timing.shieldMillis())
        .put("searches", timing.searchMillis())
        .put("guarantee", timing.guaranteeMillis())
        .put("codec", timing.codecMillis());
    if (!quiet) {
      String note =
          warm
              ? " (without the first batch, %.2f ms of shield, in which the JVM compiles)"
                  .formatted(first.shieldMillis())
              : " (in the first batch the JVM compiles; give a larger --count for what it costs then)";
      Console.of(spec).say("shield: " + timing + note);
    }
    return failed;
  }

  private long[] seeds(int from) {
    long[] seeds = new long[Math.min(batch, count - from)];
    for (int i = 0; i < seeds.length; i++) {
      seeds[i] = seed + from + i;
    }
    return seeds;
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

  private @Nullable History history(LatentSpace space) throws IOException {
    if (historyFolder != null && Files.isDirectory(historyFolder)) {
      return History.load(historyFolder, space);
    }
    return historyFolder != null || diverse ? new History(space.dim()) : null;
  }

  private Shield shield(LiveSet set, double radius, @Nullable History history) {
    Shield.SearchOf chosen =
        switch (search) {
          case EXACT -> ProtectedSet::exact;
          case HNSW -> ProtectedSet::hnsw;
        };
    Shield.Builder builder =
        Shield.builder().protecting(set, chosen, radius).overcompensation(overcompensation);
    if (diverse) {
      builder.intraBatch(radius);
    }
    if (history != null) {
      builder.history(history, radius);
    }
    return builder.build();
  }
}
