package spellshield.sampler.pipeline;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import spellshield.index.store.LatentSpace;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;
import spellshield.sampler.codec.AutoencoderCodec;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.guarantee.FileCheck;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.guarantee.ShieldedSampler;
import spellshield.sampler.guidance.Cads;
import spellshield.sampler.guidance.ClassifierFreeGuidance;
import spellshield.sampler.guidance.IntervalGuidance;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.scheduler.Network;
import spellshield.sampler.scheduler.Plan;
import spellshield.sampler.scheduler.Scheduler;
import spellshield.sampler.shield.Shield;

/// A diffusers pipeline that was exported to ONNX, with the shield where it belongs.
///
/// ```java
/// try (ProtectedSet set = ProtectedSet.open(folder);
///     DiffusionPipeline pipeline = DiffusionPipeline.load(models)) {
///   Request request = Request.prompts("a close-up of an apple").seeds(1, 2, 3);
///   for (Generated one : pipeline.sample(request, Protection.of(set, set.radius(0.3)))) { … }
/// }
/// ```
///
/// ```text
/// noise → sampler ⇄ shield ← guidance ← (CADS) ← network;   x0 → guarantee ⇄ decode, encode → picture
/// ```
///
/// The shield sees the guided prediction and never the two halves of the doubled batch. Everything
/// is read from the folder's own configs. Immutable but for the native memory it holds until it is
/// closed; one request at a time.
public final class DiffusionPipeline implements AutoCloseable {
  private final String name;
  private final Family family;
  private final AutoencoderCodec codec;
  private final @Nullable Scheduler scheduler;

  private DiffusionPipeline(
      String name, Family family, AutoencoderCodec codec, @Nullable Scheduler scheduler) {
    this.name = name;
    this.family = family;
    this.codec = codec;
    this.scheduler = scheduler;
  }

  /// Loads every part of a pipeline.
  ///
  /// @param folder with `model_index.json`, as Optimum exports Stable Diffusion 1, 2, XL and 3, and
  ///   `docs/models.md` describes for DiT and any other network
  /// @throws IOException if a part is missing or cannot be loaded, naming it
  /// @throws IllegalArgumentException if the class of the pipeline or of the scheduler is not
  ///   supported, or a config or a network's inputs are not as they must be
  public static DiffusionPipeline load(Path folder) throws IOException {
    PipelineFolder files = PipelineFolder.open(folder);
    try (Opened opened = new Opened()) {
      Family family = opened.add(Family.open(files));
      AutoencoderCodec codec = opened.add(AutoencoderCodec.open(folder));
      int size = family.latentSize();
      family.requireLatents(folder + " with its autoencoder", codec.channels(), size, size);
      boolean own = family.ownPlan(1).isPresent();
      DiffusionPipeline pipeline =
          new DiffusionPipeline(
              folder.toAbsolutePath().normalize().getFileName().toString(),
              family,
              codec,
              own ? null : files.scheduler());
      opened.keep();
      return pipeline;
    }
  }

  /// Returns this pipeline with another scheduler, made from the config that it has. Both share
  /// their networks: close one.
  ///
  /// @param className as diffusers spells it, such as `DPMSolverMultistepScheduler`
  public DiffusionPipeline withScheduler(String className) {
    if (scheduler == null) {
      throw new IllegalArgumentException(
          "this pipeline has no scheduler_config.json to make a '%s' from".formatted(className));
    }
    return withScheduler(scheduler.withClass(className));
  }

  /// Returns this pipeline with another scheduler. Both share their networks: close one.
  public DiffusionPipeline withScheduler(Scheduler other) {
    return new DiffusionPipeline(name, family, codec, other);
  }

  /// Returns the autoencoder, which also encodes pictures for a protected set.
  public AutoencoderCodec codec() {
    return codec;
  }

  /// Returns the scheduler, unless the network is sampled over EDM's levels.
  public Optional<Scheduler> scheduler() {
    return Optional.ofNullable(scheduler);
  }

  /// Returns the names of the classes, by number; empty for a pipeline of texts.
  public List<String> labels() {
    return family.labels();
  }

  /// Returns the number of a class.
  ///
  /// @param label its name, one of the names between commas in it, or its number
  /// @throws IllegalArgumentException if there is none, naming those there are
  public int label(String label) {
    for (int i = 0; i < family.labels().size(); i++) {
      String full = family.labels().get(i);
      if (full.equals(label) || Arrays.asList(full.split(", ")).contains(label)) {
        return i;
      }
    }
    if (label.matches("\\d{1,9}")) {
      return Integer.parseInt(label);
    }
    throw new IllegalArgumentException(
        family.labels().isEmpty()
            ? "the pipeline names no classes; give the number of one, not '%s'".formatted(label)
            : "the pipeline has no class '%s'; it has %s"
                .formatted(label, ClassConditional.some(family.labels())));
  }

  /// Returns the size of a picture, in pixels, unless a request says another.
  public int defaultSize() {
    return family.latentSize() * codec.factor();
  }

  /// Returns the space of the latents of pictures of the default size, cropped as ADM does.
  public LatentSpace space() {
    return codec.space(defaultSize(), defaultSize(), Crop.ADM);
  }

  /// Samples without a shield.
  ///
  /// @return one result for each seed, in their order
  public List<Generated> sample(Request request) {
    return run(request, Shield.builder().build(), null);
  }

  /// Samples through a shield, whatever it keeps away from, without a guarantee and certificates.
  ///
  /// @param shield of latents of this pipeline's space
  /// @return one result for each seed, in their order
  public List<Generated> sampleThrough(Request request, Shield shield) {
    return run(request, shield, null);
  }

  /// Samples outside a protected set: the shield at every step, then the guarantee on the latent
  /// and on the file.
  ///
  /// @return one result for each seed, in their order; one that could not be brought outside has a
  ///   failed sample and no picture
  /// @throws spellshield.index.FingerprintMismatchException if the set lives in another space than
  ///   pictures of this pipeline and size
  public List<Generated> sample(Request request, Protection protection) {
    return run(request, protection.shield(), protection);
  }

  private List<Generated> run(Request request, Shield shield, @Nullable Protection protection) {
    int width = request.widthOr(defaultSize());
    int height = request.heightOr(defaultSize());
    int[] shape = codec.latentShape(width, height);
    family.requireLatents("the size %dx%d".formatted(width, height), shape);
    if (protection != null) {
      // What is sampled has the size already, so any crop of the set's own pictures is right.
      Crop crop = Crop.of(protection.set().space().description());
      protection.set().requireSpace(codec.space(width, height, crop));
    }
    double guidance = request.guidanceScaleOr(family.defaultGuidanceScale());
    int steps = request.stepsOr(family.defaultSteps());
    int patches = shape[1] * shape[2] / (family.patch() * family.patch());
    Plan plan =
        scheduler == null ? family.ownPlan(steps).orElseThrow() : scheduler.plan(steps, patches);
    Condition condition = family.condition(request, width, height, guidance != 1);
    ShieldedSampler sampler = sampler(request, plan, guidance, shield, protection, shape);
    long[] seeds = request.seedOfEach();
    request.initialNoise().ifPresent(noise -> requireNoise(noise, seeds.length, shape));
    List<Generated> results = new ArrayList<>();
    for (int from = 0; from < seeds.length; from += request.batch()) {
      int[] rows = rows(from, Math.min(seeds.length, from + request.batch()));
      long[] some = Arrays.stream(rows).mapToLong(row -> seeds[row]).toArray();
      Optional<Latents> noise = request.initialNoise().map(all -> all.rows(rows));
      for (Sample sample : sampler.sample(some, condition.rows(rows), noise)) {
        int row = results.size();
        results.add(
            new Generated(
                picture(sample, request, shape),
                sample,
                parameters(request, row, plan, guidance, width, height)));
      }
    }
    request.timing().addShield(sampler.searchNanos(), sampler.shieldNanos());
    request.timing().addGuarantee(sampler.guaranteeNanos());
    request.timing().addImages(results.size());
    return results;
  }

  private static void requireNoise(Latents noise, int count, int... shape) {
    if (noise.batch() != count || !Arrays.equals(noise.shape(), shape)) {
      throw new IllegalArgumentException(
          "initial noise must be %d latents of %s, but was %d of %s"
              .formatted(
                  count, Arrays.toString(shape), noise.batch(), Arrays.toString(noise.shape())));
    }
  }

  private static int[] rows(int from, int to) {
    int[] rows = new int[to - from];
    Arrays.setAll(rows, i -> from + i);
    return rows;
  }

  private ShieldedSampler sampler(
      Request request,
      Plan plan,
      double guidance,
      Shield shield,
      @Nullable Protection protection,
      int... shape) {
    Timing timing = request.timing();
    Network rows = OnnxNetwork.device().equals("cpu") ? new RowByRow(family) : family;
    Network network =
        (input, timestep, condition) -> {
          long start = System.nanoTime();
          Latents output = rows.predict(input, timestep, condition);
          timing.addNetwork(System.nanoTime() - start);
          return output;
        };
    Denoiser plain = plan.denoiser(network);
    Denoiser guided = plan.denoiser(new ClassifierFreeGuidance(network, guidance));
    Denoiser steered =
        request.guidesEverywhere()
            ? guided
            : new IntervalGuidance(guided, plain, request.guidanceLow(), request.guidanceHigh());
    ShieldedSampler sampler =
        new ShieldedSampler(steered, plan.sampler(), plan.levels(), shield, shape);
    request
        .cads()
        .ifPresent(settings -> {
          double first = plan.timesteps()[0];
          sampler.decoratedBy((inner, noise) ->
              new Cads(inner, settings, sigma -> plan.timestep(sigma) / first, noise));
        });
    request.listener().ifPresent(sampler::watchedBy);
    if (protection != null) {
      sampler
          .guaranteeing(protection.set(), protection.radius())
          .checking(timed(codec.fileCheck(shape), timing));
    }
    return sampler;
  }

  private static FileCheck timed(FileCheck check, Timing timing) {
    return new FileCheck() {
      @Override
      public Encoded encode(float[] latent) {
        long start = System.nanoTime();
        Encoded encoded = check.encode(latent);
        long nanos = System.nanoTime() - start;
        timing.addCodec(nanos);
        timing.addGuarantee(-nanos); // which the sampler counts with its own
        return encoded;
      }

      @Override
      public double tolerance() {
        return check.tolerance();
      }
    };
  }

  private Optional<RgbImage> picture(Sample sample, Request request, int... shape) {
    if (sample.failed() || !request.wantsPictures()) {
      return Optional.empty();
    }
    if (sample.picture().isPresent()) {
      return sample.picture();
    }
    long start = System.nanoTime();
    RgbImage picture = codec.decode(new Latents(sample.latent(), 1, shape)).getFirst();
    request.timing().addCodec(System.nanoTime() - start);
    return Optional.of(picture);
  }

  private String parameters(
      Request request, int row, Plan plan, double guidance, int width, int height) {
    StringBuilder text = new StringBuilder();
    if (request.asksForTexts()) {
      text.append(request.promptOfEach(1).get(row)).append('\n');
      if (!request.negativeOfEach(1).isEmpty()) {
        text.append("Negative prompt: ").append(request.negativeOfEach(1).get(row)).append('\n');
      }
    } else if (request.asksForLabels()) {
      int label = request.labelOfEach()[row];
      text.append(label < labels().size() ? labels().get(label) : "class " + label).append('\n');
    }
    return text.append(
            String.format(
                Locale.ROOT,
                "Steps: %d, Sampler: %s, CFG scale: %s, Seed: %d, Size: %dx%d, Model: %s",
                plan.levels().steps(),
                plan.sampler().name(),
                guidance,
                request.seedOfEach()[row],
                width,
                height,
                name))
        .toString();
  }

  @Override
  public void close() {
    family.close();
    codec.close();
  }
}
