package spellshield.tools.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.testing.Pictures;

class PngTest {
  private static SequencedMap<String, String> texts() {
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    texts.put("Title", "a picture\nof nothing");
    texts.put("certificate", "{\"σ\": \"≥ 0.3\"}");
    texts.put("empty", "");
    return texts;
  }

  @Test
  void a_picture_is_read_as_it_was_written() {
    Seeds.check(
        50,
        random -> {
          int channels = random.nextBoolean() ? 1 : 3;
          RgbImage image =
              Pictures.noise(random, random.nextInt(1, 30), random.nextInt(1, 30), channels);
          assertThat(ImageDoor.read(Png.write(image, texts()), "x")).isEqualTo(image);
        });
  }

  @Test
  void texts_are_read_in_their_order() throws Exception {
    byte[] file = Png.write(RgbImage.filled(2, 2, 0), texts());
    assertThat(Png.texts(file)).containsExactlyEntriesOf(texts());
    assertThat(Png.texts(Png.write(RgbImage.filled(2, 2, 0)))).isEmpty();
  }

  @Test
  void equal_pictures_give_equal_bytes() {
    RgbImage image = Pictures.noise(new SplittableRandom(5), 20, 20, 3);
    assertThat(Png.write(image, texts())).isEqualTo(Png.write(image, texts()));
  }

  @Test
  void bad_keywords_and_texts_are_refused() {
    RgbImage image = RgbImage.filled(1, 1, 0);
    for (String keyword : new String[] {"", " a", "a ", "σ", "a\n", "a".repeat(80)}) {
      SequencedMap<String, String> texts = new LinkedHashMap<>();
      texts.put(keyword, "x");
      assertThatThrownBy(() -> Png.write(image, texts))
          .as("'%s'", keyword)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("1 to 79");
    }
    SequencedMap<String, String> zero = new LinkedHashMap<>();
    zero.put("key", "a\0b");
    assertThatThrownBy(() -> Png.write(image, zero)).hasMessageContaining("NUL");
  }

  @Test
  void texts_of_another_file_are_refused() {
    assertThatThrownBy(() -> Png.texts("GIF89a".getBytes(UTF_8))).hasMessageContaining("not a PNG");
  }
}
