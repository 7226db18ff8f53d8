package spellshield.tools.image;

import java.awt.image.Raster;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import spellshield.sampler.image.RgbImage;

/// What a file's header promises, before anything is decoded, and the bytes for the decoder.
///
/// @param format ImageIO's name for the format, such as `jpeg`
/// @param width of the picture in pixels
/// @param height of the picture in pixels
/// @param bands samples per pixel
/// @param bytes the file without what the decoder must not see (profiles, comments, rotation)
/// @param layout what the decoder's samples mean
record Container(String format, int width, int height, int bands, byte[] bytes, Layout layout) {

  /// What the samples mean, and where they belong.
  sealed interface Layout {
    /// As ImageIO's colour model says.
    record Plain() implements Layout {}

    /// Four inks: the raw samples are fetched and turned into colours by [Samples].
    record Raw(Ink ink) implements Layout {}

    /// A GIF's first frame at its place on the screen.
    record Placed(int left, int top) implements Layout {}
  }

  /// Turns raw samples into red, green, blue.
  interface Ink {
    RgbImage toRgb(Raster raster);
  }

  /// Finds out what a file is by its first bytes and reads its header.
  static Container parse(byte[] file) throws IOException {
    if (file.length == 0) {
      throw new IOException("the file is empty; fetch it again or remove it");
    }
    return switch (format(file).orElse("")) {
      case "jpeg" -> JpegSegments.parse(file);
      case "png" -> PngChunks.parse(file);
      case "gif" -> GifFrame.parse(file);
      case "webp" -> WebpChunks.parse(file);
      case "bmp" -> bmp(file);
      default ->
          throw new IOException(
              "not an image this program reads (it begins with %s); JPEG, PNG, GIF, BMP and WebP are read"
                  .formatted(firstBytes(file)));
    };
  }

  /// Returns the format of a file that begins so, in ImageIO's words.
  static Optional<String> format(byte[] start) {
    if (startsWith(start, 0, "\u00ff\u00d8\u00ff")) {
      return Optional.of("jpeg");
    }
    if (startsWith(start, 0, PngChunks.SIGNATURE)) {
      return Optional.of("png");
    }
    if (startsWith(start, 0, "GIF87a") || startsWith(start, 0, "GIF89a")) {
      return Optional.of("gif");
    }
    if (startsWith(start, 0, "RIFF") && startsWith(start, 8, "WEBP")) {
      return Optional.of("webp");
    }
    boolean bmp = startsWith(start, 0, "BM") && start.length >= 26;
    return bmp ? Optional.of("bmp") : Optional.empty();
  }

  private static Container bmp(byte[] file) throws IOException {
    int width;
    int height;
    if (little(file, 14, 4) == 12) { // the header of OS/2 has 16-bit extents
      width = little(file, 18, 2);
      height = little(file, 20, 2);
    } else {
      width = little(file, 18, 4);
      height = Math.absExact(little(file, 22, 4)); // negative: stored from the top
    }
    return new Container("bmp", width, height, 3, file, new Layout.Plain());
  }

  static boolean startsWith(byte[] file, int at, String latin1) {
    if (file.length < at + latin1.length()) {
      return false;
    }
    for (int i = 0; i < latin1.length(); i++) {
      if ((file[at + i] & 0xff) != latin1.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  /// Returns a little-endian number.
  static int little(byte[] file, int at, int bytes) throws IOException {
    require(at, bytes, file.length);
    int value = 0;
    for (int i = bytes - 1; i >= 0; i--) {
      value = value << 8 | (file[at + i] & 0xff);
    }
    return value;
  }

  /// Returns a big-endian number.
  static int big(byte[] file, int at, int bytes) throws IOException {
    require(at, bytes, file.length);
    int value = 0;
    for (int i = 0; i < bytes; i++) {
      value = value << 8 | (file[at + i] & 0xff);
    }
    return value;
  }

  /// Refuses a file that ends before `at + bytes`.
  static void require(long at, long bytes, int length) throws IOException {
    if (bytes < 0 || at + bytes > length) {
      throw new IOException(
          "the file ends early (%d bytes, but its header needs %d); fetch it again or remove it"
              .formatted(length, bytes < 0 ? Long.MAX_VALUE : at + bytes));
    }
  }

  private static String firstBytes(byte[] file) {
    StringBuilder text = new StringBuilder();
    boolean printable = true;
    for (int i = 0; i < Math.min(12, file.length); i++) {
      printable &= file[i] >= 32 && file[i] < 127;
      text.append((char) (file[i] & 0xff));
    }
    if (printable) {
      return "'" + text + "'";
    }
    StringBuilder hex = new StringBuilder();
    for (int i = 0; i < Math.min(8, file.length); i++) {
      hex.append(String.format(Locale.ROOT, i == 0 ? "%02x" : " %02x", file[i]));
    }
    return "the bytes " + hex;
  }
}
