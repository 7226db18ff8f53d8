package spellshield.tools.source;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipException;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.jspecify.annotations.Nullable;

/// The members of a tar, in order: one that is a file, gzipped or not, or one that is a member of
/// another.
///
/// Only headers are read; contents are read when they are asked for, by their place in the file,
/// or, of a gzipped one, before the next member is. What a header says is checked before it is
/// believed: its checksum, that the member ends before the tar does, and that names and extended
/// headers take at most [#MAX_HEADERS]. A tar has to end with its end mark (two blocks of zeros):
/// without it, it was cut off. That is looked for before anything else, or, in a gzipped one, in
/// the end.
final class TarMembers {
  private static final int BLOCK = TarConstants.DEFAULT_RCDSIZE;

  /// Headers of one member are not read further than this, in bytes.
  static final int MAX_HEADERS = 1 << 20;

  /// An end that is not known yet: far enough, and never near an overflow.
  private static final long UNKNOWN = 1L << 60;

  private final TarBytes bytes;
  private final String name;
  private final long begin;
  private long end;
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

  private TarMembers(TarBytes bytes, String name, long begin, long end) throws IOException {
    this.bytes = bytes;
    this.name = name;
    this.begin = begin;
    this.end = end;
    this.next = begin;
    this.headers = new Headers(begin);
    if (bytes.seeks()) {
      requireEndMark();
    }
  }

  /// Begins a tar that is no member of another.
  ///
  /// @param name what the user calls it, for messages
  /// @throws IOException if it was cut off, as far as that is known
  static TarMembers of(TarBytes bytes, String name) throws IOException {
    return new TarMembers(bytes, name, 0, bytes.seeks() ? bytes.length() : UNKNOWN);
  }

  /// Returns the bytes of some tars; what cannot be measured counts for nothing.
  static long bytes(List<Path> tars) {
    return tars.stream().mapToLong(tar -> tar.toFile().length()).sum();
  }

  /// Refuses tars of which one was cut off; their ends are read, and nothing else. Of gzipped ones
  /// it is known when they have been read.
  static void requireWhole(List<Path> tars) throws IOException {
    for (Path tar : tars) {
      try (TarBytes bytes = TarBytes.open(tar)) {
        of(bytes, tar.toString());
      } catch (ZipException e) {
        throw new IOException("%s: %s; fetch it again".formatted(tar, e.getMessage()), e);
      }
    }
  }

  /// Begins a tar that is a member of this one.
  TarMembers inside(Member member, String called) throws IOException {
    return new TarMembers(bytes, called, member.begin(), member.begin() + member.size());
  }

  /// Says whether a file is a tar, gzipped or not, by its beginning.
  static boolean sniff(Path file) throws IOException {
    try (TarBytes bytes = TarBytes.open(file)) {
      byte[] block = new byte[BLOCK];
      return fill(bytes, 0, block) && isHeader(block);
    } catch (ZipException e) {
      return false; // what is wrong is said when it is read
    }
  }

  private static boolean isHeader(byte[] block) {
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
    } catch (ZipException e) {
      throw packedDamaged(at, e);
    } catch (IOException | RuntimeException e) { // it throws anything at damaged headers
      throw damaged(at, Reason.of(e));
    }
    if (entry == null) {
      if (!isZero(at, BLOCK)) {
        throw damaged(at, "it ends without an end mark");
      }
      if (!bytes.seeks()) {
        requireEnd(at);
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
    if (!fill(member.begin(), content)) {
      throw new EOFException(name + ": the file became shorter while it was read");
    }
    return content;
  }

  /// Says whether a member begins as a tar does.
  boolean isTar(Member member) throws IOException {
    byte[] block = new byte[BLOCK];
    return member.size() % BLOCK == 0
        && member.size() >= 2 * BLOCK
        && fill(member.begin(), block)
        && isHeader(block);
  }

  /// Reads what is left of a tar that cannot seek.
  private void requireEnd(long at) throws IOException {
    try {
      end = end == UNKNOWN ? bytes.length() : end;
    } catch (ZipException e) {
      throw packedDamaged(at, e);
    }
    requireEndMark();
  }

  private void requireEndMark() throws IOException {
    long length = end - begin;
    if (length % BLOCK != 0 || length < 2 * BLOCK || !isZero(end - 2 * BLOCK, 2 * BLOCK)) {
      throw new IOException(
          "%s: a tar that was cut off (its last 1,024 bytes are not the end mark); fetch it again"
              .formatted(name));
    }
  }

  private boolean isZero(long at, int count) throws IOException {
    byte[] block = new byte[count];
    boolean zero = at + count <= end && fill(at, block);
    for (byte b : block) {
      zero &= b == 0;
    }
    return zero;
  }

  private IOException damaged(long at, String what) {
    return new IOException(
        "%s: damaged tar at byte %d (%s); fetch it again".formatted(name, at, what));
  }

  /// Damage that no member is at fault for, and none behind it can be read.
  private ZipException packedDamaged(long at, ZipException e) {
    ZipException named = new ZipException(damaged(at, String.valueOf(e.getMessage())).getMessage());
    named.initCause(e);
    return named;
  }

  private boolean fill(long at, byte[] into) throws IOException {
    try {
      return fill(bytes, at, into);
    } catch (ZipException e) {
      throw packedDamaged(at, e);
    }
  }

  private static boolean fill(TarBytes bytes, long at, byte[] into) throws IOException {
    int filled = 0;
    while (filled < into.length) {
      int count = bytes.read(at + filled, into, filled, into.length - filled);
      if (count < 0) {
        return false;
      }
      filled += count;
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
      int got = bytes.read(cursor, into, offset, wanted);
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
