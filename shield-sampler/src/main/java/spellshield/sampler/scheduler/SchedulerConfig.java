package spellshield.sampler.scheduler;

import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.BooleanNode;

/// The fields of one `scheduler_config.json`, with defaults where they are absent.
///
/// An absent field and null both mean the default of the class, which need not be that of another.
///
/// @param className the class to build, not always the one that the file names
record SchedulerConfig(String className, JsonNode fields) {

  private static final JsonMapper MAPPER =
      // Python writes the bound −∞ of lambda_min_clipped as -Infinity
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  /// What some class of diffusers knows. A class passes over the fields of the others, which stay
  /// in a config when its class is swapped.
  private static final Set<String> KNOWN =
      Set.of(
          "algorithm_type",
          "base_image_seq_len",
          "base_shift",
          "beta_end",
          "beta_schedule",
          "beta_start",
          "clip_sample",
          "clip_sample_range",
          "dynamic_thresholding_ratio",
          "euler_at_final",
          "final_sigmas_type",
          "flow_shift",
          "interpolation_type",
          "invert_sigmas",
          "lambda_min_clipped",
          "lower_order_final",
          "max_image_seq_len",
          "max_shift",
          "num_train_timesteps",
          "prediction_type",
          "rescale_betas_zero_snr",
          "rho",
          "sample_max_value",
          "set_alpha_to_one",
          "shift",
          "shift_terminal",
          "sigma_data",
          "sigma_max",
          "sigma_min",
          "sigma_schedule",
          "skip_prk_steps",
          "solver_order",
          "solver_type",
          "steps_offset",
          "stochastic_sampling",
          "thresholding",
          "time_shift_type",
          "timestep_spacing",
          "timestep_type",
          "trained_betas",
          "use_beta_sigmas",
          "use_dynamic_shifting",
          "use_exponential_sigmas",
          "use_flow_sigmas",
          "use_karras_sigmas",
          "use_lu_lambdas",
          "variance_type");

  /// Reads a config.
  ///
  /// @throws IllegalArgumentException if it is no JSON object, names no class, or has a field that
  ///   nothing here knows and that is neither null nor false
  static SchedulerConfig parse(String json) {
    JsonNode fields;
    try {
      fields = MAPPER.readTree(json);
    } catch (JacksonException e) {
      throw new IllegalArgumentException("no JSON: " + e.getOriginalMessage(), e);
    }
    if (!fields.path("_class_name").isString()) {
      throw new IllegalArgumentException(
          "a scheduler config is a JSON object with a _class_name, but this one has none");
    }
    SchedulerConfig config = new SchedulerConfig(fields.path("_class_name").asString(), fields);
    for (Map.Entry<String, JsonNode> field : fields.properties()) {
      boolean idle = field.getValue().isNull() || field.getValue().equals(BooleanNode.FALSE);
      if (!field.getKey().startsWith("_") && !KNOWN.contains(field.getKey()) && !idle) {
        throw config.refusal(
            "the option %s=%s is not known here and may change the result; remove it if it does not"
                .formatted(field.getKey(), field.getValue()));
      }
    }
    return config;
  }

  SchedulerConfig withClass(String name) {
    return new SchedulerConfig(name, fields);
  }

  /// Returns the exception that refuses this config for a reason.
  IllegalArgumentException refusal(String reason) {
    return new IllegalArgumentException(className + ": " + reason);
  }

  private boolean has(String name) {
    return fields.has(name) && !fields.path(name).isNull();
  }

  private IllegalArgumentException wrongKind(String name, String kind) {
    return refusal("%s must be %s, but was %s".formatted(name, kind, fields.path(name)));
  }

  boolean flag(String name, boolean fallback) {
    if (!fields.has(name)) {
      return fallback;
    }
    if (has(name) && !fields.path(name).isBoolean()) {
      throw wrongKind(name, "true or false");
    }
    return has(name) && fields.path(name).asBoolean(); // null is false, as in Python
  }

  OptionalDouble number(String name) {
    if (has(name) && !fields.path(name).isNumber()) {
      throw wrongKind(name, "a number");
    }
    return has(name) ? OptionalDouble.of(fields.path(name).asDouble()) : OptionalDouble.empty();
  }

  double number(String name, double fallback) {
    return number(name).orElse(fallback);
  }

  double positive(String name, double fallback) {
    double number = number(name, fallback);
    if (!(number > 0 && number < Double.POSITIVE_INFINITY)) {
      throw wrongKind(name, "positive and finite");
    }
    return number;
  }

  /// Returns a whole number of 0 or more.
  int whole(String name, int fallback) {
    if (!has(name)) {
      return fallback;
    }
    JsonNode value = fields.path(name);
    if (!value.isIntegralNumber() || !value.canConvertToInt() || value.asInt() < 0) {
      throw wrongKind(name, "a whole number of 0 or more");
    }
    return value.asInt();
  }

  /// Returns a whole number of 2 to a million.
  int count(String name, int fallback) {
    int count = whole(name, fallback);
    if (count < 2 || count > 1_000_000) {
      throw wrongKind(name, "2 to 1,000,000");
    }
    return count;
  }

  /// Returns a list of numbers; none if the field is absent.
  double[] numbers(String name) {
    if (!has(name)) {
      return new double[0];
    }
    JsonNode list = fields.path(name);
    if (!list.isArray() || list.size() < 2 || !list.valueStream().allMatch(JsonNode::isNumber)) {
      throw wrongKind(name, "a list of two or more numbers");
    }
    return list.valueStream().mapToDouble(JsonNode::asDouble).toArray();
  }

  String text(String name, String fallback) {
    if (has(name) && !fields.path(name).isString()) {
      throw wrongKind(name, "a word");
    }
    return has(name) ? fields.path(name).asString() : fallback;
  }

  /// Returns one of some words.
  String choice(String name, String fallback, String... supported) {
    String value = text(name, fallback);
    if (!Arrays.asList(supported).contains(value)) {
      throw refusal(
          "%s '%s' is not supported; supported: %s"
              .formatted(name, value, String.join(", ", supported)));
    }
    return value;
  }

  /// Refuses a flag that is set.
  void requireOff(String name, boolean fallback, String instead) {
    if (flag(name, fallback)) {
      throw refusal("%s=true is not supported; %s".formatted(name, instead));
    }
  }
}
