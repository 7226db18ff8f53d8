package spellshield.sampler.pipeline;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import spellshield.sampler.Condition;
import spellshield.sampler.Latents;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.onnx.Port;
import spellshield.sampler.onnx.Tensor;
import tools.jackson.databind.JsonNode;

/// DiT: a transformer that is told a class. The label after the last one means none.
final class ClassConditional implements Family {
  private final OnnxNetwork network;
  private final Port latents;
  private final Port timestep;
  private final Port classes;
  private final String output;
  private final int size;
  private final int count;
  private final List<String> names;

  private ClassConditional(OnnxNetwork network, int size, int count, List<String> names) {
    this.network = network;
    this.latents = network.input("hidden_states", "sample");
    this.timestep = network.input("timestep");
    this.classes = network.input("class_labels");
    this.output = network.output("sample", "out_sample", "out_hidden_states").name();
    network.requireNoOtherInputs(Set.of(latents.name(), timestep.name(), classes.name()));
    this.size = size;
    this.count = count;
    this.names = names;
  }

  static ClassConditional open(PipelineFolder folder) throws IOException {
    int size = folder.whole("transformer", "sample_size");
    int count = folder.whole("transformer", "num_embeds_ada_norm");
    OnnxNetwork network = folder.network("transformer");
    try {
      return new ClassConditional(
          network, size, count, names(folder.index().path("id2label"), count));
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  static List<String> names(JsonNode labels, int count) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < count && !labels.isEmpty(); i++) {
      names.add(labels.path(Integer.toString(i)).asString(Integer.toString(i)));
    }
    return names;
  }

  /// Returns a line with the names, or with the first of very many.
  static String some(List<String> names) {
    int most = 20;
    return names.size() <= most
        ? String.join("; ", names)
        : "%s and %d more"
            .formatted(String.join("; ", names.subList(0, most)), names.size() - most);
  }

  static Condition labels(
      Request request, int count, List<String> names, int none, boolean guided) {
    if (!request.asksForLabels()) {
      throw new IllegalArgumentException(
          "this pipeline samples classes; give labels, 0 to %d%s"
              .formatted(count - 1, names.isEmpty() ? "" : ": " + some(names)));
    }
    if (!request.negativeOfEach(1).isEmpty()) {
      throw new IllegalArgumentException(
          "negative prompts are for pipelines of texts; this one is guided away from its null label");
    }
    int[] labels = request.labelOfEach();
    for (int label : labels) {
      if (label < 0 || label >= count) {
        throw new IllegalArgumentException(
            "a label is 0 to %d, but was %d".formatted(count - 1, label));
      }
    }
    Condition positive = new Condition.Labels(labels);
    if (!guided) {
      return positive;
    }
    int[] nothing = new int[labels.length];
    Arrays.fill(nothing, none);
    return new Condition.Guided(positive, new Condition.Labels(nothing));
  }

  @Override
  public Condition condition(Request request, int width, int height, boolean guided) {
    return labels(request, count, names, count, guided);
  }

  @Override
  public Latents predict(Latents input, double level, Condition condition) {
    if (!(condition instanceof Condition.Labels(int[] labels))) {
      throw new IllegalArgumentException("this network is told labels, but got " + condition);
    }
    float[] numbers = new float[labels.length];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = labels[i];
    }
    Map<String, Tensor> inputs =
        Map.of(
            latents.name(), Feed.latents(input),
            timestep.name(), Feed.level(timestep, level, input.batch()),
            classes.name(), new Tensor(numbers, numbers.length));
    return Feed.answer(network.run(inputs, output).getFirst(), input);
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
    return 50;
  }

  @Override
  public double defaultGuidanceScale() {
    return 4;
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
