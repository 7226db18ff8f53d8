package spellshield.tools.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.testing.Pictures;

class CopyCorrelationTest {
  /// The formula in float64: means first, then the deviations.
  private static double oracle(RgbImage a, RgbImage b) {
    double best = -2;
    for (RgbImage other : new RgbImage[] {b, b.mirrored()}) {
      int shiftX = Math.min(4, a.width() / 4);
      int shiftY = Math.min(4, a.height() / 4);
      for (int dy = -shiftY; dy <= shiftY; dy++) {
        for (int dx = -shiftX; dx <= shiftX; dx++) {
          best = Math.max(best, shifted(a, other, dx, dy));
        }
      }
    }
    return best;
  }

  private static double shifted(RgbImage a, RgbImage b, int dx, int dy) {
    List<double[]> pairs = new ArrayList<>();
    for (int y = Math.max(0, -dy); y < a.height() - Math.max(0, dy); y++) {
      for (int x = Math.max(0, -dx); x < a.width() - Math.max(0, dx); x++) {
        for (int c = 0; c < a.channels(); c++) {
          pairs.add(new double[] {a.sample(x, y, c), b.sample(x + dx, y + dy, c)});
        }
      }
    }
    double meanA = pairs.stream().mapToDouble(p -> p[0]).average().orElseThrow();
    double meanB = pairs.stream().mapToDouble(p -> p[1]).average().orElseThrow();
    double ab = pairs.stream().mapToDouble(p -> (p[0] - meanA) * (p[1] - meanB)).sum();
    double aa = pairs.stream().mapToDouble(p -> (p[0] - meanA) * (p[0] - meanA)).sum();
    double bb = pairs.stream().mapToDouble(p -> (p[1] - meanB) * (p[1] - meanB)).sum();
    return ab / Math.sqrt(aa * bb);
  }

  @Test
  void it_is_the_greatest_correlation_over_shifts_and_the_mirror_image() {
    Seeds.check(
        40,
        random -> {
          int width = random.nextInt(2, 24);
          int height = random.nextInt(2, 24);
          int channels = random.nextBoolean() ? 1 : 3;
          RgbImage a = Pictures.noise(random, width, height, channels);
          RgbImage b = Pictures.noise(random, width, height, channels);
          double expected = oracle(a, b);
          assertThat(CopyCorrelation.of(a, b)).isCloseTo(expected, within(1e-12));
          assertThat(CopyCorrelation.of(b, a)).isCloseTo(expected, within(1e-12));
        });
  }

  @Test
  void a_shifted_mirrored_darker_copy_is_found() {
    RgbImage scene = Pictures.noise(new SplittableRandom(1), 72, 72, 3);
    byte[] left = new byte[64 * 64 * 3];
    byte[] right = new byte[64 * 64 * 3];
    for (int y = 0; y < 64; y++) {
      for (int x = 0; x < 64; x++) {
        for (int c = 0; c < 3; c++) {
          left[(y * 64 + x) * 3 + c] = (byte) scene.sample(x + 4, y + 4, c);
          right[(y * 64 + x) * 3 + c] = (byte) (20 + scene.sample(x + 8, y + 1, c) / 2);
        }
      }
    }
    RgbImage a = new RgbImage(64, 64, 3, left);
    RgbImage b = new RgbImage(64, 64, 3, right);
    assertThat(CopyCorrelation.of(a, b)).isGreaterThan(0.9999);
    assertThat(CopyCorrelation.of(a, b.mirrored())).isGreaterThan(0.9999);
    assertThat(CopyCorrelation.of(a, a)).isEqualTo(1);
  }

  @Test
  void pictures_of_one_colour_are_equal_or_not() {
    RgbImage white = RgbImage.filled(16, 16, 0xffffff);
    RgbImage black = RgbImage.filled(16, 16, 0);
    RgbImage noise = Pictures.noise(new SplittableRandom(2), 16, 16, 3);
    assertThat(CopyCorrelation.of(white, white)).isEqualTo(1);
    assertThat(CopyCorrelation.of(white, black)).isEqualTo(0);
    assertThat(CopyCorrelation.of(white, noise)).isEqualTo(0);
  }

  @Test
  void white_margins_alone_are_no_copy() {
    byte[] one = RgbImage.filled(16, 16, 0xffffff).samples().clone();
    byte[] two = one.clone();
    one[0] = 0; // a dot in the upper left corner
    two[3 * (8 * 16 + 8)] = 0; // a dot in the middle
    double correlation =
        CopyCorrelation.of(new RgbImage(16, 16, 3, one), new RgbImage(16, 16, 3, two));
    assertThat(correlation).isBetween(-0.1, 0.1);
  }

  @Test
  void the_answer_of_tiny_and_large_pictures_stays_in_range() {
    RgbImage dot = RgbImage.filled(1, 1, 0x123456);
    assertThat(CopyCorrelation.of(dot, dot)).isEqualTo(1);
    RgbImage large = new RgbImage(1024, 1024, 3, checkers(1024 * 1024 * 3));
    assertThat(CopyCorrelation.of(large, large)).isEqualTo(1);
  }

  private static byte[] checkers(int length) {
    byte[] samples = new byte[length];
    for (int i = 0; i < length; i++) {
      samples[i] = (byte) (i % 7 == 0 ? 0 : 255);
    }
    return samples;
  }

  @Test
  void other_sizes_are_refused() {
    RgbImage a = RgbImage.filled(4, 4, 0);
    assertThatThrownBy(() -> CopyCorrelation.of(a, RgbImage.filled(4, 5, 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("4×4", "4×5");
    RgbImage wide = RgbImage.filled(1025, 1, 0);
    assertThatThrownBy(() -> CopyCorrelation.of(wide, wide)).hasMessageContaining("1024");
  }
}
