package spellshield.index.store;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/// A file in which a writer keeps for a while what would fill the heap: written front to back, then
/// mapped, deleted when it is closed.
///
/// No manifest names it and nothing makes it durable. What a killed writer leaves of it the next
/// one clears away.
///
/// One thread may write; any number may read what [#map] returned, until the file is closed.
public final class ScratchFile implements Closeable {
  private final Storage storage;
  private final String name;
  private final Arena arena = Arena.ofShared();
  private final Storage.Output out;

  ScratchFile(Storage storage, String name) throws IOException {
    this.storage = storage;
    this.name = name;
    this.out = storage.create(name);
  }

  /// Appends all remaining bytes.
  ///
  /// @throws IOException if the disk is full
  public void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      if (out.write(bytes) <= 0) {
        throw new IOException(
            "%s: the disk has no room for the %d bytes that the build keeps there for a while"
                .formatted(name, bytes.remaining()));
      }
    }
  }

  /// Ends the writing and maps all that was written, until this file is closed.
  public MemorySegment map() throws IOException {
    out.close();
    return storage.map(name, arena);
  }

  @Override
  public void close() throws IOException {
    arena.close(); // first: some systems delete no file that is mapped, or open
    try {
      out.close();
    } finally {
      storage.delete(name);
    }
  }
}
