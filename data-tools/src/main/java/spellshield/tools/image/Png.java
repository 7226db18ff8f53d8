package spellshield.tools.image;

import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import javax.imageio.ImageIO;
import javax.imageio.stream.ImageOutputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import spellshield.sampler.image.RgbImage;

/// PNG files with text inside: what a picture is, and what was proven about it.
///
/// Equal pictures with equal texts give equal bytes, on one release of Java.
public final class Png {
  private Png() {}

  /// Returns the picture as a PNG file.
  public static byte[] write(RgbImage image) {
    return write(image, new LinkedHashMap<>());
  }

  /// Returns the picture as a PNG file with texts, in their order, before the pixels.
  ///
  /// A text of Latin-1 becomes a `tEXt` chunk, any other an `iTXt` chunk (UTF-8, not compressed).
  ///
  /// @param texts keyword (1 to 79 printable Latin-1 characters) to text (without NUL)
  public static byte[] write(RgbImage image, SequencedMap<String, String> texts) {
    byte[] plain = encode(image);
    int header = PngChunks.SIGNATURE.length() + 12 + 13; // the texts follow the header chunk
    ByteArrayOutputStream out = new ByteArrayOutputStream(plain.length + 256);
    out.write(plain, 0, header);
    for (Map.Entry<String, String> text : texts.entrySet()) {
      out.writeBytes(chunk(text.getKey(), text.getValue()));
    }
    out.write(plain, header, plain.length - header);
    return out.toByteArray();
  }

  /// Returns the texts of a PNG file, in their order; compressed ones are left out.
  ///
  /// @throws IOException if this is no PNG file, or a damaged one
  public static SequencedMap<String, String> texts(byte[] file) throws IOException {
    if (!Container.startsWith(file, 0, PngChunks.SIGNATURE)) {
      throw new IOException("not a PNG file; only those carry texts");
    }
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    PngChunks.visit(
        file,
        (type, at, length) -> {
          int end = at + 8 + length;
          int zero = zero(file, at + 8, end);
          String keyword = new String(file, at + 8, zero - at - 8, StandardCharsets.ISO_8859_1);
          if (type.equals("tEXt") && zero < end) {
            String text = new String(file, zero + 1, end - zero - 1, StandardCharsets.ISO_8859_1);
            texts.put(keyword, text);
          } else if (type.equals("iTXt") && zero + 2 < end && file[zero + 1] == 0) {
            int language = zero(file, zero + 3, end);
            int translated = zero(file, Math.min(end, language + 1), end);
            int from = Math.min(end, translated + 1);
            texts.put(keyword, new String(file, from, end - from, StandardCharsets.UTF_8));
          }
        });
    return texts;
  }

  private static int zero(byte[] file, int from, int end) {
    int at = from;
    while (at < end && file[at] != 0) {
      at++;
    }
    return at;
  }

  private static byte[] chunk(String keyword, String text) {
    if (!keyword.matches(
        "[\\x21-\\x7e\\xa1-\\xff]([\\x20-\\x7e\\xa1-\\xff]{0,77}[\\x21-\\x7e\\xa1-\\xff])?")) {
      throw new IllegalArgumentException(
          "a PNG keyword has 1 to 79 printable Latin-1 characters, but was '%s'"
              .formatted(keyword));
    }
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "a PNG text has no NUL, but that of '%s' has one".formatted(keyword));
    }
    boolean latin =
        text.chars().allMatch(c -> c == '\n' || (c >= 32 && c < 127) || (c > 160 && c < 256));
    byte[] content =
        latin
            ? (keyword + "\0" + text).getBytes(StandardCharsets.ISO_8859_1)
            : international(keyword, text);
    ByteBuffer chunk = ByteBuffer.allocate(content.length + 12);
    chunk.putInt(content.length);
    chunk.put((latin ? "tEXt" : "iTXt").getBytes(StandardCharsets.ISO_8859_1));
    chunk.put(content);
    chunk.putInt(PngChunks.checksum(chunk.array(), 4, content.length + 4));
    return chunk.array();
  }

  /// Keyword, NUL, not compressed (two bytes), no language (NUL), no translated keyword (NUL).
  private static byte[] international(String keyword, String text) {
    byte[] head = (keyword + "\0\0\0\0\0").getBytes(StandardCharsets.ISO_8859_1);
    byte[] body = text.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(head.length + body.length).put(head).put(body).array();
  }

  private static byte[] encode(RgbImage image) {
    boolean grey = image.channels() == 1;
    BufferedImage picture =
        new BufferedImage(
            image.width(),
            image.height(),
            grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
    WritableRaster raster = picture.getRaster();
    int line = image.width() * image.channels();
    int[] row = new int[line];
    for (int y = 0; y < image.height(); y++) {
      for (int i = 0; i < line; i++) {
        row[i] = image.samples()[y * line + i] & 0xff;
      }
      raster.setPixels(0, y, image.width(), 1, row);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
      if (!ImageIO.write(picture, "png", stream)) {
        throw new AssertionError("every JDK writes PNG");
      }
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return out.toByteArray();
  }
}
