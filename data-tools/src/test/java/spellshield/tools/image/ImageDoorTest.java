package spellshield.tools.image;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.Seeds;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.testing.Pictures;

class ImageDoorTest {
  @TempDir Path folder;

  private static RgbImage read(byte[] file) throws UnreadableImageException {
    return ImageDoor.read(file, "x");
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  private void refused(Path file, String... parts) {
    assertThatThrownBy(() -> ImageDoor.read(file))
        .isInstanceOf(UnreadableImageException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContainingAll(parts)
        .hasMessageNotContaining("\n");
  }

  private Path file(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  @Test
  void an_empty_file_is_refused() throws Exception {
    refused(file("a.jpg", new byte[0]), "empty", "fetch it again");
  }

  @Test
  void a_text_is_refused_whatever_its_name() throws Exception {
    refused(file("a.png", "<svg xmlns=...>".getBytes(UTF_8)), "not an image", "'<svg xmlns=.'");
  }

  @Test
  void a_folder_named_like_an_image_is_refused() throws Exception {
    refused(Files.createDirectory(folder.resolve("a.png")), "a folder");
  }

  @Test
  void a_missing_file_and_a_link_loop_are_refused() throws Exception {
    refused(folder.resolve("none.png"), "no such file");
    Path loop = folder.resolve("loop.png");
    refused(Files.createSymbolicLink(loop, loop), "not a regular file");
  }

  @Test
  void the_first_bytes_decide_not_the_name() throws Exception {
    RgbImage image = Pictures.noise(new SplittableRandom(1), 9, 7, 3);
    assertThat(ImageDoor.read(file("a.JPEG", Png.write(image)))).isEqualTo(image);
  }

  @Test
  void a_jpeg_cut_anywhere_is_refused() throws Exception {
    byte[] whole = Pictures.jpeg(Pictures.smooth(new SplittableRandom(1), 80, 60));
    read(whole);
    // The last few bytes may be padding and the end marker: a decoder can do without.
    for (int length = 0; length < whole.length - 8; length += 7) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> read(cut))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOf(UnreadableImageException.class);
    }
  }

  @Test
  void a_png_cut_anywhere_or_with_any_bit_flipped_is_refused() throws Exception {
    byte[] whole = Png.write(Pictures.smooth(new SplittableRandom(2), 20, 10));
    for (int i = 0; i < whole.length; i++) {
      byte[] cut = Arrays.copyOf(whole, i);
      assertThatThrownBy(() -> read(cut)).isInstanceOf(UnreadableImageException.class);
      byte[] flipped = whole.clone();
      flipped[i] ^= (byte) (1 << (i % 8));
      assertThatThrownBy(() -> read(flipped))
          .as("byte %d", i)
          .isInstanceOf(UnreadableImageException.class);
    }
  }

  @Test
  void damage_never_escapes_as_another_exception() throws Exception {
    SplittableRandom pictures = new SplittableRandom(3);
    RgbImage image = Pictures.smooth(pictures, 40, 30);
    byte[][] files = {Pictures.jpeg(image), written(image, "gif"), written(image, "bmp")};
    Seeds.check(
        300,
        random -> {
          byte[] file = files[random.nextInt(files.length)].clone();
          int first = random.nextInt(20) == 0 ? 0 : 2; // mostly behind the magic
          for (int i = random.nextInt(1, 8); i > 0; i--) {
            file[random.nextInt(first, Math.min(file.length, 700))] = (byte) random.nextInt();
          }
          try {
            read(file);
          } catch (UnreadableImageException e) {
            assertThat(e.getMessage()).startsWith("x: ").doesNotContain("\n");
          }
        });
  }

  private static byte[] written(RgbImage image, String format) throws IOException {
    BufferedImage picture =
        new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_3BYTE_BGR);
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        for (int c = 0; c < 3; c++) {
          picture.getRaster().setSample(x, y, c, image.sample(x, y, c));
        }
      }
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(picture, format, out)).isTrue();
    return out.toByteArray();
  }

  @Test
  void a_bmp_is_read_as_it_was_written() throws Exception {
    RgbImage image = Pictures.noise(new SplittableRandom(4), 13, 7, 3);
    assertThat(read(written(image, "bmp"))).isEqualTo(image);
  }

  @Test
  void a_side_that_no_jpeg_could_have_is_refused() throws Exception {
    byte[] strip = Pictures.png(65_536, 1, 8, 0, new byte[65_536]);
    assertThatThrownBy(() -> read(strip))
        .hasMessageContainingAll("65536×1 pixels", "at most 65535");
    assertThat(read(Pictures.png(1, 65_535, 8, 0, new byte[65_535])).height()).isEqualTo(65_535);
  }

  @Test
  void a_bomb_is_refused_by_its_header() throws Exception {
    byte[] huge = Pictures.png(60_000, 60_000, 8, 2, new byte[60_000]);
    assertThatThrownBy(() -> read(huge)).hasMessageContainingAll("60000×60000", "64 million");
    byte[] dense = Pictures.png(7_000, 7_000, 8, 2, new byte[7_000]);
    assertThatThrownBy(() -> read(dense)).hasMessageContaining("decompression bombs");
    byte[] empty = Pictures.png(0, 5, 8, 2, new byte[5]);
    assertThatThrownBy(() -> read(empty)).hasMessageContaining("0×5");
  }

  @Test
  void what_shines_through_lies_on_white() throws Exception {
    byte[] pixels = bytes(10, 20, 30, 255, 10, 20, 30, 0, 10, 20, 30, 128);
    RgbImage image = read(Pictures.png(3, 1, 8, 6, pixels));
    // 128/255 of the colour and 127/255 of white: 10·128 + 255·127 = 33,665; / 255 = 132.02
    assertThat(image.samples()).isEqualTo(bytes(10, 20, 30, 255, 255, 255, 132, 137, 142));
    RgbImage grey = read(Pictures.png(2, 1, 8, 4, bytes(10, 128, 77, 0)));
    assertThat(grey).isEqualTo(new RgbImage(2, 1, 1, bytes(132, 255)));
  }

  @Test
  void sixteen_bits_are_shifted_to_eight() throws Exception {
    byte[] grey = Pictures.png(2, 1, 16, 0, bytes(0x12, 0xff, 0xfe, 0x80));
    assertThat(read(grey)).isEqualTo(new RgbImage(2, 1, 1, bytes(0x12, 0xfe)));
    byte[] colour = Pictures.png(1, 1, 16, 2, bytes(0x12, 0xff, 0xfe, 0x80, 0, 0x80));
    assertThat(read(colour)).isEqualTo(new RgbImage(1, 1, 3, bytes(0x12, 0xfe, 0)));
  }

  @Test
  void few_bits_are_spread_over_the_whole_range() throws Exception {
    byte[] two = Pictures.png(4, 1, 2, 0, bytes(0b00_01_10_11));
    assertThat(read(two)).isEqualTo(new RgbImage(4, 1, 1, bytes(0, 85, 170, 255)));
  }

  /// Through `getRGB` a grey of 29 would become 95.
  @Test
  void grey_stays_as_it_is_stored() throws Exception {
    RgbImage grey = new RgbImage(2, 1, 1, bytes(29, 200));
    assertThat(read(Png.write(grey))).isEqualTo(grey);
    byte[] flat = new byte[16 * 16];
    Arrays.fill(flat, (byte) 29);
    RgbImage jpeg = read(Pictures.jpeg(new RgbImage(16, 16, 1, flat)));
    assertThat(jpeg).isEqualTo(new RgbImage(16, 16, 1, flat));
  }

  /// Four components of one block each, all samples flat: the DC terms alone decide.
  @Test
  void inks_become_colours_by_the_plain_formula() throws Exception {
    int[] stored = {60, 150, 80, 200};
    // R = K − round((255 − C)·K / 255): 200 − 195·200/255 = 200 − 152.94 → 47, and so on
    RgbImage cmyk = read(JpegBlocks.flat(stored, 0));
    assertThat(cmyk.samples()).startsWith(47, 118, 63);
    // YCC (60, 150, 80): R = 60 − 1.402·48 < 0; G = 60 − .344·22 + .714·48 = 87; B = 60 + 1.772·22
    RgbImage ycck = read(JpegBlocks.flat(stored, 2));
    assertThat(ycck.samples())
        .startsWith(200, 200 - Math.round(87 * 200 / 255f), 200 - Math.round(99 * 200 / 255f));
  }

  @Test
  void components_called_rgb_are_not_converted() throws Exception {
    int[] stored = {60, 150, 80};
    assertThat(read(JpegBlocks.flat(stored, -1)).samples()).startsWith(60, 150, 80);
  }

  @Test
  void components_of_unusual_names_are_converted_with_jfif_and_without() throws Exception {
    byte[] bare = JpegBlocks.flat(new int[] {60, 150, 80}, -2);
    byte[] jfif = bytes(0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0);
    byte[] named = new byte[bare.length + jfif.length];
    System.arraycopy(bare, 0, named, 0, 2);
    System.arraycopy(jfif, 0, named, 2, jfif.length);
    System.arraycopy(bare, 2, named, 2 + jfif.length, bare.length - 2);
    assertThat(read(bare).samples()).startsWith(0, 87, 99); // as Pillow 12.3
    assertThat(read(named).samples()).startsWith(0, 87, 99);
  }

  @Test
  void a_frame_smaller_than_its_screen_lies_on_white() throws Exception {
    byte[] gif = written(RgbImage.filled(4, 2, 0x000000), "gif");
    gif[6] = 6; // screen of 6 × 2
    RgbImage image = read(gif);
    assertThat(image.width()).isEqualTo(6);
    assertThat(image.sample(3, 1, 0)).isEqualTo(0);
    assertThat(image.sample(4, 1, 0)).isEqualTo(255);
  }

  @Test
  void a_message_is_one_line_whatever_the_name() {
    assertThatThrownBy(() -> ImageDoor.read(new byte[] {1, 2, 3}, "a\nb\u001b[31m"))
        .hasMessageStartingWith("a b [31m: not an image")
        .hasMessageContaining("the bytes 01 02 03");
  }
}
