package spellshield.tools.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.testing.Pictures;

class RgbImageTest {
  @Test
  void the_samples_have_to_fill_the_picture() {
    assertThatThrownBy(() -> new RgbImage(2, 3, 3, new byte[17]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("2×3×3", "18", "17");
    assertThatThrownBy(() -> new RgbImage(0, 3, 3, new byte[0])).hasMessageContaining("0×3");
    assertThatThrownBy(() -> new RgbImage(1, 1, 2, new byte[2])).hasMessageContaining("had 2");
  }

  @Test
  void grey_is_repeated_and_colour_becomes_luma() {
    RgbImage grey = Pictures.noise(new SplittableRandom(1), 5, 4, 1);
    assertThat(grey.withChannels(3).withChannels(1)).isEqualTo(grey);
    // Pillow: convert("L") of (200, 30, 90) is 0.299·200 + 0.587·30 + 0.114·90 = 87.67
    assertThat(RgbImage.filled(1, 1, 0xc81e5a).withChannels(1).sample(0, 0, 0)).isEqualTo(88);
  }

  @Test
  void a_mirror_image_mirrored_is_the_picture() {
    RgbImage image = Pictures.noise(new SplittableRandom(1), 5, 4, 3);
    assertThat(image.mirrored().sample(0, 2, 1)).isEqualTo(image.sample(4, 2, 1));
    assertThat(image.mirrored().mirrored()).isEqualTo(image);
  }
}
