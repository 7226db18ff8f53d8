package spellshield.tools.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/// The chunks of a PNG file: every checksum is verified, only what makes the pixels is kept.
final class PngChunks {
  static final String SIGNATURE = "\u0089PNG\r\n\u001a\n";

  private PngChunks() {}

  /// What to do with a chunk.
  interface Visitor {
    /// Sees one chunk.
    ///
    /// @param at where the chunk begins: its length, its type, its content, its checksum
    void chunk(String type, int at, int length) throws IOException;
  }

  static Container parse(byte[] file) throws IOException {
    ByteArrayOutputStream kept = new ByteArrayOutputStream(file.length);
    kept.write(file, 0, SIGNATURE.length());
    visit(
        file,
        (type, at, length) -> {
          switch (type) {
            case "IHDR", "PLTE", "tRNS", "IDAT", "IEND" -> kept.write(file, at, length + 12);
            default -> {
              if (Character.isUpperCase(type.charAt(0))) {
                throw new IOException(
                    "a PNG with the critical chunk '%s' is not read; save it anew".formatted(type));
              }
            }
          }
        });
    int width = Container.big(file, 16, 4);
    int height = Container.big(file, 20, 4);
    int bands = switch (file[25]) { // the colour type
          case 2 -> 3;
          case 4 -> 2;
          case 6 -> 4;
          default -> 1; // grey, palette
        };
    return new Container(
        "png", width, height, bands, kept.toByteArray(), new Container.Layout.Plain());
  }

  /// Calls the visitor with each chunk up to the last one, in order.
  static void visit(byte[] file, Visitor visitor) throws IOException {
    int at = SIGNATURE.length();
    while (true) {
      Container.require(at, 12, file.length);
      int length = Container.big(file, at, 4);
      Container.require(at + 12L, length, file.length);
      String type = new String(file, at + 4, 4, StandardCharsets.ISO_8859_1);
      boolean first = at == SIGNATURE.length();
      if (first != type.equals("IHDR") || (first && length != 13)) {
        throw new IOException("damaged PNG: no header at its begin; fetch the file again");
      }
      int stored = Container.big(file, at + 8 + length, 4);
      int counted = checksum(file, at + 4, length + 4);
      if (stored != counted) {
        throw new IOException(
            "damaged PNG: the checksum of '%s' at byte %d is %08x, but the file says %08x; fetch it again"
                .formatted(type, at, counted, stored));
      }
      visitor.chunk(type, at, length);
      at += 12 + length;
      if (type.equals("IEND")) {
        return;
      }
    }
  }

  static int checksum(byte[] bytes, int from, int length) {
    CRC32 crc = new CRC32();
    crc.update(bytes, from, length);
    return (int) crc.getValue();
  }
}
