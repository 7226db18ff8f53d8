package spellshield.sampler.pipeline;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.scheduler.Scheduler;
import spellshield.sampler.tokenizer.Tokenizer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The folder of a pipeline: its parts and what their configs say.
///
/// @param index `model_index.json`
record PipelineFolder(Path folder, JsonNode index) {
  private static final JsonMapper JSON = new JsonMapper();

  static PipelineFolder open(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new IOException(folder + " is no folder; name that of a diffusers pipeline in ONNX");
    }
    if (!Files.isRegularFile(folder.resolve("model_index.json"))) {
      throw new IOException(
          folder
              + " has no model_index.json; name the folder of a diffusers pipeline exported to ONNX,"
              + " or write one (docs/models.md)");
    }
    return new PipelineFolder(folder, read(folder.resolve("model_index.json")));
  }

  private static JsonNode read(Path file) throws IOException {
    try {
      JsonNode node = JSON.readTree(Files.readString(file));
      if (node.isObject()) {
        return node;
      }
    } catch (JacksonException e) {
      throw new IllegalArgumentException(file + ": no JSON: " + e.getOriginalMessage(), e);
    }
    throw new IllegalArgumentException(file + " must hold a JSON object");
  }

  String className() {
    return index.path("_class_name").asString("");
  }

  boolean has(String part) {
    return Files.isRegularFile(folder.resolve(part).resolve("model.onnx"));
  }

  boolean hasScheduler() {
    return Files.isRegularFile(folder.resolve("scheduler/scheduler_config.json"));
  }

  /// Returns a part's `config.json`.
  JsonNode config(String part) throws IOException {
    Path file = folder.resolve(part).resolve("config.json");
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + " is missing; export the pipeline with its configs");
    }
    return read(file);
  }

  /// Returns a whole number of a part's config.
  int whole(String part, String field) throws IOException {
    JsonNode value = config(part).path(field);
    if (!value.canConvertToInt() || value.asInt() < 1) {
      throw new IllegalArgumentException(
          "%s/%s/config.json: %s must be a whole number above 0, but was %s"
              .formatted(folder, part, field, value.isMissingNode() ? "missing" : value));
    }
    return value.asInt();
  }

  OnnxNetwork network(String part) throws IOException {
    Path file = folder.resolve(part).resolve("model.onnx");
    return part.equals("transformer") ? OnnxNetwork.openTransformer(file) : OnnxNetwork.open(file);
  }

  Tokenizer tokenizer(String part) throws IOException {
    return Tokenizer.open(folder.resolve(part));
  }

  Scheduler scheduler() throws IOException {
    if (!hasScheduler()) {
      throw new IOException(
          folder + " has no scheduler/scheduler_config.json; export the pipeline with its configs");
    }
    return Scheduler.read(folder.resolve("scheduler/scheduler_config.json"));
  }
}
