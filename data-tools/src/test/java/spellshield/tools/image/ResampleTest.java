package spellshield.tools.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import spellshield.index.store.Hashes;
import spellshield.index.testing.Seeds;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.testing.Pictures;

/// Equality with Pillow is `PillowTest`; here is what needs no files.
class ResampleTest {
  private static final List<Resample.Filter> FILTERS = List.of(Resample.Filter.values());

  private static final List<Crop> CROPS = List.of(Crop.values());

  private static double support(Resample.Filter filter) {
    return switch (filter) {
      case BOX -> 0.5;
      case BICUBIC -> 2;
      case LANCZOS -> 3;
    };
  }

  /// Pillow's fixed point, 22 bits and half a unit before the shift, pass by pass.
  @Test
  void halving_is_what_the_fixed_point_of_both_passes_comes_to() {
    Seeds.check(
        100,
        random -> {
          int width = 2 * random.nextInt(1, 20);
          int height = 2 * random.nextInt(1, 20);
          int channels = random.nextBoolean() ? 3 : 1;
          byte[] samples = new byte[width * height * channels];
          random.nextBytes(samples);
          RgbImage image = new RgbImage(width, height, channels, samples);
          RgbImage half = Resample.resize(image, width / 2, height / 2, Resample.Filter.BOX);
          for (int y = 0; y < height / 2; y++) {
            for (int x = 0; x < width / 2; x++) {
              for (int c = 0; c < channels; c++) {
                int above = fixed(image.sample(2 * x, 2 * y, c), image.sample(2 * x + 1, 2 * y, c));
                int below =
                    fixed(image.sample(2 * x, 2 * y + 1, c), image.sample(2 * x + 1, 2 * y + 1, c));
                assertThat(half.sample(x, y, c)).isEqualTo(fixed(above, below));
              }
            }
          }
        });
  }

  private static int fixed(int a, int b) {
    return ((1 << 21) + (1 << 21) * a + (1 << 21) * b) >> 22;
  }

  /// The formula in float64, both passes at once and without rounding between them.
  ///
  /// The code rounds twice: each pass to half a level, of which the second spreads the first's by
  /// Σ|K| ≤ 1.6, so the answers differ by at most 0.5·1.6 + 0.5 + 0.5 (the fixed point) < 2.
  @Test
  void a_resize_is_within_two_levels_of_the_formula() {
    Seeds.check(
        60,
        random -> {
          int width = random.nextInt(1, 40);
          int height = random.nextInt(1, 40);
          int outWidth = random.nextInt(1, 40);
          int outHeight = random.nextInt(1, 40);
          Resample.Filter filter = FILTERS.get(random.nextInt(3));
          // Away from 0 and 255, where clipping between the passes is not linear.
          RgbImage image = Pictures.smooth(random, width, height);
          RgbImage resized = Resample.resize(image, outWidth, outHeight, filter);
          double[][] across = weights(width, outWidth, filter);
          double[][] down = weights(height, outHeight, filter);
          for (int y = 0; y < outHeight; y++) {
            for (int x = 0; x < outWidth; x++) {
              double sum = 0;
              for (int j = 0; j < height; j++) {
                for (int i = 0; i < width; i++) {
                  sum += down[y][j] * across[x][i] * image.sample(i, j, 1);
                }
              }
              double expected = Math.clamp(sum, 0.0, 255.0);
              assertThat((double) resized.sample(x, y, 1)).isBetween(expected - 2, expected + 2);
            }
          }
        });
  }

  private static double[][] weights(int in, int out, Resample.Filter filter) {
    double scale = (double) in / out;
    double stretch = Math.max(1, scale);
    double support = stretch * support(filter);
    double[][] weights = new double[out][in];
    for (int i = 0; i < out; i++) {
      double centre = (i + 0.5) * scale;
      double sum = 0;
      for (int j = 0; j < in; j++) {
        double d = j + 0.5 - centre;
        // Pillow takes whole samples from round(centre − support) to round(centre + support).
        boolean taken =
            j >= Math.floor(centre - support + 0.5) && j < Math.floor(centre + support + 0.5);
        weights[i][j] = taken ? filter.at(d / stretch) : 0;
        sum += weights[i][j];
      }
      for (int j = 0; j < in; j++) {
        weights[i][j] /= sum;
      }
    }
    return weights;
  }

  @Test
  void the_same_size_is_the_same_picture() {
    RgbImage image = Pictures.noise(new SplittableRandom(1), 17, 9, 3);
    for (Resample.Filter filter : Resample.Filter.values()) {
      assertThat(Resample.resize(image, 17, 9, filter)).isEqualTo(image);
    }
    RgbImage square = Pictures.noise(new SplittableRandom(2), 16, 16, 1);
    assertThat(Resample.centreCrop(square, 16, 16)).isEqualTo(square);
  }

  @Test
  void one_colour_stays_that_colour() {
    RgbImage image = RgbImage.filled(37, 53, 0x12fe80);
    for (Resample.Filter filter : Resample.Filter.values()) {
      assertThat(Resample.resize(image, 5, 90, filter)).isEqualTo(RgbImage.filled(5, 90, 0x12fe80));
    }
  }

  @Test
  void a_crop_keeps_the_centre() {
    byte[] samples = {0, 0, 10, 20, 0, 0, 0, 0, 30, 40, 0, 0};
    RgbImage crop = Resample.centreCrop(new RgbImage(6, 2, 1, samples), 2, 2);
    assertThat(crop.samples()).containsExactly(10, 20, 30, 40);
  }

  /// The lines were recorded from Pillow by `make.py` beside them.
  @Test
  void every_crop_is_what_pillow_makes() throws Exception {
    List<String> lines = Files.readAllLines(Path.of("src/test/resources/crops/pillow.txt"));
    assertThat(lines).hasSize(9 * 4 * 3);
    for (String line : lines) {
      String[] fields = line.split(" ");
      int[] sizes = Stream.of(fields).limit(4).mapToInt(Integer::parseInt).toArray();
      Crop crop = Crop.of(" crop=" + fields[4]);
      RgbImage made = Resample.fit(waves(sizes[0], sizes[1]), sizes[2], sizes[3], crop);
      assertThat(Hashes.sha256(made.samples())).as(line).isEqualTo(fields[5]);
    }
  }

  private static RgbImage waves(int width, int height) {
    byte[] samples = new byte[width * height * 3];
    for (int i = 0; i < samples.length; i++) {
      int c = i % 3;
      int x = i / 3 % width;
      int y = i / 3 / width;
      long noise = ((x * 7919L + y * 104729L + c * 1299709L) * 2654435761L) >> 13;
      int wave = Math.abs((3 * x + 2 * y + 85 * c) % 510 - 255);
      samples[i] = (byte) ((wave * 3L + noise % 256) / 4);
    }
    return new RgbImage(width, height, 3, samples);
  }

  /// A grey picture is the same as its colours, and one of the size stays as it is.
  @Test
  void crops_do_not_depend_on_channels_and_leave_the_right_size_alone() {
    Seeds.check(
        60,
        random -> {
          RgbImage grey = Pictures.noise(random, random.nextInt(1, 60), random.nextInt(1, 60), 1);
          int width = random.nextInt(1, 40);
          int height = random.nextInt(1, 40);
          for (Crop crop : CROPS) {
            RgbImage fitted = Resample.fit(grey, width, height, crop);
            assertThat(Resample.fit(grey.withChannels(3), width, height, crop))
                .isEqualTo(fitted.withChannels(3));
            assertThat(Resample.fit(fitted, width, height, CROPS.get(random.nextInt(3))))
                .isEqualTo(fitted);
          }
        });
  }

  @Test
  void only_what_the_cut_needs_is_computed_and_no_sample_differs() {
    Seeds.check(
        100,
        random -> {
          int width = random.nextInt(1, 12);
          int height = random.nextInt(1, 12);
          int channels = random.nextBoolean() ? 3 : 1;
          RgbImage image =
              Pictures.noise(random, random.nextInt(1, 150), random.nextInt(1, 150), channels);
          RgbImage whole = image;
          while (whole.width() >= 2 * width && whole.height() >= 2 * height) {
            whole =
                Resample.resize(whole, whole.width() / 2, whole.height() / 2, Resample.Filter.BOX);
          }
          double scale = Math.max((double) width / whole.width(), (double) height / whole.height());
          int fullWidth = (int) Math.rint(whole.width() * scale);
          int fullHeight = (int) Math.rint(whole.height() * scale);
          whole = Resample.resize(whole, fullWidth, fullHeight, Resample.Filter.BICUBIC);
          RgbImage crop = Resample.centreCrop(image, width, height);
          for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
              for (int c = 0; c < channels; c++) {
                assertThat(crop.sample(x, y, c))
                    .isEqualTo(
                        whole.sample(
                            x + (fullWidth - width) / 2, y + (fullHeight - height) / 2, c));
              }
            }
          }
        });
  }

  /// The whole resized strip would have 64 · 64,000,000 · 64 pixels.
  @Test
  void a_very_long_strip_costs_no_more_than_its_centre() {
    RgbImage strip = new RgbImage(1, 64_000_000, 1, new byte[64_000_000]);
    assertThat(Resample.centreCrop(strip, 64, 64).samples()).containsOnly(0);
  }

  @Test
  void an_empty_size_is_refused() {
    RgbImage image = RgbImage.filled(3, 3, 0);
    assertThatThrownBy(() -> Resample.resize(image, 0, 5, Resample.Filter.BOX))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0×5");
  }
}
