package spellshield.tools.source;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/// The members of a tar, in order: one that is a file, or one that is a member of another.
///
/// Only headers are read; contents are read when they are asked for, by their place in the file.
/// What a header says is checked before it is believed: its checksum, that the member ends before
/// the tar does, and that names and extended headers take at most [#MAX_HEADERS]. A tar has to end
/// with its end mark (two blocks of zeros): without it, it was cut off.
final class TarMembers {
  private static final int BLOCK = TarConstants.DEFAULT_RCDSIZE;

  /// Headers of one member are not read further than this, in bytes.
  static final int MAX_HEADERS = 1 << 20;

  private final FileChannel file;
  private final String name;
  private final long end;
  private final Headers headers;
  private long next;

  /// A member of a tar.
  ///
  /// @param name as the tar has it, unchecked
  /// @param kind what it is
  /// @param begin offset of its content in the file
  /// @param size of its content, in bytes
  record Member(String name, Kind kind, long begin, long size) {}

  enum Kind {
    FILE,
    FOLDER,
    OTHER // links, devices, sparse files
  }

  private TarMembers(FileChannel file, String name, long begin, long end) throws IOException {
    this.file = file;
    this.name = name;
    this.end = end;
    this.next = begin;
    this.headers = new Headers(begin);
    requireEndMark(begin);
  }

  /// Begins a tar that is a file.
  ///
  /// @param name what the user calls it, for messages
  /// @throws IOException if it was cut off
  static TarMembers of(FileChannel file, String name) throws IOException {
    return new TarMembers(file, name, 0, file.size());
  }

  /// Returns the bytes of some tars; what cannot be measured counts for nothing.
  static long bytes(List<Path> tars) {
    return tars.stream().mapToLong(tar -> tar.toFile().length()).sum();
  }

  /// Refuses tars of which one was cut off; their ends are read, and nothing else.
  static void requireWhole(List<Path> tars) throws IOException {
    for (Path tar : tars) {
      try (FileChannel channel = FileChannel.open(tar)) {
        of(channel, tar.toString());
      }
    }
  }

  /// Begins a tar that is a member of this one.
  TarMembers inside(Member member, String called) throws IOException {
    return new TarMembers(file, called, member.begin(), member.begin() + member.size());
  }

  /// Says whether a tar begins at a place of a file: a header with the right checksum.
  static boolean begins(FileChannel file, long at) throws IOException {
    byte[] block = new byte[BLOCK];
    if (!fill(file, at, block)) {
      return false;
    }
    long sum = 0;
    for (int i = 0; i < BLOCK; i++) {
      boolean inSum = i >= TarConstants.CHKSUM_OFFSET && i < TarConstants.CHKSUM_OFFSET + 8;
      sum += inSum ? ' ' : block[i] & 0xff;
    }
    String stored =
        new String(block, TarConstants.CHKSUM_OFFSET, 8, StandardCharsets.ISO_8859_1)
            .replaceAll("[\0 ]", "");
    return stored.matches("[0-7]{1,8}") && Long.parseLong(stored, 8) == sum && block[0] != 0;
  }

  /// Returns the next member, or null at the end mark.
  ///
  /// @throws IOException if the tar is damaged from here on
  @Nullable Member next() throws IOException {
    long at = next;
    TarArchiveEntry entry;
    headers.cursor = at;
    headers.budget = MAX_HEADERS;
    // A new one for each member: it would read the content of the one before to its end.
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(headers, StandardCharsets.UTF_8.name())) {
      entry = tar.getNextEntry();
    } catch (IOException | RuntimeException e) { // it throws anything at damaged headers
      throw damaged(at, Reason.of(e));
    }
    if (entry == null) {
      if (!isZero(at, BLOCK)) {
        throw damaged(at, "it ends without an end mark");
      }
      return null;
    }
    if (!entry.isCheckSumOK()) {
      throw damaged(at, "the checksum of a header is wrong");
    }
    long begin = headers.cursor;
    long size = entry.getSize();
    if (size < 0 || size > end - begin) {
      throw damaged(at, "'%s' is cut off".formatted(Reason.line(entry.getName())));
    }
    next = begin + (size + BLOCK - 1) / BLOCK * BLOCK;
    return new Member(entry.getName(), kind(entry), begin, size);
  }

  private static Kind kind(TarArchiveEntry entry) {
    if (entry.isDirectory()) {
      return Kind.FOLDER;
    }
    boolean plain =
        entry.getLinkFlag() == TarConstants.LF_NORMAL
            || entry.getLinkFlag() == TarConstants.LF_OLDNORM
            || entry.getLinkFlag() == TarConstants.LF_CONTIG;
    return plain && !entry.isSparse() ? Kind.FILE : Kind.OTHER;
  }

  /// Returns a member's content.
  byte[] read(Member member) throws IOException {
    byte[] content = new byte[Math.toIntExact(member.size())]; // no longer than the file
    if (!fill(file, member.begin(), content)) {
      throw new EOFException(name + ": the file became shorter while it was read");
    }
    return content;
  }

  /// Says whether a member begins as a tar does.
  boolean isTar(Member member) throws IOException {
    return member.size() % BLOCK == 0 && member.size() >= 2 * BLOCK && begins(file, member.begin());
  }

  private void requireEndMark(long begin) throws IOException {
    long length = end - begin;
    if (length % BLOCK != 0 || length < 2 * BLOCK || !isZero(end - 2 * BLOCK, 2 * BLOCK)) {
      throw new IOException(
          "%s: a tar that was cut off (its last 1,024 bytes are not the end mark); fetch it again"
              .formatted(name));
    }
  }

  private boolean isZero(long at, int bytes) throws IOException {
    byte[] block = new byte[bytes];
    boolean zero = at + bytes <= end && fill(file, at, block);
    for (byte b : block) {
      zero &= b == 0;
    }
    return zero;
  }

  private IOException damaged(long at, String what) {
    return new IOException(
        "%s: damaged tar at byte %d (%s); fetch it again".formatted(name, at, what));
  }

  private static boolean fill(FileChannel file, long at, byte[] into) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(into);
    while (buffer.hasRemaining()) {
      if (file.read(buffer, at + buffer.position()) < 0) {
        return false;
      }
    }
    return true;
  }

  /// The tar as a stream that jumps over contents.
  private final class Headers extends InputStream {
    private long cursor;
    private int budget;

    Headers(long begin) {
      this.cursor = begin;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int wanted = (int) Math.min(length, end - cursor);
      if (wanted <= 0) {
        return length == 0 ? 0 : -1;
      }
      budget -= wanted;
      if (budget < 0) {
        throw new IOException(
            "a name or an extended header of over %d bytes".formatted(MAX_HEADERS));
      }
      int got = file.read(ByteBuffer.wrap(into, offset, wanted), cursor);
      cursor += Math.max(0, got);
      return got;
    }

    @Override
    public long skip(long bytes) {
      long skipped = Math.clamp(bytes, 0, end - cursor);
      cursor += skipped;
      return skipped;
    }
  }
}
