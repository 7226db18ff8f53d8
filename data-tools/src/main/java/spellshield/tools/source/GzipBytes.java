package spellshield.tools.source;

import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/// A gzipped tar, unpacked from its beginning on while it is read: a window of what was unpacked
/// last lies in memory, and what is skipped is unpacked, too.
///
/// Whether it is whole is known at its end, where the checksum stands.
final class GzipBytes implements TarBytes {

  /// How far back can be read: the blocks that tell a tar's end, and where a member begins.
  static final int KEPT = 1 << 16;

  /// No honest pictures shrink to less than a hundredth.
  private static final int MAX_RATIO = 100;

  private static final int SMALL = 1 << 20;

  private final Counted packed;
  private final InputStream unpacked;
  private final byte[] window = new byte[4 * KEPT];
  private long begin; // offset of the window
  private int filled;
  private @Nullable ZipException failure;

  private GzipBytes(Counted packed, InputStream unpacked) {
    this.packed = packed;
    this.unpacked = unpacked;
  }

  /// Begins to unpack a file.
  ///
  /// @throws ZipException if its first bytes are damaged
  static GzipBytes open(Path file) throws IOException {
    Counted packed = new Counted(Files.newInputStream(file));
    try {
      return new GzipBytes(packed, new GZIPInputStream(packed, KEPT));
    } catch (EOFException | ZipException e) {
      packed.close();
      throw damaged(e);
    } catch (IOException e) {
      packed.close();
      throw e;
    }
  }

  @Override
  public int read(long at, byte[] into, int offset, int length) throws IOException {
    while (at >= begin + filled) {
      if (!fill()) {
        return -1;
      }
    }
    assert at >= begin : at + " was unpacked and forgotten";
    int from = (int) (at - begin);
    int count = Math.min(length, filled - from);
    System.arraycopy(window, from, into, offset, count);
    return count;
  }

  /// Unpacks some more; false at the end.
  private boolean fill() throws IOException {
    if (failure != null) {
      throw failure;
    }
    if (filled == window.length) {
      System.arraycopy(window, filled - KEPT, window, 0, KEPT);
      begin += filled - KEPT;
      filled = KEPT;
    }
    try {
      int count = unpacked.read(window, filled, window.length - filled);
      filled += Math.max(0, count);
      if (begin + filled > MAX_RATIO * packed.count + SMALL) {
        throw new ZipException(
            "%,d bytes unpack to over %,d, as bombs do".formatted(packed.count, begin + filled));
      }
      return count >= 0;
    } catch (EOFException | ZipException e) {
      failure = damaged(e);
      throw failure;
    }
  }

  private static ZipException damaged(IOException e) {
    return new ZipException(
        e instanceof EOFException
            ? "the compressed data is cut off"
            : "the compressed data is damaged: %s; give up a build of it with --restart"
                .formatted(Reason.of(e)));
  }

  @Override
  public boolean seeks() {
    return false;
  }

  @Override
  public long length() throws IOException {
    boolean more = true;
    while (more) {
      more = fill();
    }
    return begin + filled;
  }

  @Override
  public void close() throws IOException {
    unpacked.close();
  }

  /// The file, and how much of it was read.
  private static final class Counted extends FilterInputStream {
    private long count;

    Counted(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      int value = super.read();
      count += value < 0 ? 0 : 1;
      return value;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int read = super.read(into, offset, length);
      count += Math.max(0, read);
      return read;
    }
  }
}
