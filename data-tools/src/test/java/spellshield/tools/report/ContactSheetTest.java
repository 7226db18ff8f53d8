package spellshield.tools.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.testing.Pictures;

class ContactSheetTest {
  private static final RgbImage PICTURE = Pictures.noise(new SplittableRandom(1), 40, 30, 3);

  /// Returns where the picture stands in the sheet, enlarged, or fails.
  private static int[] find(RgbImage sheet, RgbImage picture, int scale) {
    for (int top = 0; top + picture.height() * scale <= sheet.height(); top++) {
      for (int left = 0; left + picture.width() * scale <= sheet.width(); left++) {
        if (stands(sheet, picture, scale, left, top)) {
          return new int[] {left, top};
        }
      }
    }
    throw new AssertionError("the picture is not in the sheet");
  }

  private static boolean stands(RgbImage sheet, RgbImage picture, int scale, int left, int top) {
    for (int y = 0; y < picture.height() * scale; y++) {
      for (int x = 0; x < picture.width() * scale; x++) {
        for (int c = 0; c < 3; c++) {
          int expected = picture.withChannels(3).sample(x / scale, y / scale, c);
          if (sheet.sample(left + x, top + y, c) != expected) {
            return false;
          }
        }
      }
    }
    return true;
  }

  private static int rgb(RgbImage image, int x, int y) {
    return (image.sample(x, y, 0) << 16) | (image.sample(x, y, 1) << 8) | image.sample(x, y, 2);
  }

  @Test
  void every_picture_stands_whole_in_its_coloured_frame() {
    RgbImage grey = Pictures.noise(new SplittableRandom(2), 20, 30, 1);
    RgbImage sheet =
        new ContactSheet("title", 2)
            .columns("first", "second")
            .row("one", List.of(new ContactSheet.Cell(PICTURE, "caption", ContactSheet.INSIDE)))
            .row(
                "two",
                List.of(
                    ContactSheet.Cell.of(PICTURE.mirrored(), ""),
                    new ContactSheet.Cell(grey, "a\nb", ContactSheet.OUTSIDE)))
            .draw();
    int[] first = find(sheet, PICTURE, 2);
    int[] second = find(sheet, grey, 2);
    find(sheet, PICTURE.mirrored(), 2);
    assertThat(rgb(sheet, first[0] - 6, first[1] - 6)).isEqualTo(ContactSheet.INSIDE);
    assertThat(rgb(sheet, first[0] - 1, first[1] - 1)).isEqualTo(0xffffff);
    assertThat(rgb(sheet, second[0] + 40 + 5, second[1] + 60 + 5)).isEqualTo(ContactSheet.OUTSIDE);
    assertThat(second[0]).isGreaterThan(first[0]);
    assertThat(second[1]).isGreaterThan(first[1]);
  }

  @Test
  void the_margin_stays_white_whatever_the_texts() {
    String longText = "W".repeat(500);
    RgbImage sheet =
        new ContactSheet(longText, 1)
            .columns(longText)
            .row(longText, List.of(ContactSheet.Cell.of(PICTURE, longText + "\n" + longText)))
            .draw();
    for (int y = 0; y < sheet.height(); y++) {
      for (int x = 0; x < sheet.width(); x++) {
        boolean margin = x < 20 || y < 20 || x >= sheet.width() - 20 || y >= sheet.height() - 20;
        if (margin && rgb(sheet, x, y) != 0xffffff) {
          throw new AssertionError("ink at %d, %d of %s".formatted(x, y, sheet));
        }
      }
    }
  }

  @Test
  void texts_that_do_not_fit_end_with_an_ellipsis() {
    assertThat(Glyphs.fit("grinning face", 200)).isEqualTo("grinning face");
    String cut = Glyphs.fit("grinning face", 40);
    assertThat(cut).startsWith("gri").endsWith("…");
    assertThat(Glyphs.width(cut)).isLessThanOrEqualTo(40);
    assertThat(Glyphs.fit("é – “x” × 水", 200)).isEqualTo("e - \"x\" x ?");
  }

  @Test
  void long_texts_are_broken_between_words() {
    assertThat(Glyphs.wrap("nearest protected", 70, 2)).containsExactly("nearest", "protected");
    assertThat(Glyphs.wrap("short", 70, 2)).containsExactly("short");
    assertThat(Glyphs.wrap("one two three four five six seven", 40, 2))
        .hasSize(2)
        .allMatch(line -> Glyphs.width(line) <= 40)
        .last()
        .asString()
        .endsWith("…");
    assertThat(Glyphs.wrap("n01443537_1234567890", 40, 2)).hasSize(1);
  }

  @Test
  void every_printable_character_has_a_letter_of_its_own() {
    java.util.Set<String> seen = new java.util.HashSet<>();
    for (char c = ' '; c <= '~'; c++) {
      StringBuilder dots = new StringBuilder();
      for (int column = 0; column < Glyphs.width(c); column++) {
        dots.append(Glyphs.column(c, column)).append(' ');
      }
      assertThat(seen.add(dots.toString())).as("'%s'", c).isTrue();
    }
    // L, as it is drawn: a stem of seven dots, then four on the base line.
    assertThat(Glyphs.column('L', 0)).isEqualTo(0b1111111);
    assertThat(Glyphs.column('L', 4)).isEqualTo(0b1000000);
  }

  @Test
  void a_sheet_without_pictures_is_refused() {
    assertThatThrownBy(() -> new ContactSheet("x", 1).draw())
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> new ContactSheet("x", 0)).hasMessageContaining("was 0");
  }
}
