package spellshield.sampler.pipeline;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.onnx.Port;
import spellshield.sampler.onnx.Tensor;
import spellshield.sampler.tokenizer.Tokenizer;
import spellshield.sampler.tokenizer.Tokens;

/// One text encoder with its tokenizer.
final class TextEncoder implements AutoCloseable {
  private final Tokenizer tokenizer;
  private final OnnxNetwork network;
  private final String ids;
  private final int length;

  private TextEncoder(Tokenizer tokenizer, OnnxNetwork network, int length) {
    this.tokenizer = tokenizer;
    this.network = network;
    Port port = network.input("input_ids");
    this.ids = port.name();
    this.length = (int) port.extent(1, length);
  }

  /// Opens a tokenizer and an encoder.
  ///
  /// @param length tokens of each text, unless the network has its own; 0 for the tokenizer's
  static TextEncoder open(PipelineFolder folder, String tokenizer, String encoder, int length)
      throws IOException {
    OnnxNetwork network = folder.network(encoder);
    try {
      Tokenizer words = folder.tokenizer(tokenizer);
      return new TextEncoder(words, network, length == 0 ? words.modelLength() : length);
    } catch (IOException | RuntimeException e) {
      network.close();
      throw e;
    }
  }

  int length() {
    return length;
  }

  /// Encodes one text.
  ///
  /// @param outputs names of the network's outputs
  List<Tensor> encode(String text, String... outputs) {
    Tokens tokens = tokenizer.encode(text, length);
    float[] numbers = new float[length];
    for (int i = 0; i < length; i++) {
      numbers[i] = tokens.ids()[i];
    }
    Map<String, Tensor> inputs = new LinkedHashMap<>();
    inputs.put(ids, new Tensor(numbers, 1, length));
    if (network.inputs().containsKey("attention_mask")) {
      // diffusers gives none, so that the padding is seen.
      float[] all = new float[length];
      Arrays.fill(all, 1);
      inputs.put("attention_mask", new Tensor(all, 1, length));
    }
    return network.run(inputs, outputs);
  }

  /// Returns the name of the hidden state before the last layer.
  String penultimate() {
    int last = -1;
    while (network.outputs().containsKey("hidden_states." + (last + 1))) {
      last++;
    }
    if (last < 1) {
      throw new IllegalArgumentException(
          "%s has no outputs hidden_states.0 and on; export it with its hidden states"
              .formatted(network.file()));
    }
    return "hidden_states." + (last - 1);
  }

  String output(String... names) {
    return network.output(names).name();
  }

  @Override
  public void close() {
    tokenizer.close();
    network.close();
  }
}
