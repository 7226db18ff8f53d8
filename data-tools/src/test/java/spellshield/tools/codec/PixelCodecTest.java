package spellshield.tools.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.testing.Pictures;

class PixelCodecTest {
  private static final List<Crop> CROPS = List.of(Crop.values());

  private static PixelCodec random(SplittableRandom random) {
    return new PixelCodec(
        random.nextInt(1, 20),
        random.nextInt(1, 20),
        random.nextBoolean() ? 1 : 3,
        random.nextDouble(),
        Math.pow(10, random.nextDouble(-4, 0)),
        CROPS.get(random.nextInt(3)));
  }

  @Test
  void decoding_and_encoding_again_changes_no_bit() {
    Seeds.check(
        200,
        random -> {
          PixelCodec codec = random(random);
          RgbImage image = Pictures.noise(random, 30, 30, 3);
          float[] latent = codec.encode(image);
          assertThat(codec.decode(latent)).isEqualTo(codec.prepare(image));
          assertThat(codec.encode(codec.decode(latent))).isEqualTo(latent);
        });
  }

  @Test
  void a_latent_is_planar_and_scaled() {
    PixelCodec codec = new PixelCodec(2, 1, 3, 0.4, 0.25, Crop.ADM);
    byte[] samples = {0, 51, 102, (byte) 153, (byte) 204, (byte) 255}; // fifths of the range
    float[] latent = codec.encode(new RgbImage(2, 1, 3, samples));
    // (k/5 − 0.4)·2 for k = 0, 3 (red), 1, 4 (green), 2, 5 (blue)
    double[] expected = {-0.8, 0.4, -0.4, 0.8, 0, 1.2};
    for (int i = 0; i < 6; i++) {
      assertThat(latent[i]).isCloseTo((float) expected[i], within(1e-6f));
    }
    assertThat(codec.space().shape()).containsExactly(3, 1, 2);
  }

  @Test
  void values_beyond_the_range_are_clamped_and_nan_is_refused() {
    PixelCodec codec = new PixelCodec(3, 1, 1, 0.5, 0.5, Crop.ADM);
    float[] latent = {-9e30f, Float.POSITIVE_INFINITY, 0};
    assertThat(codec.decode(latent).samples()).containsExactly(0, (byte) 255, (byte) 128);
    assertThatThrownBy(() -> codec.decode(new float[] {0, Float.NaN, 0}))
        .hasMessageContaining("value 1 of the latent is NaN");
    assertThatThrownBy(() -> codec.decode(new float[2])).hasMessageContainingAll("3", "2");
  }

  @Test
  void a_description_reads_back_exactly() {
    PixelCodec known = new PixelCodec(64, 64, 3, 0.8123, 0.3012, Crop.ADM);
    assertThat(known.description()).isEqualTo("pixels-v1 64x64x3 mean=0.8123 std=0.3012 crop=adm");
    assertThat(new PixelCodec(28, 28, 1, 0.286, 0.353, Crop.CENTER).description())
        .isEqualTo("pixels-v1 28x28x1 mean=0.2860 std=0.3530 crop=center");
    Seeds.check(
        300,
        random -> {
          PixelCodec codec = random(random);
          assertThat(PixelCodec.parse(codec.description())).isEqualTo(codec);
          assertThat(codec.space().description()).isEqualTo(codec.description());
        });
  }

  @Test
  void other_descriptions_are_refused() {
    for (String bad :
        List.of(
            "",
            "pixels-v2 64x64x3 mean=0.8123 std=0.3012 crop=adm",
            "pixels-v1 064x64x3 mean=0.8123 std=0.3012 crop=adm",
            "pixels-v1 64x64x3 mean=0.81230 std=0.3012 crop=adm",
            "pixels-v1 64x64x3 mean=0.8123 std=0.3012 crop=adm ",
            "pixels-v1 64x64x3 mean=0.8123 std=0.3012 crop=none",
            "pixels-v1 64x64x2 mean=0.8123 std=0.3012 crop=adm")) {
      assertThatThrownBy(() -> PixelCodec.parse(bad))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("'" + bad + "'");
    }
    assertThatThrownBy(() -> new PixelCodec(8, 8, 3, Double.NaN, 0.5, Crop.ADM))
        .hasMessageContaining("NaN");
    assertThatThrownBy(() -> new PixelCodec(8, 8, 3, 0.5, Double.NaN, Crop.ADM))
        .hasMessageContaining("NaN");
  }

  @Test
  void a_fitted_codec_gives_latents_of_deviation_one_half() {
    SplittableRandom random = new SplittableRandom(7);
    List<RgbImage> images =
        Stream.generate(() -> Pictures.smooth(random, 12, 12)).limit(20).toList();
    PixelCodec codec = PixelCodec.fit(12, 12, 3, Crop.ADM, images.stream());
    double sum = 0;
    double squares = 0;
    long count = 0;
    for (RgbImage image : images) {
      for (float z : codec.encode(image)) {
        sum += z;
        squares += (double) z * z;
        count++;
      }
    }
    double mean = sum / count;
    // mean and std are rounded to 5e-5; in units of the latent that is 5e-5 · 0.5 / std < 2e-4
    assertThat(mean).isCloseTo(0, within(2e-4));
    assertThat(Math.sqrt(squares / count - mean * mean)).isCloseTo(0.5, within(2e-4));
    assertThat(PixelCodec.parse(codec.description())).isEqualTo(codec);
  }

  @Test
  void nothing_and_one_colour_cannot_be_fitted() {
    assertThatThrownBy(() -> PixelCodec.fit(8, 8, 3, Crop.ADM, Stream.of()))
        .hasMessageContaining("no pictures");
    assertThatThrownBy(
            () -> PixelCodec.fit(8, 8, 3, Crop.ADM, Stream.of(RgbImage.filled(8, 8, 0x808080))))
        .hasMessageContainingAll("128", "one colour");
  }
}
