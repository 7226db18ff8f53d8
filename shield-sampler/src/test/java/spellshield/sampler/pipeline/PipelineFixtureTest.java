package spellshield.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.Precision;
import spellshield.sampler.Latents;
import spellshield.sampler.codec.AutoencoderCodec;
import spellshield.sampler.scheduler.Scheduler;
import spellshield.sampler.shield.Shield;
import spellshield.sampler.testing.Fixture;
import spellshield.sampler.testing.Npy;
import tools.jackson.databind.JsonNode;

/// Whole runs of diffusers pipelines, network included, to the tolerance that each run states.
class PipelineFixtureTest {
  private static Request request(Fixture fixture, JsonNode run) throws Exception {
    JsonNode call = run.path("call");
    Latents noise = fixture.initialNoise();
    Request request =
        call.has("class_labels")
            ? Request.labels(
                call.path("class_labels").valueStream().mapToInt(JsonNode::asInt).toArray())
            : Request.prompts(texts(call, "prompt"));
    if (call.has("prompt_2")) {
      request.prompts2(texts(call, "prompt_2"));
    }
    if (call.has("prompt_3")) {
      request.prompts3(texts(call, "prompt_3"));
    }
    if (call.has("negative_prompt")) {
      request.negativePrompts(texts(call, "negative_prompt"));
    }
    if (call.has("negative_prompt_2")) {
      request.negativePrompts2(texts(call, "negative_prompt_2"));
    }
    if (call.has("original_size")) {
      request.sizes(
          new Request.Sizes(
              call.path("original_size").path(0).asInt(),
              call.path("original_size").path(1).asInt(),
              call.path("crops_coords_top_left").path(0).asInt(),
              call.path("crops_coords_top_left").path(1).asInt(),
              call.path("target_size").path(0).asInt(),
              call.path("target_size").path(1).asInt()));
    }
    return request
        .seeds(LongStream.range(0, noise.batch()).toArray())
        .initialNoise(noise)
        .steps(call.path("num_inference_steps").asInt())
        .guidanceScale(call.path("guidance_scale").asDouble());
  }

  private static String[] texts(JsonNode call, String field) {
    return call.path(field).valueStream().map(JsonNode::asString).toArray(String[]::new);
  }

  private static float[] latents(List<Generated> results) {
    int dim = results.getFirst().sample().latent().length;
    float[] all = new float[results.size() * dim];
    for (int i = 0; i < results.size(); i++) {
      System.arraycopy(results.get(i).sample().latent(), 0, all, i * dim, dim);
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({"tiny-dit, 5", "tiny-sdxl, 7", "tiny-sd3, 6"})
  void runs_are_those_of_diffusers(String name, int count) throws Exception {
    Fixture fixture = Fixture.of(name);
    try (DiffusionPipeline loaded = DiffusionPipeline.load(fixture.folder())) {
      List<JsonNode> runs = fixture.runs();
      assertThat(runs).hasSize(count);
      for (JsonNode run : runs) {
        DiffusionPipeline pipeline =
            loaded.withScheduler(run.path("scheduler").path("_class_name").asString());
        List<float[]> x0 = new ArrayList<>();
        Request request =
            request(fixture, run)
                .listener(step -> {
                  x0.add(step.x0hat().values().clone());
                  return true;
                });
        boolean shielded = run.has("shield");
        String what = name + " " + run.path("name").asString();
        List<Generated> results =
            shielded ? shielded(pipeline, request, fixture, run) : pipeline.sample(request);
        Npy expected = fixture.array(run, shielded ? "x0moved" : "x0");
        assertThat(x0).hasSize(expected.shape()[0]);
        for (int call = 0; call < x0.size(); call++) {
          float[] entry = Fixture.entry(expected, call);
          Fixture.requireClose(
              x0.get(call),
              entry,
              Fixture.tolerance(expected.values(), true),
              what + ": x0 of call " + call);
        }
        float[] latents = fixture.array(run, "latents").values();
        Fixture.requireClose(
            latents(results), latents, Fixture.tolerance(latents, shielded), what + ": latents");
        if (run.path("arrays").has("images")) {
          Latents all = fixture.initialNoise().with(latents(results));
          Fixture.requireClose(
              pipeline.codec().decodeSamples(all),
              fixture.array(run, "images").values(),
              1e-4,
              what + ": images");
        }
      }
    }
  }

  /// Through our own shield: the set is that of the run.
  private List<Generated> shielded(
      DiffusionPipeline pipeline, Request request, Fixture fixture, JsonNode run) throws Exception {
    Npy latents = fixture.array(run.path("shield").path("protected").asString());
    double radius = run.path("shield").path("radius").asDouble();
    try (ProtectedSet set = set(pipeline, latents)) {
      Shield shield =
          Shield.builder()
              .protecting(set.exact(), set.latents(), radius)
              .overcompensation(run.path("shield").path("lambda").asDouble())
              .build();
      return pipeline.sampleThrough(request, shield);
    }
  }

  @TempDir private Path temporary = Path.of("");

  private ProtectedSet set(DiffusionPipeline pipeline, Npy latents) throws Exception {
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(temporary.resolve("set"), pipeline.space(), Precision.FLOAT32)) {
      for (int i = 0; i < latents.shape()[0]; i++) {
        builder.add(new Item("item-" + i, "", ""), Fixture.entry(latents, i));
      }
      builder.commit(Instant.EPOCH);
    }
    return ProtectedSet.open(temporary.resolve("set"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-dit", "tiny-sdxl", "tiny-sd3", "tiny-sd"})
  void pictures_are_encoded_as_by_diffusers(String name) throws Exception {
    Fixture fixture = Fixture.of(name);
    Npy input = fixture.array("encode_input.npy");
    float[] expected = fixture.array("encode_latent_mean_scaled.npy").values();
    int size = input.shape()[2];
    float[] samples = input.values().clone();
    for (int i = 0; i < samples.length; i++) {
      samples[i] = (float) ((samples[i] + 1.0) / 2);
    }
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(fixture.folder())) {
      AutoencoderCodec codec = pipeline.codec();
      Latents latents = codec.encodeSamples(samples, size, size);
      Fixture.requireClose(latents.values(), expected, 1e-4, name + ": encoded");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "DDIMScheduler, ddim10_cfg7.5",
    "EulerDiscreteScheduler, euler10_cfg7.5",
    "DPMSolverMultistepScheduler, dpmpp2m10_cfg7.5"
  })
  void stable_diffusion_is_that_of_diffusers(String scheduler, String run) throws Exception {
    Fixture fixture = Fixture.of("tiny-sd");
    try (DiffusionPipeline loaded = DiffusionPipeline.load(fixture.folder())) {
      Latents noise = fixture.initialNoise();
      Request request =
          Request.prompts("a close-up of an apple", "The Eiffel Tower at night")
              .seeds(0, 1)
              .steps(10)
              .guidanceScale(7.5)
              .initialNoise(noise);
      // The recorded second schedulers took over the leading spacing of DDIM's object in memory.
      Scheduler leading =
          Scheduler.parse(
              Files.readString(fixture.folder().resolve("scheduler/scheduler_config.json"))
                  .replaceFirst("\\{", "{\"timestep_spacing\": \"leading\","));
      List<Generated> results = loaded.withScheduler(leading.withClass(scheduler)).sample(request);
      float[] expected = fixture.array("latents_" + run + ".npy").values();
      Fixture.requireClose(latents(results), expected, 1e-4, run);
      Fixture.requireClose(
          loaded.codec().decodeSamples(noise.with(latents(results))),
          fixture.array("images_" + run + ".npy").values(),
          1e-4,
          run + ": images");
    }
  }
}
