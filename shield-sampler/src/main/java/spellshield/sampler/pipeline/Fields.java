package spellshield.sampler.pipeline;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/// The fields of a `denoiser/config.json`.
record Fields(Path file, JsonNode config) {

  /// Refuses fields that nobody reads: a misspelt one would be passed over.
  void requireKnown(Set<String> known) {
    Set<String> unknown = new TreeSet<>(config.propertyNames());
    unknown.removeAll(known);
    if (!unknown.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: unknown fields %s; known: %s".formatted(file, unknown, new TreeSet<>(known)));
    }
  }

  /// Refuses fields that nobody would look at.
  void requireAbsent(List<String> fields, String why) {
    for (String field : fields) {
      if (config.has(field)) {
        throw new IllegalArgumentException("%s: %s must be absent, %s".formatted(file, field, why));
      }
    }
  }

  /// Returns a refusal that names the file.
  IllegalArgumentException named(IllegalArgumentException refusal) {
    String message = String.valueOf(refusal.getMessage());
    return message.startsWith(file.toString())
        ? refusal
        : new IllegalArgumentException(file + ": " + message, refusal);
  }

  IllegalArgumentException refusal(String field, String wanted) {
    return new IllegalArgumentException(
        "%s: %s must be %s, but was %s"
            .formatted(file, field, wanted, config.has(field) ? config.path(field) : "missing"));
  }

  String text(String field, String fallback) {
    JsonNode value = config.path(field);
    if (!value.isMissingNode() && !value.isString()) {
      throw refusal(field, "a word");
    }
    return value.asString(fallback);
  }

  String choice(String field, String fallback, String... choices) {
    String chosen = text(field, fallback);
    if (!Arrays.asList(choices).contains(chosen)) {
      throw refusal(field, "one of " + String.join(", ", choices));
    }
    return chosen;
  }

  double number(String field, double fallback) {
    JsonNode value = config.path(field);
    if (!value.isMissingNode() && !value.isNumber()) {
      throw refusal(field, "a number");
    }
    return value.asDouble(fallback);
  }

  int whole(String field, int fallback) {
    JsonNode value = config.path(field);
    if (!value.isMissingNode() && !(value.canConvertToInt() && value.asInt() >= 0)) {
      throw refusal(field, "a whole number of 0 or more");
    }
    return value.asInt(fallback);
  }

  /// Returns three extents.
  int[] shape(String field) {
    JsonNode value = config.path(field);
    int[] shape = value.valueStream().mapToInt(extent -> extent.asInt(0)).toArray();
    if (shape.length != 3 || Arrays.stream(shape).anyMatch(extent -> extent < 1)) {
      throw refusal(field, "three extents [C, H, W]");
    }
    return shape;
  }
}
