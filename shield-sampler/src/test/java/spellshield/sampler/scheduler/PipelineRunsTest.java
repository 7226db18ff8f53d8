package spellshield.sampler.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Draws;
import spellshield.sampler.Latents;
import spellshield.sampler.testing.Npy;
import spellshield.sampler.testing.Shared;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Whole runs of diffusers pipelines, whose guided outputs or clean latents are played back.
///
/// Each scheduler is the class of the run, made from the pipeline's own config. A tolerance is
/// 1e-4, or 1e-5 of the largest value, whichever is more, as the runs state it.
class PipelineRunsTest {
  private static JsonNode runs(Path pipeline) throws IOException {
    return JsonMapper.builder()
        .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
        .build()
        .readTree(Files.readString(pipeline.resolve("expected/runs.json")))
        .path("runs");
  }

  private static Plan plan(Path pipeline, JsonNode run) throws IOException {
    return Scheduler.read(pipeline.resolve("scheduler/scheduler_config.json"))
        .withClass(run.path("scheduler").path("_class_name").asString())
        .plan(run.path("call").path("num_inference_steps").asInt());
  }

  private static Npy array(Path pipeline, JsonNode run, String kind) throws IOException {
    return Npy.read(pipeline.resolve("expected/" + run.path("arrays").path(kind).asString()));
  }

  /// The initial noise, and none after.
  private record Start(Npy noise) implements Draws {
    @Override
    public int batch() {
      return noise.shape()[0];
    }

    @Override
    public Latents draw(int k, int... shape) {
      return new Latents(noise.values(), batch(), shape);
    }

    int[] latent() {
      return Arrays.copyOfRange(noise.shape(), 1, noise.shape().length);
    }
  }

  private static Start start(Path pipeline) throws IOException {
    return new Start(Npy.read(pipeline.resolve("expected/initial_noise.npy")));
  }

  /// Returns entry `i` of an array `[steps, B, C, H, W]`.
  private static Latents entry(Npy array, int i, Latents like) {
    int size = like.values().length;
    return like.with(Arrays.copyOfRange(array.values(), i * size, (i + 1) * size));
  }

  private static void requireClose(Latents actual, Latents expected, String what) {
    double largest = 0;
    for (float value : expected.values()) {
      largest = Math.max(largest, Math.abs(value));
    }
    double tolerance = Math.max(1e-4, 1e-5 * largest);
    for (int i = 0; i < expected.values().length; i++) {
      if (!(Math.abs((double) actual.values()[i] - expected.values()[i]) <= tolerance)) {
        assertThat((double) actual.values()[i])
            .as("%s, value %d", what, i)
            .isCloseTo(expected.values()[i], within(tolerance));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"tiny-dit, 2", "tiny-sdxl, 3", "tiny-sd3, 2"})
  void outputs_played_back_lead_to_the_same_latents(String name, int count) throws Exception {
    Path pipeline = Shared.path("fixtures/" + name);
    int compared = 0;
    for (JsonNode run : runs(pipeline)) {
      if (!run.path("arrays").has("out")) {
        continue;
      }
      compared++;
      String what = name + " " + run.path("name").asString();
      Plan plan = plan(pipeline, run);
      Npy outputs = array(pipeline, run, "out");
      Npy x = array(pipeline, run, "x");
      Npy x0 = array(pipeline, run, "x0");
      boolean exploding =
          run.path("scheduler").path("_class_name").asString().equals("EulerDiscreteScheduler");
      List<Double> timesteps = new ArrayList<>();
      Network recorded =
          (input, timestep, condition) -> {
            timesteps.add(timestep);
            return entry(outputs, timesteps.size() - 1, input);
          };
      Denoiser denoiser = plan.denoiser(recorded);
      Start start = start(pipeline);
      Latents out =
          plan.sample(
              (xt, sigma, condition) -> {
                int call = timesteps.size();
                // diffusers' Euler keeps x_t itself, the others α·x_t, as the network sees it.
                Latents theirs = exploding ? xt : plan.input(xt, sigma);
                requireClose(theirs, entry(x, call, xt), what + ": x of call " + call);
                Latents x0hat = denoiser.denoise(xt, sigma, condition);
                requireClose(x0hat, entry(x0, call, xt), what + ": x0 of call " + call);
                return x0hat;
              },
              start,
              Condition.NONE,
              start.latent());
      assertThat(timesteps).hasSize(outputs.shape()[0]);
      for (int i = 0; i < timesteps.size(); i++) {
        assertThat(timesteps.get(i))
            .isCloseTo(run.path("timesteps").path(i).asDouble(), within(1e-3));
      }
      requireClose(out, entry(array(pipeline, run, "latents"), 0, out), what + ": latents");
      requireClose(out, entry(x, timesteps.size(), out), what + ": the last x");
    }
    assertThat(compared).isEqualTo(count);
  }

  /// Also those that a shield has moved: steps take x̂0 from whoever says it last.
  @ParameterizedTest
  @ValueSource(strings = {"tiny-dit", "tiny-sdxl", "tiny-sd3"})
  void clean_latents_played_back_lead_to_the_same_latents(String name) throws Exception {
    Path pipeline = Shared.path("fixtures/" + name);
    int shielded = 0;
    for (JsonNode run : runs(pipeline)) {
      boolean moved = run.path("arrays").has("x0moved");
      shielded += moved ? 1 : 0;
      Npy x0 = array(pipeline, run, moved ? "x0moved" : "x0");
      Plan plan = plan(pipeline, run);
      int[] calls = new int[1];
      Start start = start(pipeline);
      Latents out =
          plan.sample(
              (xt, sigma, condition) -> entry(x0, calls[0]++, xt),
              start,
              Condition.NONE,
              start.latent());
      assertThat(calls[0]).isEqualTo(x0.shape()[0]);
      requireClose(
          out,
          entry(array(pipeline, run, "latents"), 0, out),
          name + " " + run.path("name").asString());
    }
    assertThat(shielded).isEqualTo(1);
  }
}
