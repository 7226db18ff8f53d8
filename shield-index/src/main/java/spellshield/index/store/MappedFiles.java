package spellshield.index.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The mapped files of one opened generation, and the two accidents that mapped memory has.
///
/// *The file was cut*: touching a page that is gone is an `InternalError` where the JVM can turn
/// the signal into one, which holds for `MemorySegment.copy` but neither for vector loads nor for
/// CRC32C on the mapping (measured on JDK 25). So the bytes leave through [#copy] and nothing else.
///
/// *The mapping was closed under a reader*: the JDK means to answer with an exception, but on JDK
/// 25 closing a shared arena under compiled readers has crashed the JVM. So readers are counted in
/// and out, and the arena is closed only when none is inside. Two counters, because readers on many
/// cores must not share one cache line: a reader counts itself in, then looks at `closed`; `close`
/// sets `closed`, then waits until as many have left as had entered. Reading `left` before
/// `entered` makes equality mean that nobody is inside.
final class MappedFiles implements AutoCloseable {
  private static final long PAUSE_NANOS = 20_000; // some ten rows

  private final Storage storage;
  private final Arena arena = Arena.ofShared();
  private final LongAdder entered = new LongAdder();
  private final LongAdder left = new LongAdder();
  private volatile boolean closed;
  private volatile @Nullable DamagedSetException damage;

  MappedFiles(Storage storage) {
    this.storage = storage;
  }

  /// Maps a file and checks its length and header.
  ///
  /// @throws DamagedSetException if one of them is not what the manifest says
  MemorySegment map(FileEntry file, FileHeader header) throws IOException {
    MemorySegment segment;
    try {
      segment = storage.map(file.name(), arena);
    } catch (NoSuchFileException e) {
      throw new DamagedSetException(file.name(), "is missing", e);
    }
    file.compareLength(segment.byteSize());
    if (segment.byteSize() < FileHeader.BYTES) {
      throw new DamagedSetException(
          file.name(), "has %d bytes, too few for a header".formatted(segment.byteSize()));
    }
    byte[] start = new byte[FileHeader.BYTES];
    read(
        file.name(),
        () -> {
          copy(segment, 0, start);
          header.requireAt(file.name(), start);
          return file;
        });
    return segment;
  }

  /// Fills `into` with the bytes from `offset`; only within [#read].
  static void copy(MemorySegment segment, long offset, byte[] into) {
    MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, offset, into, 0, into.length);
  }

  /// Runs a short read of mapped memory.
  ///
  /// @throws IllegalStateException if the files are closed
  /// @throws DamagedSetException if the file was cut; from then on for every read
  <T> T read(String name, Supplier<T> read) {
    entered.increment();
    try {
      requireOpen();
      DamagedSetException earlier = damage;
      if (earlier != null) {
        throw earlier.again();
      }
      return read.get();
    } catch (InternalError e) {
      DamagedSetException gone =
          new DamagedSetException(name, "was cut or replaced while it was in use", e);
      damage = gone;
      throw gone;
    } finally {
      left.increment();
    }
  }

  /// Returns while the files are open.
  ///
  /// @throws IllegalStateException if they are closed
  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the protected set in %s is closed".formatted(storage));
    }
  }

  /// Lets nobody in any more, waits for the reads under way, and unmaps.
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    while (left.sum() != entered.sum()) { // evaluated in this order
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    arena.close();
  }
}
