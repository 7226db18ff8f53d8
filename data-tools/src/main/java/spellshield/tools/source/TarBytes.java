package spellshield.tools.source;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/// The bytes of a tar by their offsets: of the file as it lies there, or as it unpacks.
sealed interface TarBytes extends Closeable permits TarBytes.OfFile, GzipBytes {

  /// Begins to read a file, gzipped or not.
  static TarBytes open(Path file) throws IOException {
    boolean gzip;
    try (InputStream in = Files.newInputStream(file)) {
      gzip = in.read() == 0x1f && in.read() == 0x8b;
    }
    return gzip ? GzipBytes.open(file) : new OfFile(FileChannel.open(file));
  }

  /// Copies bytes and returns how many, at least one; −1 behind the end.
  ///
  /// @param at offset of the first one; where the tar cannot seek, no further back than
  ///   [GzipBytes#KEPT] from the last byte that was read
  /// @throws java.util.zip.ZipException if what was compressed is damaged, in words without a name
  int read(long at, byte[] into, int offset, int length) throws IOException;

  /// Says whether any place can be read at once, and in any order.
  boolean seeks();

  /// Returns how many bytes there are; where the tar cannot seek, after reading all of them.
  long length() throws IOException;

  /// A tar as it lies in a file.
  record OfFile(FileChannel file) implements TarBytes {
    @Override
    public int read(long at, byte[] into, int offset, int length) throws IOException {
      return file.read(ByteBuffer.wrap(into, offset, length), at);
    }

    @Override
    public boolean seeks() {
      return true;
    }

    @Override
    public long length() throws IOException {
      return file.size();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
