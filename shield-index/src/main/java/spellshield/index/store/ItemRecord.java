package spellshield.index.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/// How one item is written: length of the body, body, CRC32C; the body is id, source, label,
/// SHA-256 and edit, each with its length before it.
///
/// Bodies of format 2 end after the label.
final class ItemRecord {
  /// The longest body: five lengths, four texts, a hash.
  static final int MAX_BODY = 5 * 4 + 1_000 + 4_096 + 4_096 + 32 + 1_000;

  private ItemRecord() {}

  static byte[] encode(long number, Item item) {
    byte[][] texts = {
      item.id().getBytes(StandardCharsets.UTF_8),
      item.source().getBytes(StandardCharsets.UTF_8),
      item.label().getBytes(StandardCharsets.UTF_8),
      HexFormat.of().parseHex(item.sha256()),
      item.edit().getBytes(StandardCharsets.UTF_8)
    };
    int body = 0;
    for (byte[] text : texts) {
      body += 4 + text.length;
    }
    ByteBuffer out = ByteBuffer.allocate(4 + body + 4).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(body);
    for (byte[] text : texts) {
      out.putInt(text.length).put(text);
    }
    out.putInt(Hashes.crc32c(number, out.array(), 0, 4 + body));
    return out.array();
  }

  /// Reads a whole record, length and checksum included.
  ///
  /// @throws IllegalArgumentException if it is not one, with what is wrong
  static Item decode(long number, byte[] record) {
    ByteBuffer in = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
    int stored = in.getInt(record.length - 4);
    int found = Hashes.crc32c(number, record, 0, record.length - 4);
    if (stored != found) {
      throw new IllegalArgumentException(
          "has checksum %08x, but its bytes give %08x".formatted(stored, found));
    }
    in.position(4).limit(record.length - 4);
    String id = text(in);
    String source = text(in);
    String label = text(in);
    boolean format2 = !in.hasRemaining();
    Item item =
        format2
            ? new Item(id, source, label)
            : new Item(id, source, label, HexFormat.of().formatHex(part(in)), text(in));
    if (in.hasRemaining()) {
      throw new IllegalArgumentException("has %d bytes too many".formatted(in.remaining()));
    }
    return item;
  }

  private static byte[] part(ByteBuffer in) {
    if (in.remaining() < 4) {
      throw new IllegalArgumentException("ends within a text");
    }
    int length = in.getInt();
    if (length < 0 || length > in.remaining()) {
      throw new IllegalArgumentException("ends within a text of %d bytes".formatted(length));
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  private static String text(ByteBuffer in) {
    byte[] bytes = part(in);
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("is not UTF-8", e);
    }
  }
}
