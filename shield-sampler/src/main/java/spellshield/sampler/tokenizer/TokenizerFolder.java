package spellshield.sampler.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The files of one tokenizer, and what its small ones say.
///
/// @param folder such as `tokenizer/`
/// @param config `tokenizer_config.json`, over `special_tokens_map.json`; empty where both are
///   absent
record TokenizerFolder(Path folder, ObjectNode config) {
  static final JsonMapper JSON = new JsonMapper();

  static TokenizerFolder of(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(folder + " is not a folder with a tokenizer");
    }
    ObjectNode config = JSON.createObjectNode();
    for (String name : new String[] {"special_tokens_map.json", "tokenizer_config.json"}) {
      if (Files.exists(folder.resolve(name))) {
        JsonNode fields = readJson(folder.resolve(name));
        if (!fields.isObject()) {
          throw new IllegalArgumentException(folder.resolve(name) + " must hold a JSON object");
        }
        config.setAll((ObjectNode) fields);
      }
    }
    return new TokenizerFolder(folder, config);
  }

  static JsonNode readJson(Path file) throws IOException {
    String text = Files.readString(file);
    try {
      return JSON.readTree(text);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(file + ": no JSON: " + e.getOriginalMessage(), e);
    }
  }

  boolean has(String name) {
    return Files.exists(folder.resolve(name));
  }

  Path file(String name) {
    return folder.resolve(name);
  }

  /// Returns the text of a special token, which is a word or an object with it.
  Optional<String> special(String name) {
    JsonNode token = config.path(name);
    JsonNode content = token.isObject() ? token.path("content") : token;
    return content.isString() ? Optional.of(content.asString()) : Optional.empty();
  }

  /// Returns what the config says of an added token, if it does.
  Optional<JsonNode> added(String content) {
    return config
        .path("added_tokens_decoder")
        .valueStream()
        .filter(token -> token.path("content").asString("").equals(content))
        .findFirst();
  }

  /// Returns the number of tokens that the encoder was trained on.
  int modelLength(int fallback) {
    JsonNode length = config.path("model_max_length");
    // Python writes 10³⁰ where it knows of no limit.
    return length.canConvertToInt() && length.asInt() > 1 ? length.asInt() : fallback;
  }

  IllegalArgumentException missing(String what) {
    return new IllegalArgumentException(
        "%s has no %s; export the pipeline with its tokenizer".formatted(folder, what));
  }
}
