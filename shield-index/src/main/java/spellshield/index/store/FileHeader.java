package spellshield.index.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/// The first 64 bytes of a shard, an item table, and the files of removed items, shared names and
/// radius scales: enough to tell a file that belongs here from one of another set, generation or
/// place.
///
/// @param magic 8 ASCII characters
/// @param generation of the set
/// @param bits of one value, 0 but in a shard
/// @param dim values of one latent, 0 but in a shard
/// @param first the number of the first item in the file
record FileHeader(String magic, long generation, int bits, int dim, long first) {
  static final int BYTES = 64;
  static final int VERSION = 1;

  private static final int CRC_OFFSET = 60;

  static FileHeader ofShard(long generation, RowFormat rows, long first) {
    return new FileHeader("SPELLLAT", generation, rows.precision().bits(), rows.dim(), first);
  }

  static FileHeader ofItems(long generation, long first) {
    return new FileHeader("SPELLITM", generation, 0, 0, first);
  }

  static FileHeader ofRemoved(long generation) {
    return new FileHeader("SPELLREM", generation, 0, 0, 0);
  }

  static FileHeader ofNames(long generation) {
    return new FileHeader("SPELLNAM", generation, 0, 0, 0);
  }

  static FileHeader ofRadii(long generation) {
    return new FileHeader("SPELLRAD", generation, 0, 0, 0);
  }

  byte[] toBytes() {
    ByteBuffer out = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.put(magic.getBytes(StandardCharsets.US_ASCII));
    out.putInt(VERSION).putInt(bits).putLong(generation).putLong(first).putInt(dim);
    out.putInt(CRC_OFFSET, crc(out.array())); // between them zeros, kept for later versions
    return out.array();
  }

  /// Checks the first bytes of a file against this header.
  ///
  /// @throws DamagedSetException if they differ
  void requireAt(String name, byte[] found) {
    ByteBuffer in = ByteBuffer.wrap(found).order(ByteOrder.LITTLE_ENDIAN);
    String foundMagic = new String(found, 0, 8, StandardCharsets.ISO_8859_1);
    if (!foundMagic.equals(magic)) {
      throw new DamagedSetException(
          name, "begins with '%s', but should with '%s'".formatted(foundMagic, magic));
    }
    if (in.getInt(CRC_OFFSET) != crc(found)) {
      throw new DamagedSetException(
          name,
          "header has checksum %08x, but its bytes give %08x"
              .formatted(in.getInt(CRC_OFFSET), crc(found)));
    }
    if (in.getInt(8) != VERSION) {
      throw new DamagedSetException(
          name, "has format version %d, but the manifest %d".formatted(in.getInt(8), VERSION));
    }
    FileHeader header =
        new FileHeader(foundMagic, in.getLong(16), in.getInt(12), in.getInt(32), in.getLong(24));
    if (!header.equals(this)) {
      throw new DamagedSetException(
          name, "has the header %s, but the manifest says %s".formatted(header, this));
    }
  }

  private static int crc(byte[] header) {
    CRC32C crc = new CRC32C();
    crc.update(header, 0, CRC_OFFSET);
    return (int) crc.getValue();
  }
}
