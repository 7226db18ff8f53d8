package spellshield.index.store;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Objects;
import java.util.function.Consumer;

/// A file being written: buffered, hashed and counted on the way, fsynced when it is closed.
///
/// Only a file that was closed without an error is handed to the listener and so gets into a
/// manifest.
final class HashedFile extends OutputStream {
  private final Storage.Output out;
  private final String role;
  private final String name;
  private final Consumer<FileEntry> finished;
  private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
  private final MessageDigest digest = Hashes.sha256();
  private long written;
  private long count;
  private boolean failed;
  private boolean closed;

  HashedFile(Storage storage, String role, String name, Consumer<FileEntry> finished)
      throws IOException {
    this.role = role;
    this.name = name;
    this.finished = finished;
    this.out = storage.create(name);
  }

  /// Returns the bytes written so far.
  long length() {
    return written + buffer.position();
  }

  /// Counts one more row or item.
  void countOne() {
    count(1);
  }

  /// Counts some more rows or items.
  void count(long more) {
    count += more;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (closed || failed) {
      throw new IOException(name + ": cannot be written to any more");
    }
    int done = 0;
    while (done < length) {
      int part = Math.min(length - done, buffer.remaining());
      buffer.put(bytes, offset + done, part);
      done += part;
      if (!buffer.hasRemaining()) {
        drain();
      }
    }
  }

  /// Makes the file durable and announces it.
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    closed = true;
    try (out) {
      if (failed) {
        return; // the failure was thrown when it happened
      }
      drain();
      out.sync();
    }
    finished.accept(
        new FileEntry(role, name, written, HexFormat.of().formatHex(digest.digest()), count));
  }

  /// Closes the file without announcing it.
  void abandon() throws IOException {
    closed = true;
    out.close();
  }

  private void drain() throws IOException {
    failed = true; // until the end is reached
    buffer.flip();
    digest.update(buffer.array(), 0, buffer.limit());
    while (buffer.hasRemaining()) {
      int n = out.write(buffer);
      if (n <= 0) {
        throw new IOException("%s: the disk took no more than %d bytes".formatted(name, written));
      }
      written += n;
    }
    buffer.clear();
    failed = false;
  }
}
