package spellshield.tools.edit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.codec.Codec;
import spellshield.tools.codec.PixelCodec;
import spellshield.tools.testing.Pictures;

class EditTest {
  private static final List<Edit> ALL =
      Edit.parseList(Edit.DEFAULTS + ",shift:0,crop:0%,crop:40%,brightness:-30%,noise:0,blur:3");

  private static RgbImage random(SplittableRandom random) {
    return Pictures.noise(
        random, random.nextInt(1, 21), random.nextInt(1, 21), random.nextBoolean() ? 1 : 3);
  }

  private static Codec codec(RgbImage image) {
    return new PixelCodec(image.width(), image.height(), image.channels(), 0.5, 0.25, Crop.ADM);
  }

  private static RgbImage apply(String edit, RgbImage image) {
    return Edit.parse(edit).apply(image, codec(image), 7);
  }

  @Test
  void every_edit_keeps_size_and_channels_and_gives_the_same_picture_again() {
    Seeds.check(
        100,
        random -> {
          RgbImage image = random(random);
          RgbImage before =
              new RgbImage(
                  image.width(), image.height(), image.channels(), image.samples().clone());
          for (Edit edit : ALL) {
            RgbImage edited = edit.apply(image, codec(image), 7);
            assertThat(edited.width()).as(edit.name()).isEqualTo(image.width());
            assertThat(edited.height()).as(edit.name()).isEqualTo(image.height());
            assertThat(edited.channels()).as(edit.name()).isEqualTo(image.channels());
            assertThat(edit.apply(image, codec(image), 7)).as(edit.name()).isEqualTo(edited);
          }
          assertThat(image).isEqualTo(before);
        });
  }

  @Test
  void a_name_reads_back_as_its_edit() {
    for (Edit edit : ALL) {
      assertThat(Edit.parse(edit.name())).isEqualTo(edit);
    }
    assertThat(Edit.parseList(Edit.DEFAULTS)).hasSize(12);
    assertThat(Edit.parseList("mirror, GREY,mirror"))
        .containsExactly(new Edit.Mirror(), new Edit.Grey());
  }

  @Test
  void what_is_no_edit_is_refused_in_a_line_that_names_some() {
    for (String name :
        new String[] {
          "", "jpg:90", "jpeg", "mirror:2", "shift:1%", "crop:2", "shift:-1", "blur:+1"
        }) {
      assertThatIllegalArgumentException().as(name).isThrownBy(() -> Edit.parse(name));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Edit.parseList("mirror,"))
        .withMessage("an edit is named like one of %s, but was ''".formatted(Edit.DEFAULTS));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Edit.parse("jpeg:0"))
        .withMessage("quality must be 1 to 100, but was 0");
  }

  @Test
  void a_mirror_image_mirrored_and_a_shift_crop_or_noise_of_nothing_change_nothing() {
    Seeds.check(
        50,
        random -> {
          RgbImage image = random(random);
          assertThat(apply("mirror", apply("mirror", image))).isEqualTo(image);
          for (String nothing :
              new String[] {"shift:0", "crop:0%", "noise:0", "blur:0", "brightness:0%"}) {
            assertThat(apply(nothing, image)).as(nothing).isEqualTo(image);
          }
        });
  }

  @Test
  void a_shift_moves_to_the_right_and_repeats_the_left_column() {
    RgbImage image = new RgbImage(4, 1, 1, new byte[] {10, 20, 30, 40});
    assertThat(apply("shift:2", image).samples()).containsExactly(10, 10, 10, 20);
    assertThat(apply("shift:9", image).samples()).containsExactly(10, 10, 10, 10);
  }

  @Test
  void a_crop_takes_as_much_from_each_side_and_a_pixel_at_least() {
    byte[] samples = new byte[20 * 20];
    for (int i = 0; i < samples.length; i++) {
      int x = i % 20;
      int y = i / 20;
      // 200 where 2 % of 20, not quite half a pixel, becomes one; 50 inside
      samples[i] = (byte) (x == 0 || x == 19 || y == 0 || y == 19 ? 200 : 50);
    }
    assertThat(apply("crop:2%", new RgbImage(20, 20, 1, samples)).samples())
        .containsOnly((byte) 50);
  }

  @Test
  void brightness_rounds_and_clamps() {
    RgbImage image = new RgbImage(4, 1, 1, new byte[] {0, 10, 100, (byte) 250});
    assertThat(apply("brightness:10%", image).samples()).containsExactly(0, 11, 110, (byte) 255);
    assertThat(apply("brightness:-100%", image).samples()).containsExactly(0, 0, 0, 0);
  }

  @Test
  void grey_has_equal_channels_and_the_same_luma() {
    Seeds.check(
        50,
        random -> {
          RgbImage image = Pictures.noise(random, 9, 9, 3);
          RgbImage grey = apply("grey", image);
          assertThat(grey.withChannels(1)).isEqualTo(image.withChannels(1));
          assertThat(grey).isEqualTo(grey.withChannels(1).withChannels(3));
        });
  }

  @Test
  void noise_has_its_deviation_and_depends_on_the_seed() {
    RgbImage image = RgbImage.filled(200, 200, 0x808080);
    RgbImage noisy = new Edit.Noise(8).apply(image, codec(image), 1);
    double sum = 0;
    for (byte sample : noisy.samples()) {
      sum += Math.pow((sample & 0xff) - 128, 2);
    }
    // 120,000 draws: the deviation of the estimate is 0.2 %; rounding adds 1/12 to the variance.
    assertThat(Math.sqrt(sum / noisy.samples().length)).isCloseTo(8, within(0.1));
    assertThat(new Edit.Noise(8).apply(image, codec(image), 2)).isNotEqualTo(noisy);
  }

  @Test
  void a_blur_is_the_convolution_with_a_gaussian() {
    Seeds.check(
        20,
        random -> {
          RgbImage image = Pictures.noise(random, 12, 9, 3);
          RgbImage blurred = apply("blur:1", image);
          for (int y = 0; y < image.height(); y++) {
            for (int x = 0; x < image.width(); x++) {
              double sum = 0;
              double weights = 0;
              for (int dy = -3; dy <= 3; dy++) {
                for (int dx = -3; dx <= 3; dx++) {
                  double weight = Math.exp(-(dx * dx + dy * dy) / 2.0);
                  int column = Math.min(Math.max(x + dx, 0), image.width() - 1);
                  int row = Math.min(Math.max(y + dy, 0), image.height() - 1);
                  sum += weight * image.sample(column, row, 1);
                  weights += weight;
                }
              }
              // Rounded to a whole number: off by half, and by a breath where it is a tie.
              assertThat((double) blurred.sample(x, y, 1))
                  .isCloseTo(sum / weights, within(0.5 + 1e-9));
            }
          }
        });
  }

  @Test
  void a_better_jpeg_is_nearer() {
    RgbImage image =
        Samples.map(32, 32, 3, (x, y, c) -> 128 + 100 * Math.sin(x * 0.5 + c) * Math.cos(y * 0.4));
    double best = difference(image, apply("jpeg:95", image));
    double middle = difference(image, apply("jpeg:50", image));
    double worst = difference(image, apply("jpeg:5", image));
    assertThat(best).isPositive().isLessThan(middle);
    assertThat(middle).isLessThan(worst);
  }

  private static double difference(RgbImage a, RgbImage b) {
    double sum = 0;
    for (int i = 0; i < a.samples().length; i++) {
      sum += Math.pow((a.samples()[i] & 0xff) - (b.samples()[i] & 0xff), 2);
    }
    return sum;
  }

  @Test
  void a_picture_encoded_by_pixels_comes_back_as_it_was() {
    RgbImage image = Pictures.noise(new SplittableRandom(3), 9, 9, 3);
    assertThat(apply("reencode", image)).isEqualTo(image);
  }
}
