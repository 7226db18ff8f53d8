package spellshield.index.store;

import java.io.IOException;
import java.io.InputStream;
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
  private final MessageDigest digest;
  private long written;
  private long count;
  private boolean failed;
  private boolean closed;

  HashedFile(Storage storage, String role, String name, Consumer<FileEntry> finished)
      throws IOException {
    this(storage.create(name), Hashes.sha256(), role, name, finished);
  }

  private HashedFile(
      Storage.Output out,
      MessageDigest digest,
      String role,
      String name,
      Consumer<FileEntry> finished) {
    this.out = out;
    this.digest = digest;
    this.role = role;
    this.name = name;
    this.finished = finished;
  }

  /// Goes on with a file that was left unfinished.
  ///
  /// @param soFar what [#sync] returned once; what was written after it is cut off
  /// @throws DamagedSetException if the file does not begin with that
  static HashedFile resume(Storage storage, FileEntry soFar, Consumer<FileEntry> finished)
      throws IOException {
    MessageDigest digest = Hashes.sha256();
    try (InputStream in = soFar.openAtLeast(storage)) {
      byte[] part = new byte[1 << 18];
      for (long left = soFar.length(); left > 0; ) {
        int n = in.read(part, 0, (int) Math.min(left, part.length));
        if (n < 0) {
          break; // the hash tells
        }
        digest.update(part, 0, n);
        left -= n;
      }
    }
    soFar.compareHash(current(digest));
    Storage.Output out = storage.append(soFar.name(), soFar.length());
    HashedFile file = new HashedFile(out, digest, soFar.role(), soFar.name(), finished);
    file.written = soFar.length();
    file.count = soFar.count();
    return file;
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
    requireWritable();
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

  /// Makes what was written so far durable, and returns what a manifest would say of it.
  FileEntry sync() throws IOException {
    requireWritable();
    drain();
    out.sync();
    return entry();
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
    finished.accept(entry());
  }

  /// Closes the file without announcing it.
  void abandon() throws IOException {
    closed = true;
    out.close();
  }

  private void requireWritable() throws IOException {
    if (closed || failed) {
      throw new IOException(name + ": cannot be written to any more");
    }
  }

  private FileEntry entry() {
    return new FileEntry(role, name, written, current(digest), count);
  }

  /// Returns the hash of what was digested; the digest goes on.
  private static String current(MessageDigest digest) {
    try {
      return HexFormat.of().formatHex(((MessageDigest) digest.clone()).digest());
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("the JDK's SHA-256 can be cloned", e);
    }
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
