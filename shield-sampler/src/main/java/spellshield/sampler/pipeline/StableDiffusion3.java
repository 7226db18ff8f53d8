package spellshield.sampler.pipeline;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
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

/// Stable Diffusion 3: a transformer that is told a text by two CLIP encoders and T5.
///
/// CLIP's hidden states before the last layer stand side by side, with zeros up to T5's width, and
/// T5's rows follow them. The pooled text is both CLIPs' `text_embeds`. A pipeline without T5 has
/// zeros in its place.
final class StableDiffusion3 implements Family {
  private static final int T5_TOKENS = 256;

  private final TextEncoder first;
  private final TextEncoder second;
  private final Optional<TextEncoder> third;
  private final OnnxNetwork network;
  private final Port timestep;
  private final int size;
  private final int patch;
  private final int width;

  private StableDiffusion3(
      TextEncoder first,
      TextEncoder second,
      Optional<TextEncoder> third,
      OnnxNetwork network,
      int size,
      int patch,
      int width) {
    this.first = first;
    this.second = second;
    this.third = third;
    this.network = network;
    this.timestep = network.input("timestep");
    this.size = size;
    this.patch = patch;
    this.width = width;
    Set<String> known =
        Set.of("hidden_states", "encoder_hidden_states", "pooled_projections", "timestep");
    known.forEach(network::input);
    network.requireNoOtherInputs(known);
  }

  static StableDiffusion3 open(PipelineFolder folder) throws IOException {
    int size = folder.whole("transformer", "sample_size");
    int patch = folder.whole("transformer", "patch_size");
    int width = folder.whole("transformer", "joint_attention_dim");
    try (Opened opened = new Opened()) {
      TextEncoder first = opened.add(TextEncoder.open(folder, "tokenizer", "text_encoder", 0));
      TextEncoder second = opened.add(TextEncoder.open(folder, "tokenizer_2", "text_encoder_2", 0));
      Optional<TextEncoder> third =
          folder.has("text_encoder_3")
              ? Optional.of(
                  opened.add(TextEncoder.open(folder, "tokenizer_3", "text_encoder_3", T5_TOKENS)))
              : Optional.empty();
      OnnxNetwork network = opened.add(folder.network("transformer"));
      StableDiffusion3 family =
          new StableDiffusion3(first, second, third, network, size, patch, width);
      opened.keep();
      return family;
    }
  }

  @Override
  public Condition condition(Request request, int ignoredWidth, int height, boolean guided) {
    Family.requireTexts(request);
    request.requireFits(3, false);
    List<Embedding> positive =
        encode(request.promptOfEach(1), request.promptOfEach(2), request.promptOfEach(3));
    if (!guided) {
      return new Condition.Texts(positive);
    }
    List<String> empty = positive.stream().map(text -> "").toList();
    List<String> one = request.negativeOfEach(1).isEmpty() ? empty : request.negativeOfEach(1);
    List<String> two = request.negativeOfEach(2).isEmpty() ? empty : request.negativeOfEach(2);
    return new Condition.Guided(
        new Condition.Texts(positive), new Condition.Texts(encode(one, two, one)));
  }

  private List<Embedding> encode(List<String> texts, List<String> texts2, List<String> texts3) {
    Map<String, Embedding> known = new LinkedHashMap<>(); // each text is encoded once
    List<Embedding> embeddings = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      List<String> all = List.of(texts.get(i), texts2.get(i), texts3.get(i));
      String name = String.join("\n", all.stream().distinct().toList());
      embeddings.add(known.computeIfAbsent(name + all, unseen -> encode(name, all)));
    }
    return embeddings;
  }

  private Embedding encode(String name, List<String> texts) {
    List<Tensor> left =
        first.encode(texts.get(0), first.penultimate(), first.output("text_embeds"));
    List<Tensor> right =
        second.encode(texts.get(1), second.penultimate(), second.output("text_embeds"));
    int clipTokens = first.length();
    float[] clip = Feed.beside(left.get(0).values(), right.get(0).values(), clipTokens);
    int clipWidth = clip.length / clipTokens;
    if (clipWidth > width || second.length() != clipTokens) {
      throw new IllegalArgumentException(
          "the CLIP encoders give %d tokens of %d values, more than joint_attention_dim %d"
              .formatted(clipTokens, clipWidth, width));
    }
    float[] padded = Feed.beside(clip, new float[clipTokens * (width - clipWidth)], clipTokens);
    int t5Tokens = third.map(TextEncoder::length).orElse(clipTokens);
    float[] t5 =
        third
            .map(encoder ->
                encoder
                    .encode(texts.get(2), encoder.output("last_hidden_state"))
                    .getFirst()
                    .values())
            .orElseGet(() -> new float[t5Tokens * width]);
    if (t5.length != t5Tokens * width) {
      throw new IllegalArgumentException(
          "the third text encoder gives %s values for %d tokens of joint_attention_dim %d"
              .formatted(Arrays.toString(new int[] {t5.length}), t5Tokens, width));
    }
    return new Embedding(
        name,
        Feed.joined(padded, t5),
        clipTokens + t5Tokens,
        Feed.joined(left.get(1).values(), right.get(1).values()),
        new float[0]);
  }

  @Override
  public Latents predict(Latents input, double level, Condition condition) {
    if (!(condition instanceof Condition.Texts(List<Embedding> rows))) {
      throw new IllegalArgumentException("this network is told texts, but got " + condition);
    }
    Map<String, Tensor> inputs =
        Map.of(
            "hidden_states", Feed.latents(input),
            "encoder_hidden_states", Feed.tokens(rows),
            "pooled_projections", Feed.pooled(rows),
            "timestep", Feed.level(timestep, level, input.batch()));
    return Feed.answer(
        network.run(inputs, network.output("out_hidden_states", "sample").name()).getFirst(),
        input);
  }

  @Override
  public Port latents() {
    return network.input("hidden_states");
  }

  @Override
  public int latentSize() {
    return size;
  }

  @Override
  public int patch() {
    return patch;
  }

  @Override
  public int defaultSteps() {
    return 28;
  }

  @Override
  public double defaultGuidanceScale() {
    return 7;
  }

  @Override
  public void close() {
    first.close();
    second.close();
    third.ifPresent(TextEncoder::close);
    network.close();
  }
}
