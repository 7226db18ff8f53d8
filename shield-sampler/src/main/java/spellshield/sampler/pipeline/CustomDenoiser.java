package spellshield.sampler.pipeline;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;
import spellshield.sampler.Condition;
import spellshield.sampler.Latents;
import spellshield.sampler.Levels;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.onnx.Port;
import spellshield.sampler.onnx.Tensor;
import spellshield.sampler.scheduler.Clipping;
import spellshield.sampler.scheduler.Plan;
import spellshield.sampler.scheduler.Prediction;
import tools.jackson.databind.JsonNode;

/// Any other network: a folder `denoiser/` whose config says what goes in and what comes out.
///
/// `docs/models.md` lists the fields. With a `scheduler/scheduler_config.json` the network is told
/// training timesteps, and the scheduler says what it predicts; without one it is sampled over
/// EDM's levels, and told what `noise_is` says.
final class CustomDenoiser implements Family {

  /// The label that is told as zeros; no index is negative.
  private static final int ZEROS = -1;

  private static final Set<String> FIELDS =
      Set.of(
          "_class_name",
          "guidance_scale",
          "label_form",
          "label_input",
          "labels",
          "latent_input",
          "latent_shape",
          "noise_input",
          "noise_is",
          "null_label",
          "output",
          "predicts",
          "rho",
          "sampler",
          "sigma_data",
          "sigma_max",
          "sigma_min",
          "steps");

  /// What is the scheduler's to say where there is one.
  private static final List<String> EDM_FIELDS =
      List.of("noise_is", "predicts", "rho", "sampler", "sigma_data", "sigma_max", "sigma_min");

  private final OnnxNetwork network;
  private final Port latents;
  private final Port noise;
  private final @Nullable Port labels;
  private final boolean oneHot;
  private final int count;
  private final @Nullable Integer none;
  private final String output;
  private final int size;
  private final int steps;
  private final double guidanceScale;
  private final @Nullable Edm edm;
  private final List<String> names;

  /// How a network without a scheduler is sampled.
  private record Edm(
      Sampler sampler, NoiseSchedule schedule, Prediction prediction, DoubleUnaryOperator told) {
    Plan plan(int steps) {
      Levels levels = schedule.levels(steps);
      double[] told = Arrays.stream(levels.sigmas()).map(this.told).toArray();
      return new Plan(sampler, levels, told, prediction, new Clipping.None());
    }
  }

  private CustomDenoiser(
      OnnxNetwork network, Fields fields, @Nullable Edm edm, List<String> names) {
    this.network = network;
    this.edm = edm;
    this.names = names;
    this.latents = network.input(fields.text("latent_input", "sample"));
    this.noise = network.input(fields.text("noise_input", edm == null ? "timestep" : "sigma"));
    this.count = fields.whole("labels", 0);
    this.labels = count == 0 ? null : network.input(fields.text("label_input", "class_labels"));
    this.oneHot = fields.choice("label_form", "index", "index", "one_hot").equals("one_hot");
    this.none = nullLabel(fields);
    this.output = network.output(fields.text("output", "sample")).name();
    int[] shape = fields.shape("latent_shape");
    this.size = shape[2];
    if (shape[1] != shape[2]) {
      throw fields.refusal("latent_shape", "[C, N, N], as wide as high");
    }
    if (!latents.takes(shape)) {
      throw fields.refusal("latent_shape", "that of the network's input " + latents);
    }
    requireLabelForm(fields);
    this.steps = fields.whole("steps", edm == null ? 50 : 32);
    if (steps == 0) {
      throw fields.refusal("steps", "at least 1");
    }
    this.guidanceScale = fields.number("guidance_scale", 1);
    if (labels == null && guidanceScale != 1) {
      throw fields.refusal("guidance_scale", "1 where there are no labels");
    }
    network.requireNoOtherInputs(
        labels == null
            ? Set.of(latents.name(), noise.name())
            : Set.of(latents.name(), noise.name(), labels.name()));
  }

  private void requireLabelForm(Fields fields) {
    if (labels == null) {
      String usual = fields.text("label_input", "class_labels");
      if (network.inputs().containsKey(usual)) {
        throw fields.refusal(
            "labels", "the number of classes that the network's input " + usual + " tells apart");
      }
    } else if (!(oneHot ? labels.takes(count) : labels.rank() == 1)) {
      throw fields.refusal(
          "label_form",
          "one_hot for [B, %d], index for [B], as the network's input %s takes it"
              .formatted(count, labels));
    }
  }

  private @Nullable Integer nullLabel(Fields fields) {
    JsonNode label = fields.config().path("null_label");
    if (label.isMissingNode() || label.isNull()) {
      return null;
    }
    if (label.asString("").equals("zeros") && oneHot) {
      return ZEROS;
    }
    boolean number = label.isIntegralNumber() && label.canConvertToInt() && label.asInt() >= 0;
    if (!number || (oneHot && label.asInt() >= count)) {
      throw fields.refusal(
          "null_label",
          oneHot
              ? "0 to %d or \"zeros\"".formatted(count - 1)
              : "a number of 0 or more, as \"zeros\" needs label_form one_hot");
    }
    return label.asInt();
  }

  static CustomDenoiser open(PipelineFolder folder) throws IOException {
    Fields fields =
        new Fields(folder.folder().resolve("denoiser/config.json"), folder.config("denoiser"));
    fields.requireKnown(FIELDS);
    if (folder.hasScheduler()) {
      fields.requireAbsent(
          EDM_FIELDS, "as scheduler/scheduler_config.json says it; remove one of the two");
    }
    Edm edm = folder.hasScheduler() ? null : edm(fields);
    int count = fields.whole("labels", 0);
    List<String> names = ClassConditional.names(folder.index().path("id2label"), count);
    OnnxNetwork network = folder.network("denoiser");
    try {
      return new CustomDenoiser(network, fields, edm, names);
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  private static Edm edm(Fields fields) {
    try {
      return readEdm(fields);
    } catch (IllegalArgumentException e) {
      throw fields.named(e);
    }
  }

  private static Edm readEdm(Fields fields) {
    double low = fields.number("sigma_min", 0.002);
    double high = fields.number("sigma_max", 80);
    Prediction prediction =
        switch (fields.choice("predicts", "x0", "x0", "epsilon", "v", "flow", "edm")) {
          case "epsilon" -> new Prediction.Epsilon();
          case "v" -> new Prediction.Velocity();
          case "flow" -> new Prediction.Flow();
          case "edm" -> new Prediction.Edm(fields.number("sigma_data", 0.5));
          default -> new Prediction.Direct();
        };
    String usual =
        prediction instanceof Prediction.Flow
            ? "time"
            : prediction instanceof Prediction.Edm ? "c_noise" : "sigma";
    DoubleUnaryOperator told =
        switch (fields.choice("noise_is", usual, "sigma", "c_noise", "time")) {
          case "c_noise" -> sigma -> 0.25 * Math.log(sigma);
          case "time" -> sigma -> sigma / (1 + sigma);
          default -> sigma -> sigma;
        };
    return new Edm(
        Sampler.parse(fields.text("sampler", "heun")),
        new NoiseSchedule.Karras(low, high, fields.number("rho", 7)),
        prediction,
        told);
  }

  @Override
  public Optional<Plan> ownPlan(int count) {
    return Optional.ofNullable(edm).map(own -> own.plan(count));
  }

  @Override
  public Condition condition(Request request, int width, int height, boolean guided) {
    if (labels == null) {
      if (request.asksForTexts() || request.asksForLabels()) {
        throw new IllegalArgumentException(
            "this network is told neither texts nor labels; ask for Request.unconditional()");
      }
      if (guided) {
        throw new IllegalArgumentException(
            "this network is told nothing that guidance could lead away from; take guidance scale 1");
      }
      return Condition.NONE;
    }
    if (guided && none == null) {
      throw new IllegalArgumentException(
          "guidance needs a null label, but denoiser/config.json names no null_label; add it, or"
              + " take guidance scale 1");
    }
    return ClassConditional.labels(request, count, names, none == null ? 0 : none, guided);
  }

  @Override
  public Latents predict(Latents input, double level, Condition condition) {
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put(latents.name(), Feed.latents(input));
    inputs.put(noise.name(), Feed.level(noise, level, input.batch()));
    if (labels != null && condition instanceof Condition.Labels(int[] numbers)) {
      inputs.put(labels.name(), oneHot ? oneHot(numbers) : index(numbers));
    }
    return Feed.answer(network.run(inputs, output).getFirst(), input);
  }

  private Tensor oneHot(int... numbers) {
    float[] rows = new float[numbers.length * count];
    for (int i = 0; i < numbers.length; i++) {
      if (numbers[i] != ZEROS) {
        rows[i * count + numbers[i]] = 1;
      }
    }
    return new Tensor(rows, numbers.length, count);
  }

  private static Tensor index(int... numbers) {
    float[] values = new float[numbers.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = numbers[i];
    }
    return new Tensor(values, values.length);
  }

  @Override
  public Port latents() {
    return latents;
  }

  @Override
  public int latentSize() {
    return size;
  }

  @Override
  public int defaultSteps() {
    return steps;
  }

  @Override
  public double defaultGuidanceScale() {
    return guidanceScale;
  }

  @Override
  public List<String> labels() {
    return names;
  }

  @Override
  public void close() {
    network.close();
  }
}
