package spellshield.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;
import spellshield.sampler.StepListener;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.testing.TinyPipelines;

class PipelineTest {
  @TempDir private Path temporary = Path.of("");

  private static DiffusionPipeline load(String name) throws Exception {
    return DiffusionPipeline.load(TinyPipelines.folder(name));
  }

  private static Request request(String name) {
    Request request = name.equals("sd") ? Request.prompts("a red fish") : Request.labels(3);
    return request.seeds(1, 2, 3).steps(4);
  }

  private static float[][] latents(List<Generated> results) {
    return results.stream().map(one -> one.sample().latent()).toArray(float[][]::new);
  }

  @ParameterizedTest
  @CsvSource({"edm, 7", "dit, 4", "sd, 4"})
  void the_listener_sees_every_call_with_its_level(String name, int calls) throws Exception {
    List<StepListener.Step> seen = new ArrayList<>();
    try (DiffusionPipeline pipeline = load(name)) {
      List<Generated> results = pipeline.sample(request(name).guidanceScale(2).listener(seen::add));
      assertThat(seen)
          .extracting(StepListener.Step::call)
          .containsExactlyElementsOf(numbers(calls));
      assertThat(seen)
          .allSatisfy(step -> {
            assertThat(step.steps()).isEqualTo(4);
            assertThat(step.x0hat().batch()).as("not the doubled batch").isEqualTo(3);
            assertThat(step.x0hat().shape()).containsExactly(4, 8, 8);
          });
      assertThat(seen.stream().mapToDouble(StepListener.Step::sigma).toArray())
          .isSortedAccordingTo((a, b) -> Double.compare(b, a));
      for (int i = 0; i < 3; i++) {
        // All three end in a step to σ = 0, which is x̂0 itself.
        assertThat(results.get(i).sample().latent()).containsExactly(seen.getLast().x0hat().row(i));
      }
    }
  }

  private static List<Integer> numbers(int count) {
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      numbers.add(i);
    }
    return numbers;
  }

  @Test
  void a_listener_may_stop_the_run() throws Exception {
    List<StepListener.Step> seen = new ArrayList<>();
    try (DiffusionPipeline pipeline = load("dit")) {
      Request stopping =
          request("dit")
              .listener(step -> {
                seen.add(step);
                return step.call() < 2;
              });
      assertThatExceptionOfType(CancellationException.class)
          .isThrownBy(() -> pipeline.sample(stopping))
          .withMessage("the listener stopped the run at call 2");
      assertThat(seen).hasSize(3);
      assertThat(pipeline.sample(request("dit"))).as("the pipeline is still whole").hasSize(3);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"edm", "dit", "sd"})
  void given_noise_stands_in_for_the_drawn(String name) throws Exception {
    try (DiffusionPipeline pipeline = load(name)) {
      float[][] drawn = latents(pipeline.sample(request(name)));
      Latents noise = new Noise(1, 2, 3).draw(0, 4, 8, 8);
      Latents before = noise.copy();
      Request given = request(name).seeds(7, 8, 9).initialNoise(noise).batch(2);
      assertThat(latents(pipeline.sample(given))).isDeepEqualTo(drawn);
      assertThat(noise.values()).as("not changed").containsExactly(before.values());
    }
  }

  @Test
  void latents_come_without_pictures_and_are_those_of_the_pictures() throws Exception {
    try (DiffusionPipeline pipeline = load("edm")) {
      List<Generated> with = pipeline.sample(request("edm"));
      List<Generated> without = pipeline.sample(request("edm").withoutPictures());
      assertThat(without).allSatisfy(one -> assertThat(one.picture()).isEmpty());
      assertThat(latents(without)).isDeepEqualTo(latents(with));
      for (Generated one : with) {
        Latents latent = new Latents(one.sample().latent(), 1, 4, 8, 8);
        assertThat(one.picture()).contains(pipeline.codec().decode(latent).getFirst());
        RgbImage picture = one.picture().orElseThrow();
        assertThat(picture.width()).isEqualTo(64);
      }
    }
  }

  @Test
  void a_scheduler_is_swapped_from_the_config_that_there_is() throws Exception {
    try (DiffusionPipeline pipeline = load("dit")) {
      DiffusionPipeline solver = pipeline.withScheduler("DPMSolverMultistepScheduler");
      assertThat(pipeline.scheduler().orElseThrow().className()).isEqualTo("DDIMScheduler");
      assertThat(solver.scheduler().orElseThrow().className())
          .isEqualTo("DPMSolverMultistepScheduler");
      List<Generated> results = solver.sample(request("dit"));
      assertThat(results.getFirst().parameters()).contains("Sampler: dpm++2m,");
      assertThat(latents(results)).isNotEqualTo(latents(pipeline.sample(request("dit"))));
      // The levels differ, the last prediction does not by much: v_prediction was kept.
      assertThat(latents(results)[0][0]).isBetween(-10f, 10f);
    }
  }

  @Test
  void sixteen_bits_give_what_thirty_two_give_to_half_precision() throws Exception {
    try (DiffusionPipeline full = load("dit");
        DiffusionPipeline half = load("dit-fp16")) {
      float[][] exact = latents(full.sample(request("dit").guidanceScale(2)));
      float[][] rounded = latents(half.sample(request("dit").guidanceScale(2)));
      double worst = 0;
      for (int row = 0; row < exact.length; row++) {
        for (int i = 0; i < exact[row].length; i++) {
          worst = Math.max(worst, Math.abs((double) exact[row][i] - rounded[row][i]));
        }
      }
      // A half is off by 2⁻¹¹ of itself; values reach 4, and guidance, four steps and some ten
      // roundings on the way through the network make it a few times that.
      assertThat(worst).isPositive().isLessThan(16 * 4 * 0x1p-11);
    }
  }

  @Test
  void sixteen_bit_pictures_survive_the_way_to_pixels_and_back() throws Exception {
    try (DiffusionPipeline half = load("dit-fp16")) {
      Generated one = half.sample(request("dit")).getFirst();
      float[] again = half.codec().encode(List.of(one.picture().orElseThrow())).values();
      for (int i = 0; i < again.length; i++) {
        // The encoder stops 1 % short; 8 bits and halves cost the rest.
        assertThat(again[i]).isCloseTo(one.sample().latent()[i], within(0.2f));
      }
    }
  }

  @Test
  void weights_may_lie_in_a_file_beside_the_network() throws Exception {
    Path folder = TinyPipelines.copy("dit", temporary.resolve("external"));
    for (String file : List.of("model.onnx", "model.onnx_data")) {
      Files.copy(
          TinyPipelines.folder("external").resolve("transformer").resolve(file),
          folder.resolve("transformer").resolve(file),
          StandardCopyOption.REPLACE_EXISTING);
    }
    try (DiffusionPipeline external = DiffusionPipeline.load(folder);
        DiffusionPipeline whole = load("dit")) {
      assertThat(latents(external.sample(request("dit"))))
          .isDeepEqualTo(latents(whole.sample(request("dit"))));
    }
  }

  @Test
  void other_sizes_than_the_models_own_are_sampled() throws Exception {
    try (DiffusionPipeline pipeline = load("sd")) {
      RgbImage picture =
          pipeline.sample(request("sd").size(96, 48)).getFirst().picture().orElseThrow();
      assertThat(picture.width()).isEqualTo(96);
      assertThat(picture.height()).isEqualTo(48);
    }
  }

  @Test
  void what_a_picture_was_made_of_is_said_in_the_usual_wording() throws Exception {
    try (DiffusionPipeline pipeline = load("sd")) {
      Request request =
          Request.prompts("a red fish", "a cat").negativePrompts("blurry").seeds(41, 42).steps(4);
      assertThat(pipeline.sample(request).get(1).parameters())
          .isEqualTo(
              """
              a cat
              Negative prompt: blurry
              Steps: 4, Sampler: ddim, CFG scale: 7.5, Seed: 42, Size: 64x64, Model: sd\
              """);
    }
    try (DiffusionPipeline pipeline = load("dit")) {
      assertThat(
              pipeline
                  .sample(Request.labels(3).steps(2).guidanceScale(1.5))
                  .getFirst()
                  .parameters())
          .isEqualTo(
              """
              class d, 3th
              Steps: 2, Sampler: ddim, CFG scale: 1.5, Seed: 0, Size: 64x64, Model: dit\
              """);
    }
  }

  @Test
  void classes_are_found_by_name_part_of_a_name_or_number() throws Exception {
    try (DiffusionPipeline pipeline = load("dit")) {
      assertThat(pipeline.label("class d, 3th")).isEqualTo(3);
      assertThat(pipeline.label("class d")).isEqualTo(3);
      assertThat(pipeline.label("3th")).isEqualTo(3);
      assertThat(pipeline.label("7")).isEqualTo(7);
    }
  }

  @Test
  void a_negative_prompt_leads_away_and_the_empty_one_is_the_rule() throws Exception {
    try (DiffusionPipeline pipeline = load("sd")) {
      float[][] none = latents(pipeline.sample(request("sd")));
      float[][] empty = latents(pipeline.sample(request("sd").negativePrompts("")));
      float[][] other = latents(pipeline.sample(request("sd").negativePrompts("a dog")));
      assertThat(empty).isDeepEqualTo(none);
      assertThat(other[0]).isNotEqualTo(none[0]);
    }
  }

  @Test
  void guidance_towards_the_prompt_itself_changes_nothing() throws Exception {
    try (DiffusionPipeline pipeline = load("sd")) {
      // combined = negative + w·(positive − negative), which is the positive where both are equal.
      float[][] plain = latents(pipeline.sample(request("sd").guidanceScale(1)));
      float[][] same =
          latents(pipeline.sample(request("sd").negativePrompts("a red fish").guidanceScale(7)));
      assertThat(same).isDeepEqualTo(plain);
    }
  }

  @Test
  void draws_of_a_sampler_with_noise_belong_to_the_seed() throws Exception {
    try (DiffusionPipeline pipeline = load("sd")) {
      DiffusionPipeline ancestral = pipeline.withScheduler("EulerAncestralDiscreteScheduler");
      float[][] together = latents(ancestral.sample(request("sd")));
      float[][] alone = latents(ancestral.sample(request("sd").seeds(3)));
      assertThat(alone[0]).containsExactly(together[2]);
      assertThat(together[0]).isNotEqualTo(together[1]);
    }
  }
}
