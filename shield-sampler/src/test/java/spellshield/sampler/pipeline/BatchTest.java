package spellshield.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import spellshield.sampler.guidance.Cads;
import spellshield.sampler.testing.TinyPipelines;

/// A picture belongs to its seed and what was asked for, not to those beside it: bit for bit.
class BatchTest {
  private static final int COUNT =
      17; // leaves one alone after 16, and after 4 fours, and 2 after 5
  private static final long[] SEEDS = LongStream.range(100, 100 + COUNT).toArray();

  private static Request request(String name, int... rows) {
    long[] seeds = Arrays.stream(rows).mapToLong(row -> SEEDS[row]).toArray();
    Request request =
        name.equals("sd")
            ? Request.prompts(
                Arrays.stream(rows).mapToObj(row -> "a cat, " + row % 3).toArray(String[]::new))
            : Request.labels(Arrays.stream(rows).map(row -> row % 10).toArray());
    return request.seeds(seeds).steps(6);
  }

  private static int[] all() {
    return IntStream.range(0, COUNT).toArray();
  }

  private static float[][] latents(DiffusionPipeline pipeline, Request request) {
    return pipeline.sample(request.withoutPictures()).stream()
        .map(one -> one.sample().latent())
        .toArray(float[][]::new);
  }

  @ParameterizedTest
  @CsvSource({
    "edm, 1",
    "edm, 2",
    "dit, 1",
    "dit, 3",
    "dit-fp16, 1",
    "dit-fp16, 3",
    "sd, 1",
    "sd, 3"
  })
  void latents_do_not_depend_on_the_batch_size(String name, double guidance) throws Exception {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder(name))) {
      float[][] together =
          latents(pipeline, request(name, all()).guidanceScale(guidance).batch(COUNT));
      for (int batch : new int[] {1, 3, 4, 5, 16}) {
        float[][] some =
            latents(pipeline, request(name, all()).guidanceScale(guidance).batch(batch));
        assertThat(some).as("batches of " + batch).isDeepEqualTo(together);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"edm, 1", "edm, 2", "dit, 1", "dit, 3", "sd, 1", "sd, 3"})
  void latents_do_not_depend_on_their_place_in_the_batch(String name, double guidance)
      throws Exception {
    int[] mixed = {7, 16, 2, 0, 9};
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder(name))) {
      float[][] together = latents(pipeline, request(name, all()).guidanceScale(guidance));
      float[][] moved = latents(pipeline, request(name, mixed).guidanceScale(guidance));
      for (int i = 0; i < mixed.length; i++) {
        assertThat(moved[i]).as("row " + mixed[i]).containsExactly(together[mixed[i]]);
      }
    }
  }

  @Test
  void guidance_in_an_interval_does_not_depend_on_the_batch() throws Exception {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder("sd"))) {
      List<float[][]> runs =
          IntStream.of(1, 16)
              .mapToObj(batch ->
                  latents(
                      pipeline,
                      request("sd", all()).guidanceScale(3).guidanceInterval(0.5, 5).batch(batch)))
              .toList();
      assertThat(runs.getFirst()).isDeepEqualTo(runs.getLast());
    }
  }

  @Test
  void annealed_texts_do_not_depend_on_the_batch() throws Exception {
    Cads.Settings settings = new Cads.Settings(0.5, 0.9, 0.3, 1);
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder("sd"))) {
      List<float[][]> runs =
          IntStream.of(1, 16)
              .mapToObj(batch ->
                  latents(
                      pipeline, request("sd", all()).guidanceScale(3).cads(settings).batch(batch)))
              .toList();
      assertThat(runs.getFirst()).isDeepEqualTo(runs.getLast());
      float[][] plain = latents(pipeline, request("sd", all()).guidanceScale(3));
      assertThat(runs.getFirst()[0]).isNotEqualTo(plain[0]);
    }
  }

  @Test
  void pictures_do_not_depend_on_the_batch() throws Exception {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder("edm"))) {
      List<Generated> alone = pipeline.sample(request("edm", all()).batch(1));
      List<Generated> together = pipeline.sample(request("edm", all()).batch(16));
      for (int i = 0; i < COUNT; i++) {
        assertThat(together.get(i).picture()).isEqualTo(alone.get(i).picture()).isPresent();
        assertThat(together.get(i).parameters()).isEqualTo(alone.get(i).parameters());
      }
    }
  }
}
