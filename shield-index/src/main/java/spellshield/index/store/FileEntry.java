package spellshield.index.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// One file of a set, as its manifest describes it.
///
/// @param role what it holds, such as `latents`, `items`, `sketch`
/// @param name in the folder of the set
/// @param length in bytes
/// @param sha256 of all its bytes, 64 hex digits
/// @param count rows or items in it, 0 where that says nothing
public record FileEntry(String role, String name, long length, String sha256, long count) {
  private static final Pattern ROLE = Pattern.compile("[a-z][a-z0-9-]{0,49}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  public FileEntry {
    requireRole(role);
    Storage.requireName(name);
    if (length < 0 || count < 0) {
      throw new IllegalArgumentException(
          "%s: length and count must not be negative, but were %d and %d"
              .formatted(name, length, count));
    }
    requireSha256(name, sha256);
  }

  /// Returns the generation that wrote the file.
  long owner() {
    return Generations.of(name).orElseThrow();
  }

  /// Reads the whole file into private memory and checks it there: what is returned is exactly what
  /// the manifest describes, whatever happens to the file meanwhile.
  ///
  /// @throws DamagedSetException if the file is missing or differs
  /// @throws IllegalArgumentException if it is longer than an array
  public byte[] read(Storage storage) throws IOException {
    if (length > Integer.MAX_VALUE - 16) {
      throw new IllegalArgumentException(
          "%s: %d bytes do not fit into one array".formatted(name, length));
    }
    requireLength(storage);
    byte[] bytes;
    try (InputStream in = storage.open(name)) {
      bytes = in.readNBytes((int) length);
    } catch (NoSuchFileException e) {
      throw new DamagedSetException(name, "is missing", e);
    }
    compare(bytes.length, Hashes.sha256().digest(bytes));
    return bytes;
  }

  /// Reads as many bytes as this says, whatever stands behind them, and checks their hash.
  ///
  /// @throws DamagedSetException if the file is missing, shorter or differs
  byte[] readPrefix(Storage storage) throws IOException {
    try (InputStream in = openAtLeast(storage)) {
      byte[] bytes = in.readNBytes(Math.toIntExact(length));
      compare(bytes.length, Hashes.sha256().digest(bytes));
      return bytes;
    }
  }

  /// Reads the whole file and compares length and SHA-256; about a second per GB.
  ///
  /// @throws DamagedSetException if the file is missing or differs
  public void verify(Storage storage) throws IOException {
    requireLength(storage);
    MessageDigest digest = Hashes.sha256();
    long found = 0;
    try (InputStream in = storage.open(name)) {
      byte[] buffer = new byte[Math.clamp(length, 1, 1 << 18)];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
        found += n;
      }
    } catch (NoSuchFileException e) {
      throw new DamagedSetException(name, "is missing", e);
    }
    compare(found, digest.digest());
  }

  /// Compares the length only.
  ///
  /// @throws DamagedSetException if the file is missing or has another length
  void requireLength(Storage storage) throws IOException {
    try {
      compareLength(storage.length(name));
    } catch (NoSuchFileException e) {
      throw new DamagedSetException(name, "is missing", e);
    }
  }

  void compareLength(long found) {
    if (found != length) {
      throw new DamagedSetException(
          name, "has %d bytes, but the manifest says %d".formatted(found, length));
    }
  }

  /// Opens the file, which may be longer than this says.
  ///
  /// @throws DamagedSetException if it is missing or shorter
  InputStream openAtLeast(Storage storage) throws IOException {
    try {
      long found = storage.length(name);
      if (found < length) {
        compareLength(found);
      }
      return storage.open(name);
    } catch (NoSuchFileException e) {
      throw new DamagedSetException(name, "is missing", e);
    }
  }

  private void compare(long foundLength, byte[] foundHash) {
    compareLength(foundLength);
    compareHash(HexFormat.of().formatHex(foundHash));
  }

  void compareHash(String found) {
    if (!found.equals(sha256)) {
      throw new DamagedSetException(
          name, "SHA-256 is %s, but the manifest says %s".formatted(found, sha256));
    }
  }

  static void requireRole(String role) {
    if (!ROLE.matcher(role).matches()) {
      throw new IllegalArgumentException(
          "a role is 1 to 50 of a-z, 0-9 and '-', but was '%s'".formatted(role));
    }
  }

  static void requireSha256(String place, String hex) {
    if (!SHA256.matcher(hex).matches()) {
      throw new IllegalArgumentException(
          "%s: a SHA-256 has 64 hex digits, but was '%s'".formatted(place, hex));
    }
  }
}
