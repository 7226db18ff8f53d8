package spellshield.sampler.pipeline;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import spellshield.sampler.Condition;
import spellshield.sampler.Condition.Embedding;
import spellshield.sampler.Latents;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.onnx.Port;
import spellshield.sampler.onnx.Tensor;

/// Stable Diffusion 1, 2 and XL: a UNet that is told a text by one or two CLIP encoders.
///
/// The first two take the last hidden state of their encoder. XL takes the hidden states before the
/// last layer of both, side by side, the second encoder's `text_embeds` as the pooled text, and six
/// sizes. Without a negative prompt XL is told zeros where its index says
/// `force_zeros_for_empty_prompt`, as is the rule; the others the empty text.
final class StableDiffusion implements Family {
  private final TextEncoder first;
  private final Optional<TextEncoder> second;
  private final OnnxNetwork network;
  private final Port timestep;
  private final int size;
  private final boolean zeros;

  private StableDiffusion(
      TextEncoder first,
      Optional<TextEncoder> second,
      OnnxNetwork network,
      int size,
      boolean zeros) {
    this.first = first;
    this.second = second;
    this.network = network;
    this.timestep = network.input("timestep");
    this.size = size;
    this.zeros = zeros;
    Set<String> known =
        second.isPresent()
            ? Set.of("sample", "timestep", "encoder_hidden_states", "text_embeds", "time_ids")
            : Set.of("sample", "timestep", "encoder_hidden_states");
    known.forEach(network::input);
    network.requireNoOtherInputs(known);
  }

  static StableDiffusion open(PipelineFolder folder, boolean xl) throws IOException {
    int size = folder.whole("unet", "sample_size");
    boolean zeros = folder.index().path("force_zeros_for_empty_prompt").asBoolean(true);
    try (Opened opened = new Opened()) {
      TextEncoder first = opened.add(TextEncoder.open(folder, "tokenizer", "text_encoder", 0));
      Optional<TextEncoder> second =
          xl
              ? Optional.of(
                  opened.add(TextEncoder.open(folder, "tokenizer_2", "text_encoder_2", 0)))
              : Optional.empty();
      OnnxNetwork network = opened.add(folder.network("unet"));
      StableDiffusion family = new StableDiffusion(first, second, network, size, xl && zeros);
      opened.keep();
      return family;
    }
  }

  @Override
  public Condition condition(Request request, int width, int height, boolean guided) {
    Family.requireTexts(request);
    request.requireFits(second.isEmpty() ? 1 : 2, second.isPresent());
    float[] sizes =
        second.isEmpty()
            ? new float[0]
            : request
                .sizes()
                .orElse(new Request.Sizes(height, width, 0, 0, height, width))
                .toArray();
    List<Embedding> positive = encode(request.promptOfEach(1), request.promptOfEach(2), sizes);
    if (!guided) {
      return new Condition.Texts(positive);
    }
    List<String> negatives = request.negativeOfEach(1);
    List<Embedding> negative;
    if (!negatives.isEmpty()) {
      negative = encode(negatives, request.negativeOfEach(2), sizes);
    } else if (zeros) {
      negative = positive.stream().map(StableDiffusion::zeros).toList();
    } else {
      List<String> empty = positive.stream().map(text -> "").toList();
      negative = encode(empty, empty, sizes);
    }
    return new Condition.Guided(new Condition.Texts(positive), new Condition.Texts(negative));
  }

  private static Embedding zeros(Embedding like) {
    return new Embedding(
        "",
        new float[like.tokens().length],
        like.length(),
        new float[like.pooled().length],
        like.sizes());
  }

  private List<Embedding> encode(List<String> texts, List<String> texts2, float[] sizes) {
    Map<String, Embedding> known = new LinkedHashMap<>(); // each text is encoded once
    List<Embedding> embeddings = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      String text = texts.get(i);
      String text2 = texts2.get(i);
      String both = text.equals(text2) || second.isEmpty() ? text : text + "\n" + text2;
      embeddings.add(known.computeIfAbsent(both, unseen -> encode(both, text, text2, sizes)));
    }
    return embeddings;
  }

  private Embedding encode(String both, String text, String text2, float[] sizes) {
    if (second.isEmpty()) {
      Tensor tokens = first.encode(text, first.output("last_hidden_state")).getFirst();
      return new Embedding(both, tokens.values(), first.length(), new float[0], sizes);
    }
    TextEncoder other = second.get();
    if (other.length() != first.length()) {
      throw new IllegalArgumentException(
          "both text encoders must take as many tokens, but take %d and %d"
              .formatted(first.length(), other.length()));
    }
    Tensor left = first.encode(text, first.penultimate()).getFirst();
    List<Tensor> right = other.encode(text2, other.penultimate(), other.output("text_embeds"));
    return new Embedding(
        both,
        Feed.beside(left.values(), right.get(0).values(), first.length()),
        first.length(),
        right.get(1).values(),
        sizes);
  }

  @Override
  public Latents predict(Latents input, double level, Condition condition) {
    if (!(condition instanceof Condition.Texts(List<Embedding> rows))) {
      throw new IllegalArgumentException("this network is told texts, but got " + condition);
    }
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put("sample", Feed.latents(input));
    inputs.put("timestep", Feed.level(timestep, level, input.batch()));
    inputs.put("encoder_hidden_states", Feed.tokens(rows));
    if (second.isPresent()) {
      inputs.put("text_embeds", Feed.pooled(rows));
      inputs.put("time_ids", Feed.rows(rows, Embedding::sizes, rows.getFirst().sizes().length));
    }
    return Feed.answer(
        network.run(inputs, network.output("out_sample", "sample").name()).getFirst(), input);
  }

  @Override
  public Port latents() {
    return network.input("sample");
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
    return second.isPresent() ? 5 : 7.5;
  }

  @Override
  public void close() {
    first.close();
    second.ifPresent(TextEncoder::close);
    network.close();
  }
}
