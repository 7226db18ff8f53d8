package spellshield.index.store;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/// The two checksums of the format: SHA-256 of files, CRC32C of rows and records.
public final class Hashes {
  private Hashes() {}

  /// Returns a SHA-256 that nothing has gone into yet.
  public static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  /// Returns the SHA-256 in 64 hex digits.
  public static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(sha256().digest(bytes));
  }

  /// Returns the CRC32C of an item's number (int64, little-endian) followed by the bytes of its row
  /// or record. The number is in it so that a row at the place of another is noticed.
  static int crc32c(long item, byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    for (int shift = 0; shift < 64; shift += 8) {
      crc.update((int) (item >>> shift) & 0xff);
    }
    crc.update(bytes, offset, length);
    return (int) crc.getValue();
  }
}
