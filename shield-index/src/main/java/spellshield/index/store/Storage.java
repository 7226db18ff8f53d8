package spellshield.index.store;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.regex.Pattern;

/// The only thing in this project that touches the disk for a protected set.
///
/// A flat folder of files that are written front to back, with sub-folders one level deep. It
/// promises what a POSIX file system does and no more: bytes survive a crash after [Output#sync],
/// names (created, renamed, deleted) after [#syncFolder]. Because everything goes through here, a
/// test can play a full disk, a lost write or a power cut at every single call.
///
/// A name is `[a-z0-9][a-z0-9._-]*`, at most 100 characters, optionally followed by one `/` and
/// `[A-Za-z0-9_][A-Za-z0-9._-]*`, which Lucene's names fit into. Other names are refused with
/// `IllegalArgumentException`, so that a manifest from a stranger cannot point out of the folder.
public interface Storage {

  /// Returns the names of all files, sorted, `folder/name` for those in sub-folders; an empty
  /// sub-folder appears as `folder/`. Files that are not ours appear too, whatever their name.
  ///
  /// @throws java.nio.file.NoSuchFileException if the folder itself does not exist
  List<String> list() throws IOException;

  /// Returns the length of a file in bytes.
  long length(String name) throws IOException;

  /// Opens a file for reading from its beginning.
  InputStream open(String name) throws IOException;

  /// Maps a whole file, read-only, until the arena is closed.
  MemorySegment map(String name, Arena arena) throws IOException;

  /// Creates a file, and its sub-folder where needed; never touches a file that exists.
  Output create(String name) throws IOException;

  /// Opens a file to write on from a length, and cuts off what stands behind it.
  ///
  /// @throws java.nio.file.NoSuchFileException if it does not exist
  /// @throws IOException also if it is shorter
  Output append(String name, long length) throws IOException;

  /// Gives a file another name in one atomic step; a file that had that name is gone.
  void rename(String from, String to) throws IOException;

  /// Deletes a file, and its sub-folder with the last file in it; `folder/` deletes an empty
  /// sub-folder.
  void delete(String name) throws IOException;

  /// Makes the names in a folder durable; `""` is the folder of the set itself.
  void syncFolder(String folder) throws IOException;

  /// Takes the writer's lock, creating the folder where needed, and keeps it until it is closed or
  /// the process ends.
  ///
  /// @throws IOException also if another writer, in this process or another, holds it
  Closeable lock() throws IOException;

  /// A file that is being written, from its beginning to its end.
  interface Output extends Closeable {
    /// Writes some of the remaining bytes and returns how many: on a full disk fewer than asked
    /// for, without an exception. So call it in a loop.
    int write(ByteBuffer bytes) throws IOException;

    /// Makes all bytes written so far durable.
    void sync() throws IOException;
  }

  /// Returns `name` if it is a name that a storage accepts.
  ///
  /// @throws IllegalArgumentException if it is not
  static String requireName(String name) {
    if (name.length() > 100 || !Names.NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "a file of a protected set is named like 'sketch.000001' or 'hnsw.000001/_0.cfs', at most"
              + " 100 characters, but the name was '%s'".formatted(name));
    }
    return name;
  }

  /// Holds the pattern, because an interface has no private constants.
  final class Names {
    private static final Pattern NAME =
        Pattern.compile("[a-z0-9][a-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)?");

    private Names() {}
  }
}
