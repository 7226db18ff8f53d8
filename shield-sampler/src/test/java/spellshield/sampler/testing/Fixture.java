package spellshield.sampler.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import spellshield.sampler.Latents;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A reference pipeline with recorded runs, and how close its numbers must be met.
///
/// @param folder of the pipeline
public record Fixture(Path folder) {
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  /// Opens a fixture; the test is skipped where it is absent.
  public static Fixture of(String name) {
    return new Fixture(Shared.path("fixtures/" + name));
  }

  /// Returns the recorded runs.
  public List<JsonNode> runs() throws IOException {
    return json("runs.json").path("runs").valueStream().toList();
  }

  /// Returns a JSON file beside the recorded arrays.
  public JsonNode json(String name) throws IOException {
    return JSON.readTree(Files.readString(folder.resolve("expected/" + name)));
  }

  /// Returns a recorded array by its file's name.
  public Npy array(String file) throws IOException {
    return Npy.read(folder.resolve("expected/" + file));
  }

  /// Returns an array of a run.
  public Npy array(JsonNode run, String kind) throws IOException {
    return array(run.path("arrays").path(kind).asString());
  }

  /// Returns the initial noise, `[B, C, H, W]`.
  public Latents initialNoise() throws IOException {
    Npy noise = array("initial_noise.npy");
    return new Latents(noise.values(), noise.shape()[0], Arrays.copyOfRange(noise.shape(), 1, 4));
  }

  /// Returns entry `i` of an array `[steps, …]`.
  public static float[] entry(Npy array, int i) {
    int size = array.values().length / array.shape()[0];
    return Arrays.copyOfRange(array.values(), i * size, (i + 1) * size);
  }

  /// Returns what the runs state: 1e-4, and where `relative` 1e-5 of the largest value if that is
  /// more.
  public static double tolerance(float[] expected, boolean relative) {
    double largest =
        IntStream.range(0, expected.length).mapToDouble(i -> Math.abs(expected[i])).max().orElse(0);
    return relative ? Math.max(1e-4, 1e-5 * largest) : 1e-4;
  }

  /// Asserts that two arrays are equal to a tolerance, and returns the largest difference.
  public static double requireClose(
      float[] actual, float[] expected, double tolerance, String what) {
    if (actual.length != expected.length) {
      throw new AssertionError(
          "%s: %d values, but %d expected".formatted(what, actual.length, expected.length));
    }
    double worst = 0;
    int at = 0;
    for (int i = 0; i < expected.length; i++) {
      double difference = Math.abs((double) actual[i] - expected[i]);
      if (!(difference <= worst)) { // also keeps NaN
        worst = difference;
        at = i;
      }
    }
    if (!(worst <= tolerance)) {
      throw new AssertionError(
          "%s: value %d is %s, but %s expected: off by %s, more than %s"
              .formatted(what, at, actual[at], expected[at], worst, tolerance));
    }
    return worst;
  }
}
