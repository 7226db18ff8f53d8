package spellshield.sampler.codec;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import spellshield.index.store.Hashes;
import tools.jackson.databind.JsonNode;

/// Between an autoencoder's latents and a model's.
///
/// ```text
/// z = (raw − shift_c)·scale_c,      shift_c = shift_factor or latents_mean[c],
///                                   scale_c = scaling_factor, over latents_std[c] where there is one
/// ```
///
/// @param shift one for each channel
/// @param scale one for each channel, not 0
record LatentScaling(double[] shift, double[] scale) {

  /// Reads the fields of an autoencoder's config.
  ///
  /// @param file named in messages
  static LatentScaling read(JsonNode config, int channels, Path file) {
    JsonNode factor = config.path("scaling_factor");
    if (factor.isMissingNode() || factor.isNull()) {
      throw new IllegalArgumentException(
          ("%s has no scaling_factor, without which its latents are not the model's; add the field"
                  + " (0.18215 for Stable Diffusion 1 and 2, 0.13025 for SDXL, 1.5305 for Stable"
                  + " Diffusion 3, 1 for an autoencoder whose latents are used as they are)")
              .formatted(file));
    }
    if (!factor.isNumber() || factor.asDouble() == 0) {
      throw refusal(file, "scaling_factor", "a number other than 0", factor);
    }
    JsonNode offset = config.path("shift_factor");
    if (!offset.isNumber() && !offset.isMissingNode() && !offset.isNull()) {
      throw refusal(file, "shift_factor", "a number", offset);
    }
    double[] shift = new double[channels];
    double[] scale = new double[channels];
    Arrays.fill(shift, offset.asDouble(0));
    Arrays.fill(scale, factor.asDouble());
    double[] mean = perChannel(config, "latents_mean", channels, file);
    double[] std = perChannel(config, "latents_std", channels, file);
    if ((mean.length == 0) != (std.length == 0)) {
      throw new IllegalArgumentException(file + " needs latents_mean and latents_std, or neither");
    }
    for (int c = 0; c < mean.length; c++) {
      if (!(std[c] > 0)) {
        throw new IllegalArgumentException(
            "%s: latents_std must be positive, but entry %d was %s".formatted(file, c, std[c]));
      }
      shift[c] = mean[c];
      scale[c] /= std[c];
    }
    return new LatentScaling(shift, scale);
  }

  private static double[] perChannel(JsonNode config, String name, int channels, Path file) {
    JsonNode list = config.path(name);
    boolean absent = list.isMissingNode() || list.isNull();
    if (!absent && !(list.isArray() && list.valueStream().allMatch(JsonNode::isNumber))) {
      throw refusal(file, name, "a list of numbers, one for each channel", list);
    }
    double[] values = list.valueStream().mapToDouble(JsonNode::asDouble).toArray();
    if (values.length != 0 && values.length != channels) {
      throw new IllegalArgumentException(
          "%s: %s has %d entries for %d channels".formatted(file, name, values.length, channels));
    }
    return values;
  }

  private static IllegalArgumentException refusal(
      Path file, String name, String wanted, JsonNode value) {
    return new IllegalArgumentException(
        "%s: %s must be %s, but was %s".formatted(file, name, wanted, value));
  }

  /// Turns an autoencoder's latents into the model's, in place.
  ///
  /// @param latents `[B, C, H, W]` flat
  /// @param plane H·W
  void toModel(float[] latents, int plane) {
    for (int i = 0; i < latents.length; i++) {
      int c = i / plane % shift.length;
      latents[i] = (float) ((latents[i] - shift[c]) * scale[c]);
    }
  }

  /// Turns a model's latents into the autoencoder's.
  float[] fromModel(float[] latents, int plane) {
    float[] raw = new float[latents.length];
    for (int i = 0; i < raw.length; i++) {
      int c = i / plane % shift.length;
      raw[i] = (float) (latents[i] / scale[c] + shift[c]);
    }
    return raw;
  }

  /// Returns all of it in one word: `0.18215` and `0.13025-0.5` where each channel is treated
  /// alike, else a hash.
  String describe() {
    boolean alike =
        Arrays.stream(shift).distinct().count() == 1
            && Arrays.stream(scale).distinct().count() == 1;
    if (alike) {
      return "scale=%s shift=%s".formatted(scale[0], shift[0]);
    }
    String all = Arrays.toString(shift) + Arrays.toString(scale);
    return "channels=" + Hashes.sha256(all.getBytes(StandardCharsets.UTF_8)).substring(0, 16);
  }
}
