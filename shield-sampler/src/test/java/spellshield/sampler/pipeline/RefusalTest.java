package spellshield.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.index.FingerprintMismatchException;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.sampler.Latents;
import spellshield.sampler.guidance.Cads;
import spellshield.sampler.testing.TinyPipelines;

/// Whatever is wrong with a folder or a request is said in one line: what, where, what to do.
class RefusalTest {
  @TempDir private Path temporary = Path.of("");

  private interface Change {
    void in(Path folder) throws IOException;
  }

  /// Returns what is said of a changed copy of a pipeline, with its folder as `FOLDER`.
  private String loading(String name, Change change) throws IOException {
    Path folder = TinyPipelines.copy(name, temporary.resolve("pipeline"));
    change.in(folder);
    return said(folder);
  }

  private static String said(Path folder) {
    Throwable refusal = catchThrowable(() -> DiffusionPipeline.load(folder).close());
    return line(refusal).replace(folder.toString(), "FOLDER");
  }

  private static String line(Throwable refusal) {
    assertThat(refusal).isInstanceOfAny(IOException.class, IllegalArgumentException.class);
    String message = String.valueOf(refusal.getMessage());
    assertThat(message).isNotBlank().doesNotContain("\n");
    return message;
  }

  private static String asking(String name, Request request) throws IOException {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder(name))) {
      return line(catchThrowable(() -> pipeline.sample(request)));
    }
  }

  /// Returns what is said of a pipeline of a linear network.
  private String custom(String network, String... fields) throws IOException {
    return said(Custom.write(temporary.resolve("pipeline"), network, fields));
  }

  @Test
  void a_folder_that_is_none_is_named() {
    Path nothing = temporary.resolve("nothing");
    assertThat(said(nothing))
        .isEqualTo("FOLDER is no folder; name that of a diffusers pipeline in ONNX");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sd  | model_index.json      | FOLDER has no model_index.json; name the folder of a diffusers"
            + " pipeline exported to ONNX, or write one (docs/models.md)",
        "sd  | unet/model.onnx       | FOLDER/unet/model.onnx is missing; export the pipeline with all"
            + " its parts",
        "sd  | unet/config.json      | FOLDER/unet/config.json is missing; export the pipeline with its"
            + " configs",
        "sd  | text_encoder/model.onnx | FOLDER/text_encoder/model.onnx is missing; export the pipeline"
            + " with all its parts",
        "sd  | tokenizer/vocab.json  | FOLDER/tokenizer has no vocab.json with a merges.txt, and no"
            + " tokenizer.json; export the pipeline with its tokenizer",
        "dit | transformer/model.onnx | FOLDER/transformer/model.onnx is missing; export the pipeline"
            + " with all its parts",
        "dit | vae_encoder/model.onnx | FOLDER/vae_encoder/model.onnx is missing; export the pipeline"
            + " with all its parts",
        "dit | vae_decoder/model.onnx | FOLDER/vae_decoder/model.onnx is missing; export the pipeline"
            + " with all its parts",
        "dit | vae_encoder/config.json | FOLDER has no vae_encoder/config.json, which holds the scale of"
            + " the latents; export the pipeline with its configs",
        "dit | scheduler/scheduler_config.json | FOLDER has no scheduler/scheduler_config.json; export"
            + " the pipeline with its configs",
        "edm | denoiser/config.json  | FOLDER/denoiser/config.json is missing; export the pipeline with"
            + " its configs",
      })
  void a_missing_part_is_named(String name, String file, String message) throws IOException {
    assertThat(loading(name, folder -> Files.delete(folder.resolve(file)))).isEqualTo(message);
  }

  @Test
  void an_unknown_class_is_named_with_the_known_ones() throws IOException {
    assertThat(
            loading(
                "dit",
                folder ->
                    TinyPipelines.replace(
                        folder.resolve("model_index.json"), "DiTPipeline", "FluxPipeline")))
        .isEqualTo(
            "FOLDER/model_index.json: the pipeline class 'FluxPipeline' is not supported; supported:"
                + " StableDiffusionPipeline, StableDiffusionXLPipeline, StableDiffusion3Pipeline,"
                + " DiTPipeline, and DenoiserPipeline for any other network (docs/models.md)");
  }

  @Test
  void an_unknown_scheduler_is_named_with_the_known_ones() throws IOException {
    assertThat(
            loading(
                "dit",
                folder ->
                    TinyPipelines.replace(
                        folder.resolve("scheduler/scheduler_config.json"),
                        "DDIMScheduler",
                        "LCMScheduler")))
        .startsWith(
            "FOLDER/scheduler/scheduler_config.json: the scheduler class 'LCMScheduler' is not"
                + " supported; supported: DDIMScheduler, DDPMScheduler,");
  }

  @ParameterizedTest
  @ValueSource(strings = {"model_index.json", "vae_encoder/config.json", "transformer/config.json"})
  void a_config_that_is_no_json_is_named(String file) throws IOException {
    assertThat(loading("dit", folder -> Files.writeString(folder.resolve(file), "hello")))
        .startsWith("FOLDER/%s: no JSON: ".formatted(file));
  }

  @Test
  void a_network_that_cannot_be_read_is_named() throws IOException {
    assertThat(
            loading(
                "dit",
                folder -> Files.writeString(folder.resolve("transformer/model.onnx"), "hello")))
        .startsWith("FOLDER/transformer/model.onnx cannot be loaded; copy or export it again: ");
  }

  @Test
  void a_pointer_of_git_lfs_is_told_apart() throws IOException {
    String pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n";
    assertThat(
            loading(
                "dit",
                folder -> Files.writeString(folder.resolve("transformer/model.onnx"), pointer)))
        .isEqualTo(
            "FOLDER/transformer/model.onnx only points to the network, which Git LFS keeps elsewhere;"
                + " run 'git lfs pull'");
  }

  @Test
  void external_data_that_is_missing_is_named() throws IOException {
    assertThat(loading("dit", folder -> swap(folder, "transformer", "external/transformer")))
        .startsWith("FOLDER/transformer/model.onnx cannot be loaded; copy or export it again: ")
        .contains("FOLDER/transformer/model.onnx_data");
  }

  private static void swap(Path folder, String part, String other) throws IOException {
    Files.copy(
        TinyPipelines.folder(other).resolve("model.onnx"),
        folder.resolve(part).resolve("model.onnx"),
        StandardCopyOption.REPLACE_EXISTING);
  }

  @Test
  void a_network_without_a_needed_input_is_named_with_those_it_has() throws IOException {
    assertThat(loading("dit", folder -> swap(folder, "transformer", "sd/unet")))
        .isEqualTo(
            "FOLDER/transformer/model.onnx has no input named class_labels; it has [sample FLOAT [-1,"
                + " 4, -1, -1], timestep FLOAT [], encoder_hidden_states FLOAT [-1, 77, 16]]");
  }

  @Test
  void an_input_that_nobody_feeds_is_named() throws IOException {
    assertThat(custom("index", "'label_input': 'other'"))
        .isEqualTo(
            "FOLDER/denoiser/model.onnx asks for inputs that are not known here: [class_labels];"
                + " known: [level, sample]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"scaling_factor\": 0.5 | \"scale\": 0.5 | has no scaling_factor, without which its latents are"
            + " not the model's; add the field (0.18215 for Stable Diffusion 1 and 2, 0.13025 for SDXL,"
            + " 1.5305 for Stable Diffusion 3, 1 for an autoencoder whose latents are used as they are)",
        "\"scaling_factor\": 0.5 | \"scaling_factor\": 0 | : scaling_factor must be a number other than"
            + " 0, but was 0",
        "\"scaling_factor\": 0.5 | \"scaling_factor\": \"1\" | : scaling_factor must be a number other"
            + " than 0, but was \"1\"",
        "\"scaling_factor\": 0.5 | \"scaling_factor\": 1, \"shift_factor\": \"1\" | : shift_factor must"
            + " be a number, but was \"1\"",
        "block_out_channels | blocks | needs block_out_channels, one entry for each halving of the picture"
            + " and one more, but lacks it",
        "latents_std | latents_dev | needs latents_mean and latents_std, or neither",
        "4.17 | 0 | : latents_std must be positive, but entry 0 was 0.0",
        "4.17 | \"x\" | : latents_std must be a list of numbers, one for each channel, but was"
            + " [\"x\",4.62,3.71,3.28]",
        "5.81, | `` | : latents_mean has 3 entries for 4 channels",
        "\"image_range\" | \"image_range\": [1, 0], \"_\" | : image_range must be two rising numbers, such"
            + " as [0, 1], but was [1,0]",
        "\"image_range\" | \"image_range\": \"0..1\", \"_\" | : image_range must be two rising numbers, such"
            + " as [0, 1], but was \"0..1\"",
      })
  void a_wrong_field_of_the_autoencoder_is_named(String old, String with, String message)
      throws IOException {
    assertThat(
            loading(
                "edm",
                folder ->
                    TinyPipelines.replace(folder.resolve("vae_encoder/config.json"), old, with)))
        .isEqualTo(
            "FOLDER/vae_encoder/config.json" + (message.startsWith(":") ? "" : " ") + message);
  }

  @Test
  void an_encoder_of_another_factor_than_its_config_says_is_named() throws IOException {
    assertThat(
            loading(
                "dit",
                folder ->
                    TinyPipelines.replace(
                        folder.resolve("vae_encoder/config.json"), "    8,\n    8,\n", "    8,\n")))
        .isEqualTo(
            "FOLDER/vae_encoder/model.onnx answered [1, 8, 4, 4] for latents of [4, 8, 8];"
                + " block_out_channels in its config must have one entry for each halving of the"
                + " picture and one more, and had 3");
  }

  @Test
  void an_encoder_that_draws_is_refused() throws IOException {
    assertThat(loading("dit", folder -> swap(folder, "vae_encoder", "drawing/vae_encoder")))
        .isEqualTo(
            "FOLDER/vae_encoder/model.onnx draws its latents: two runs over one picture differ. Export"
                + " it with the mean, as latent_parameters or without the random node");
  }

  @Test
  void parts_of_different_models_are_not_put_together() throws IOException {
    assertThat(
            loading(
                "dit",
                folder ->
                    TinyPipelines.replace(
                        folder.resolve("transformer/config.json"),
                        "\"sample_size\": 8",
                        "\"sample_size\": 16")))
        .isEqualTo(
            "FOLDER with its autoencoder gives latents of [4, 16, 16], but the network's input is"
                + " hidden_states FLOAT [-1, 4, 8, 8]");
  }

  @Test
  void a_misspelt_field_is_named_with_the_known_ones() throws IOException {
    assertThat(custom("unlabelled", "'sigma_maxx': 80"))
        .startsWith(
            "FOLDER/denoiser/config.json: unknown fields [sigma_maxx]; known: [_class_name,");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "unlabelled | 'predicts': 'eps' | predicts must be one of x0, epsilon, v, flow, edm, but was"
            + " \"eps\"",
        "unlabelled | 'noise_is': 'timestep' | noise_is must be one of sigma, c_noise, time, but was"
            + " \"timestep\"",
        "unlabelled | 'sampler': 'eulr' | a sampler is one of euler, heun, flow-heun, ancestral, ddim,"
            + " dpm++2m, dpm++2m-sde, but the name was 'eulr'",
        "unlabelled | 'sigma_min': 5, 'sigma_max': 1 | need 0 < sigmaMin < sigmaMax < ∞, but"
            + " sigmaMin=5.0, sigmaMax=1.0",
        "unlabelled | 'sigma_max': 'big' | sigma_max must be a number, but was \"big\"",
        "unlabelled | 'steps': 0 | steps must be at least 1, but was 0",
        "unlabelled | 'guidance_scale': 2 | guidance_scale must be 1 where there are no labels, but was"
            + " 2",
        "unlabelled | 'latent_shape': [3, 8, 8] | latent_shape must be that of the network's input sample"
            + " FLOAT [-1, 4, 8, 8], but was [3,8,8]",
        "unlabelled | 'latent_shape': '4x8x8' | latent_shape must be three extents [C, H, W], but was"
            + " \"4x8x8\"",
        "index | 'labels': 10, 'label_form': 'hot' | label_form must be one of index, one_hot, but was"
            + " \"hot\"",
        "index | 'labels': 10, 'label_form': 'one_hot' | label_form must be one_hot for [B, 10], index for"
            + " [B], as the network's input class_labels INT64 [-1] takes it, but was \"one_hot\"",
        "one_hot | 'labels': 10 | label_form must be one_hot for [B, 10], index for [B], as the network's"
            + " input class_labels FLOAT [-1, 10] takes it, but was missing",
        "index | 'predicts': 'x0' | labels must be the number of classes that the network's input"
            + " class_labels tells apart, but was missing",
        "index | 'labels': 10, 'null_label': -1 | null_label must be a number of 0 or more, as \"zeros\""
            + " needs label_form one_hot, but was -1",
        "index | 'labels': 10, 'null_label': 'zeros' | null_label must be a number of 0 or more, as"
            + " \"zeros\" needs label_form one_hot, but was \"zeros\"",
        "one_hot | 'labels': 10, 'label_form': 'one_hot', 'null_label': 10 | null_label must be 0 to 9 or"
            + " \"zeros\", but was 10",
      })
  void a_wrong_field_of_a_denoiser_is_named(String network, String field, String message)
      throws IOException {
    assertThat(custom(network, field)).isEqualTo("FOLDER/denoiser/config.json: " + message);
  }

  @Test
  void what_the_scheduler_says_is_not_said_twice() throws IOException {
    Path folder = Custom.write(temporary.resolve("pipeline"), "unlabelled", "'predicts': 'v'");
    Files.createDirectories(folder.resolve("scheduler"));
    Files.copy(
        TinyPipelines.folder("dit").resolve("scheduler/scheduler_config.json"),
        folder.resolve("scheduler/scheduler_config.json"));
    assertThat(said(folder))
        .isEqualTo(
            "FOLDER/denoiser/config.json: predicts must be absent, as scheduler/scheduler_config.json"
                + " says it; remove one of the two");
  }

  @Test
  void guidance_without_a_null_label_is_refused() throws IOException {
    Path folder = Custom.write(temporary.resolve("pipeline"), "index", "'labels': 10");
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(folder)) {
      assertThat(line(catchThrowable(() -> pipeline.sample(Request.labels(1).guidanceScale(2)))))
          .isEqualTo(
              "guidance needs a null label, but denoiser/config.json names no null_label; add it, or"
                  + " take guidance scale 1");
    }
  }

  @Test
  void guidance_of_a_network_that_is_told_nothing_is_refused() throws IOException {
    Path folder = Custom.write(temporary.resolve("pipeline"), "unlabelled");
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(folder)) {
      assertThat(
              line(catchThrowable(() -> pipeline.sample(Request.unconditional().guidanceScale(2)))))
          .isEqualTo(
              "this network is told nothing that guidance could lead away from; take guidance scale"
                  + " 1");
      assertThat(line(catchThrowable(() -> pipeline.sample(Request.labels(2)))))
          .isEqualTo(
              "this network is told neither texts nor labels; ask for Request.unconditional()");
    }
  }

  @Test
  void labels_where_texts_are_needed_are_refused() throws IOException {
    assertThat(asking("sd", Request.labels(1)))
        .isEqualTo("this pipeline samples texts; give prompts");
    assertThat(asking("sd", Request.unconditional()))
        .isEqualTo("this pipeline samples texts; give prompts");
  }

  @ParameterizedTest
  @ValueSource(strings = {"dit", "edm"})
  void texts_where_labels_are_needed_are_refused_with_their_names(String name) throws IOException {
    assertThat(asking(name, Request.prompts("a cat")))
        .startsWith("this pipeline samples classes; give labels, 0 to 9: class a");
    assertThat(asking(name, Request.labels(1).negativePrompts("a cat")))
        .isEqualTo(
            "negative prompts are for pipelines of texts; this one is guided away from its null"
                + " label");
  }

  @Test
  void a_thousand_names_are_not_all_listed() throws IOException {
    StringBuilder labels = new StringBuilder("\"id2label\": {");
    for (int i = 0; i < 1000; i++) {
      labels.append(i == 0 ? "" : ", ").append("\"%d\": \"name %d\"".formatted(i, i));
    }
    Path folder =
        Custom.write(temporary.resolve("pipeline"), "index", "'labels': 1000, 'null_label': 1000");
    Files.writeString(
        folder.resolve("model_index.json"),
        "{\"_class_name\": \"DenoiserPipeline\", %s}}".formatted(labels));
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(folder)) {
      assertThat(line(catchThrowable(() -> pipeline.label("a cat"))))
          .startsWith("the pipeline has no class 'a cat'; it has name 0; name 1; ")
          .endsWith("; name 19 and 980 more");
    }
  }

  @ParameterizedTest
  @CsvSource({"dit, -1", "dit, 10", "edm, -1", "edm, 10"})
  void a_label_that_there_is_not_is_refused(String name, int label) throws IOException {
    assertThat(asking(name, Request.labels(label)))
        .isEqualTo("a label is 0 to 9, but was " + label);
  }

  @Test
  void a_size_that_does_not_fit_is_refused() throws IOException {
    assertThat(asking("sd", Request.prompts("a cat").size(100, 64)))
        .isEqualTo("width and height must be multiples of 8, but were 100 and 64");
    assertThat(asking("dit", Request.labels(1).size(128, 64)))
        .isEqualTo(
            "the size 128x64 gives latents of [4, 8, 16], but the network's input is hidden_states"
                + " FLOAT [-1, 4, 8, 8]");
  }

  @Test
  void noise_of_another_shape_is_refused() throws IOException {
    Request two = Request.labels(1).seeds(1, 2);
    assertThat(asking("dit", two.initialNoise(Latents.zeros(1, 4, 8, 8))))
        .isEqualTo("initial noise must be 2 latents of [4, 8, 8], but was 1 of [4, 8, 8]");
    assertThat(asking("dit", two.initialNoise(Latents.zeros(2, 4, 4, 16))))
        .isEqualTo("initial noise must be 2 latents of [4, 8, 8], but was 2 of [4, 4, 16]");
  }

  @Test
  void what_a_pipeline_would_pass_over_is_refused() throws IOException {
    assertThat(asking("sd", Request.prompts("a cat").prompts2("a dog")))
        .isEqualTo("this pipeline has 1 text encoder, but prompts were given for more");
    assertThat(asking("sd", Request.prompts("a cat").sizes(new Request.Sizes(1, 1, 0, 0, 1, 1))))
        .isEqualTo("sizes are told to SDXL alone; leave them out");
    assertThat(asking("dit", Request.labels(1).cads(new Cads.Settings(0.5, 0.9, 0.1, 1))))
        .isEqualTo(
            "CADS needs the embedding of a text; a network that takes labels keeps its own inside");
    assertThat(asking("sd", Request.prompts("a", "b").seeds(1, 2, 3)))
        .isEqualTo("need one of the prompts or one for each of 3 seeds, but there were 2");
    assertThat(asking("sd", Request.prompts("a").seeds(1, 2, 3).negativePrompts("b", "c")))
        .isEqualTo("need one of the negative prompts or one for each of 3 seeds, but there were 2");
  }

  @Test
  void a_scheduler_from_a_config_that_there_is_not_is_refused() throws IOException {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder("edm"))) {
      assertThat(line(catchThrowable(() -> pipeline.withScheduler("DDIMScheduler"))))
          .isEqualTo("this pipeline has no scheduler_config.json to make a 'DDIMScheduler' from");
    }
  }

  @Test
  void a_set_of_another_space_is_refused_with_both_named() throws IOException {
    LatentSpace other = new LatentSpace("pixels 8x8", 4, 8, 8);
    Path folder = temporary.resolve("set");
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder, other, Precision.FLOAT32)) {
      builder.add(new Item("one", "", ""), new float[256]);
      builder.commit(Instant.EPOCH);
    }
    try (ProtectedSet set = ProtectedSet.open(folder);
        DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder("edm"))) {
      assertThatExceptionOfType(FingerprintMismatchException.class)
          .isThrownBy(() -> pipeline.sample(Request.labels(1), Protection.of(set, 1)))
          .withMessageContainingAll(other.toString(), pipeline.space().toString());
    }
  }

  @Test
  void a_set_of_another_size_is_refused_with_both_named() throws IOException {
    Path folder = temporary.resolve("set");
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder("sd"))) {
      try (ProtectedSetBuilder builder =
          ProtectedSetBuilder.begin(folder, pipeline.space(), Precision.FLOAT32)) {
        builder.add(new Item("one", "", ""), new float[256]);
        builder.commit(Instant.EPOCH);
      }
      try (ProtectedSet set = ProtectedSet.open(folder)) {
        Request wide = Request.prompts("a cat").size(128, 32);
        assertThatExceptionOfType(FingerprintMismatchException.class)
            .isThrownBy(() -> pipeline.sample(wide, Protection.of(set, 1)))
            .withMessageContainingAll("64x64x3", "128x32x3");
      }
    }
  }

  @Test
  void a_closed_pipeline_says_so_and_may_be_closed_again() throws IOException {
    DiffusionPipeline pipeline = DiffusionPipeline.load(TinyPipelines.folder("edm"));
    pipeline.close();
    pipeline.close();
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> pipeline.sample(Request.labels(1)))
        .withMessageEndingWith("model.onnx was closed; a closed pipeline samples nothing");
  }

  @Test
  void settings_that_make_no_sense_are_refused_when_they_are_made() {
    List<Runnable> wrong =
        List.of(
            () -> Request.prompts(),
            () -> Request.labels(),
            () -> Request.labels(1).seeds(),
            () -> Request.labels(1).steps(0),
            () -> Request.labels(1).batch(0),
            () -> Request.labels(1).size(0, 8),
            () -> Request.labels(1).guidanceScale(Double.NaN),
            () -> Request.labels(1).guidanceInterval(3, 3),
            () -> Request.labels(1).guidanceInterval(Double.NaN, 3));
    for (Runnable setting : wrong) {
      assertThat(catchThrowable(setting::run)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
