package spellshield.tools.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// The chunks of a WebP file, without colour profile and metadata.
///
/// Lossless files are read as Pillow reads them. Lossy ones are not: the decoder enlarges their
/// colours in another way than libwebp, which moved a photograph by 3 levels (root mean square).
final class WebpChunks {
  private static final int METADATA = 0x20 | 0x08 | 0x04; // flags: profile, EXIF, XMP

  private WebpChunks() {}

  static Container parse(byte[] file) throws IOException {
    ByteArrayOutputStream kept = new ByteArrayOutputStream(file.length);
    int width = 0;
    int height = 0;
    Container.require(8, Container.little(file, 4, 4), file.length);
    int end = 8 + Container.little(file, 4, 4);
    for (int at = 12; at + 8 <= end; ) {
      String type = new String(file, at, 4, StandardCharsets.ISO_8859_1);
      int length = Container.little(file, at + 4, 4);
      Container.require(at + 8L, length, end);
      int content = at + 8;
      byte[] chunk = new byte[8 + length + (length & 1)]; // padded to even length
      System.arraycopy(file, at, chunk, 0, Math.min(chunk.length, end - at));
      at += chunk.length;
      switch (type) {
        case "VP8X" -> {
          width = 1 + Container.little(file, content + 4, 3);
          height = 1 + Container.little(file, content + 7, 3);
          chunk[8] &= ~METADATA;
        }
        case "VP8L" -> {
          int bits = Container.little(file, content + 1, 4);
          width = Math.max(width, 1 + (bits & 0x3fff));
          height = Math.max(height, 1 + ((bits >> 14) & 0x3fff));
        }
        case "VP8 " -> {
          width = Math.max(width, Container.little(file, content + 6, 2) & 0x3fff);
          height = Math.max(height, Container.little(file, content + 8, 2) & 0x3fff);
        }
        case "ANIM", "ANMF" ->
            throw new IOException("an animated WebP is not read; save one frame of it as PNG");
        case "ALPH" -> {}
        default -> {
          continue; // profile, EXIF, XMP, unknown
        }
      }
      kept.writeBytes(chunk);
    }
    byte[] body = kept.toByteArray();
    ByteArrayOutputStream out = new ByteArrayOutputStream(body.length + 12);
    out.writeBytes("RIFF".getBytes(StandardCharsets.ISO_8859_1));
    for (int shift = 0; shift < 32; shift += 8) {
      out.write((body.length + 4) >> shift);
    }
    out.writeBytes("WEBP".getBytes(StandardCharsets.ISO_8859_1));
    out.writeBytes(body);
    return new Container("webp", width, height, 3, out.toByteArray(), new Container.Layout.Plain());
  }
}
