package spellshield.sampler.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import spellshield.sampler.Condition;
import spellshield.sampler.Draws;
import spellshield.sampler.FlowHeun;
import spellshield.sampler.Heun;
import spellshield.sampler.Latents;
import spellshield.sampler.testing.Shared;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// 32 recorded runs of diffusers 0.40, whose networks' outputs and noise are played back.
class SchedulerFixtureTest {

  /// Python writes infinities as they are.
  private static final JsonMapper PYTHON_JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
          .build();

  /// One recorded run.
  record Case(String name, JsonNode recorded) {
    @Override
    public String toString() {
      return name;
    }

    Scheduler scheduler() {
      ObjectNode config = ((ObjectNode) recorded.path("config")).deepCopy();
      config.put("_class_name", recorded.path("scheduler").asString());
      Scheduler scheduler = Scheduler.parse(PYTHON_JSON.writeValueAsString(config));
      return recorded.path("kwargs").has("eta")
          ? scheduler.withEta(recorded.path("kwargs").path("eta").asDouble())
          : scheduler;
    }

    Plan plan() {
      return scheduler().plan(recorded.path("steps").asInt());
    }
  }

  static Stream<Case> cases() throws IOException {
    JsonNode root = PYTHON_JSON.readTree(Files.readString(Shared.path("fixtures/schedulers.json")));
    List<Case> cases = new ArrayList<>();
    for (JsonNode recorded : root.path("cases")) {
      cases.add(
          new Case(recorded.path("name").asString() + "-" + recorded.path("steps"), recorded));
    }
    return cases.stream();
  }

  /// The start and the noise of a recorded run, drawn in its order.
  private record Recorded(JsonNode run, double initNoiseSigma) implements Draws {
    @Override
    public int batch() {
      return 1;
    }

    @Override
    public Latents draw(int k, int... shape) {
      if (k > 0) {
        return new Latents(
            values(run.path("trajectory").path(k - 1).path("noise").path(0)), 1, shape);
      }
      float[] start = values(run.path("initial"));
      for (int i = 0; i < start.length; i++) {
        start[i] = (float) (start[i] / initNoiseSigma);
      }
      return new Latents(start, 1, shape);
    }
  }

  private static float[] values(JsonNode list) {
    float[] values = new float[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) list.path(i).asDouble();
    }
    return values;
  }

  @Test
  void there_are_32_runs() throws IOException {
    assertThat(cases()).hasSize(32);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void every_step_is_diffusers(Case fixture) {
    JsonNode run = fixture.recorded();
    JsonNode trajectory = run.path("trajectory");
    Plan plan = fixture.plan();
    int dim = run.path("initial").size();
    List<String> seen = new ArrayList<>();
    Network recorded =
        (input, timestep, condition) -> {
          JsonNode step = trajectory.path(seen.size());
          seen.add(step.path("t").asString());
          requireClose(values(step.path("model_input")), input.values(), "input", seen.size());
          assertThat(timestep).isCloseTo(step.path("t").asDouble(), within(1e-3));
          return input.with(values(step.path("model_output")));
        };
    List<float[]> predictions = new ArrayList<>();
    Latents out =
        plan.sample(
            (xt, sigma, condition) -> {
              Latents x0hat = plan.denoiser(recorded).denoise(xt, sigma, condition);
              predictions.add(x0hat.values());
              return x0hat;
            },
            new Recorded(run, run.path("init_noise_sigma").asDouble()),
            Condition.NONE,
            dim);
    assertThat(seen).hasSize(trajectory.size());
    requireClose(values(trajectory.path(seen.size() - 1).path("next")), out.values(), "next", 0);
    for (int i = 0; i < predictions.size(); i++) {
      JsonNode x0 = trajectory.path(i).path("pred_x0");
      if (!x0.isNull()) {
        requireClose(values(x0), predictions.get(i), "x0", i);
      }
    }
  }

  /// Each value within 1e-5 of the largest.
  private static void requireClose(float[] expected, float[] actual, String what, int step) {
    double largest = 0;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) actual[i])
          .as("%s of step %d, value %d", what, step, i)
          .isCloseTo(expected[i], within(1e-5 * largest));
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void levels_and_timesteps_are_diffusers(Case fixture) {
    JsonNode run = fixture.recorded();
    Plan plan = fixture.plan();
    int calls = plan.sampler() instanceof Heun || plan.sampler() instanceof FlowHeun ? 2 : 1;
    int steps = plan.levels().steps();
    assertThat(run.path("timesteps").size()).isEqualTo(calls * (steps - 1) + 1);
    for (int i = 0; i < steps; i++) {
      // Heun's second call is told the timestep of the next level.
      int at = i == 0 ? 0 : calls * i - calls + 1;
      assertThat(plan.timesteps()[i])
          .isCloseTo(run.path("timesteps").path(at).asDouble(), within(1e-3));
      double sigma = plan.levels().sigmas()[i];
      if (plan.prediction() instanceof Prediction.Flow) {
        sigma = sigma / (1 + sigma);
      }
      if (!run.path("sigmas").isNull()) {
        double expected = run.path("sigmas").path(at).asDouble();
        assertThat(sigma).isCloseTo(expected, within(2e-6 * expected));
      }
    }
  }
}
