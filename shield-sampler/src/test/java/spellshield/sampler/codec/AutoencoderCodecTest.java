package spellshield.sampler.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import spellshield.sampler.Latents;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.onnx.Tensor;
import spellshield.sampler.testing.TinyPipelines;

class AutoencoderCodecTest {
  /// EDM2's: z = (raw − mean)/std·0.5.
  private static final double[] MEAN = {5.81, 3.25, 0.12, -2.15};

  private static final double[] STD = {4.17, 4.62, 3.71, 3.28};

  @TempDir private Path temporary = Path.of("");

  private static RgbImage picture(SplittableRandom random, int width, int height) {
    byte[] samples = new byte[3 * width * height];
    random.nextBytes(samples);
    return new RgbImage(width, height, 3, samples);
  }

  private static List<RgbImage> pictures(int count) {
    SplittableRandom random = new SplittableRandom(count);
    List<RgbImage> pictures = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pictures.add(picture(random, 64, 64));
    }
    return pictures;
  }

  /// Returns what an encoder itself says of a picture, its mean first.
  private static float[] raw(Path folder, RgbImage image, double low, double high)
      throws IOException {
    float[] input = new float[3 * 64 * 64];
    for (int s = 0; s < input.length; s++) {
      int value = image.samples()[s] & 0xff;
      input[s % 3 * 64 * 64 + s / 3] = (float) (low + (high - low) * value / 255);
    }
    try (OnnxNetwork encoder = OnnxNetwork.open(folder.resolve("vae_encoder/model.onnx"))) {
      return encoder
          .run(Map.of("sample", new Tensor(input, 1, 3, 64, 64)), "latent_parameters")
          .getFirst()
          .values();
    }
  }

  @Test
  void latents_are_scaled_by_mean_deviation_and_factor() throws IOException {
    Path folder = TinyPipelines.folder("edm");
    try (AutoencoderCodec codec = AutoencoderCodec.open(folder)) {
      for (RgbImage picture : pictures(3)) {
        float[] raw = raw(folder, picture, 0, 1);
        float[] latent = codec.encode(List.of(picture)).values();
        assertThat(latent).hasSize(4 * 64);
        for (int i = 0; i < latent.length; i++) {
          int channel = i / 64;
          double expected = (raw[i] - MEAN[channel]) / STD[channel] * 0.5;
          assertThat((double) latent[i]).isCloseTo(expected, within(1e-5));
        }
      }
    }
  }

  @Test
  void pictures_are_given_from_minus_one_to_one_unless_told() throws IOException {
    Path folder = TinyPipelines.folder("dit");
    try (AutoencoderCodec codec = AutoencoderCodec.open(folder)) {
      RgbImage picture = pictures(1).getFirst();
      float[] raw = raw(folder, picture, -1, 1);
      float[] latent = codec.encode(List.of(picture)).values();
      for (int i = 0; i < latent.length; i++) {
        assertThat(latent[i]).isCloseTo(raw[i], within(1e-5f));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"edm", "dit"})
  void a_batch_of_any_size_gives_what_each_picture_gives(String name) throws IOException {
    List<RgbImage> pictures = pictures(35);
    try (AutoencoderCodec codec = AutoencoderCodec.open(TinyPipelines.folder(name))) {
      Latents together = codec.encode(pictures);
      List<RgbImage> decoded = codec.decode(together);
      for (int i = 0; i < pictures.size(); i++) {
        Latents alone = codec.encode(List.of(pictures.get(i)));
        assertThat(together.row(i)).containsExactly(alone.values());
        assertThat(decoded.get(i)).isEqualTo(codec.decode(alone).getFirst());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"edm, 64, 64", "dit, 40, 24", "dit-fp16, 64, 8"})
  void pictures_come_back_as_large_as_they_were(String name, int width, int height)
      throws IOException {
    try (AutoencoderCodec codec = AutoencoderCodec.open(TinyPipelines.folder(name))) {
      RgbImage picture = picture(new SplittableRandom(3), width, height);
      Latents latents = codec.encode(List.of(picture));
      assertThat(latents.shape()).containsExactly(4, height / 8, width / 8);
      RgbImage back = codec.decode(latents).getFirst();
      assertThat(back.width()).isEqualTo(width);
      assertThat(back.height()).isEqualTo(height);
      assertThat(codec.space(width, height, Crop.ADM).shape()).isEqualTo(latents.shape());
    }
  }

  @Test
  void a_grey_picture_is_its_colour_twin() throws IOException {
    byte[] grey = new byte[64 * 64];
    new SplittableRandom(4).nextBytes(grey);
    RgbImage image = new RgbImage(64, 64, 1, grey);
    try (AutoencoderCodec codec = AutoencoderCodec.open(TinyPipelines.folder("edm"))) {
      assertThat(codec.encode(List.of(image)).values())
          .containsExactly(codec.encode(List.of(image.withChannels(3))).values());
    }
  }

  @Test
  void decoded_values_are_clamped_and_rounded_half_to_even() throws IOException {
    try (AutoencoderCodec codec = AutoencoderCodec.open(TinyPipelines.folder("edm"))) {
      Latents latents = Latents.zeros(1, 4, 8, 8);
      for (int i = 0; i < latents.values().length; i++) {
        latents.values()[i] = 40 * (i % 3 - 1);
      }
      float[] samples = codec.decodeSamples(latents);
      RgbImage picture = codec.decode(latents).getFirst();
      Set<Integer> seen = new HashSet<>();
      for (int s = 0; s < picture.samples().length; s++) {
        float value = samples[s % 3 * 64 * 64 + s / 3];
        assertThat(value).isBetween(0f, 1f);
        assertThat(picture.samples()[s] & 0xff).isEqualTo((int) Math.rint(value * 255.0));
        seen.add(picture.samples()[s] & 0xff);
      }
      assertThat(seen).contains(0, 255);
    }
  }

  @Test
  void every_part_of_the_space_changes_its_fingerprint() throws IOException {
    List<Change> changes =
        List.of(
            folder -> {},
            folder -> config(folder, "\"scaling_factor\": 0.5", "\"scaling_factor\": 0.25"),
            folder -> config(folder, "5.81", "5.82"),
            folder -> config(folder, "4.17", "4.18"),
            folder -> config(folder, "\"image_range\": [\n    0,", "\"image_range\": [\n    -1,"),
            // Whatever the encoder's file holds counts, even what no picture would show.
            folder ->
                Files.write(
                    folder.resolve("vae_encoder/model.onnx"),
                    new byte[] {0x2a, 0},
                    StandardOpenOption.APPEND));
    Set<String> fingerprints = new HashSet<>();
    for (int i = 0; i < changes.size(); i++) {
      Path folder = TinyPipelines.copy("edm", temporary.resolve("codec-" + i));
      changes.get(i).in(folder);
      try (AutoencoderCodec codec = AutoencoderCodec.open(folder)) {
        for (Crop crop : Crop.values()) {
          fingerprints.add(codec.space(64, 64, crop).fingerprint());
          fingerprints.add(codec.space(64, 32, crop).fingerprint());
        }
      }
    }
    assertThat(fingerprints).hasSize(2 * Crop.values().length * changes.size());
  }

  private interface Change {
    void in(Path folder) throws IOException;
  }

  private static void config(Path folder, String old, String with) throws IOException {
    TinyPipelines.replace(folder.resolve("vae_encoder/config.json"), old, with);
  }

  @Test
  void the_decoder_is_no_part_of_the_space() throws IOException {
    Path folder = TinyPipelines.copy("edm", temporary.resolve("codec"));
    Files.delete(folder.resolve("vae_decoder/model.onnx"));
    Files.copy(
        TinyPipelines.folder("dit").resolve("vae_decoder/model.onnx"),
        folder.resolve("vae_decoder/model.onnx"));
    try (AutoencoderCodec other = AutoencoderCodec.open(folder);
        AutoencoderCodec codec = AutoencoderCodec.open(TinyPipelines.folder("edm"))) {
      assertThat(other.space(64, 64, Crop.ADM)).isEqualTo(codec.space(64, 64, Crop.ADM));
    }
  }

  @Test
  void pictures_and_latents_that_do_not_fit_are_refused() throws IOException {
    try (AutoencoderCodec codec = AutoencoderCodec.open(TinyPipelines.folder("edm"))) {
      SplittableRandom random = new SplittableRandom(5);
      List<RgbImage> two = List.of(picture(random, 64, 64), picture(random, 64, 32));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> codec.encode(two))
          .withMessage(
              "pictures of one batch must have one size, but were 64×64, colour and 64×32,"
                  + " colour");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> codec.encode(List.of(picture(random, 63, 64))))
          .withMessage("width and height must be multiples of 8, but were 63 and 64");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> codec.decode(Latents.zeros(1, 3, 8, 8)))
          .withMessage("latents of 4 channels, [C, H, W], are needed, but the shape was [3, 8, 8]");
      Latents nan = Latents.zeros(2, 4, 8, 8);
      nan.values()[300] = Float.NaN;
      assertThatIllegalArgumentException()
          .isThrownBy(() -> codec.decode(nan))
          .withMessageContaining("made NaN of row 1; a decoder of 16-bit floats may overflow");
    }
  }
}
