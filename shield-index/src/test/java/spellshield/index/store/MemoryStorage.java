package spellshield.index.store;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A folder in memory that also writes down every change that is made to it, for [CrashedDisk].
final class MemoryStorage implements Storage {
  final SortedMap<String, byte[]> files;
  final List<Change> changes = new ArrayList<>();
  private final Map<String, Integer> inodes = new HashMap<>();
  private int nextInode;
  private boolean locked;

  /// One thing that was done to the folder; a file is known by a number, whatever its name.
  sealed interface Change {
    record Create(int inode, String name) implements Change {}

    record Write(int inode, byte[] bytes) implements Change {}

    record Cut(int inode, int length) implements Change {}

    record Sync(int inode) implements Change {}

    record Rename(String from, String to) implements Change {}

    record Delete(String name) implements Change {}

    record SyncFolder(String folder) implements Change {}

    /// The commit has returned to its caller; the set has this SHA-256.
    record Acknowledged(String sha256) implements Change {}
  }

  MemoryStorage() {
    this(new TreeMap<>());
  }

  MemoryStorage(SortedMap<String, byte[]> files) {
    this.files = files;
    files.keySet().forEach(name -> inodes.put(name, nextInode++));
  }

  @Override
  public List<String> list() {
    return List.copyOf(files.keySet());
  }

  @Override
  public long length(String name) throws IOException {
    return bytes(name).length;
  }

  @Override
  public InputStream open(String name) throws IOException {
    return new ByteArrayInputStream(bytes(name));
  }

  @Override
  public MemorySegment map(String name, Arena arena) throws IOException {
    byte[] bytes = bytes(name);
    MemorySegment copy = arena.allocate(Math.max(1, bytes.length)).asSlice(0, bytes.length);
    copy.copyFrom(MemorySegment.ofArray(bytes));
    return copy.asReadOnly();
  }

  @Override
  public Output create(String name) throws IOException {
    if (files.containsKey(Storage.requireName(name))) {
      throw new FileAlreadyExistsException(name);
    }
    int inode = nextInode++;
    inodes.put(name, inode);
    changes.add(new Change.Create(inode, name));
    files.put(name, new byte[0]);
    return output(name, inode, new byte[0]);
  }

  @Override
  public Output append(String name, long length) throws IOException {
    byte[] bytes = bytes(name);
    if (bytes.length < length) {
      throw new IOException(name + ": has only " + bytes.length + " bytes");
    }
    byte[] left = Arrays.copyOf(bytes, (int) length);
    files.replace(name, left);
    Integer inode = Objects.requireNonNull(inodes.get(name));
    changes.add(new Change.Cut(inode, left.length));
    return output(name, inode, left);
  }

  private Output output(String name, int inode, byte[] soFar) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(soFar);
    return new Output() {
      @Override
      public int write(ByteBuffer bytes) {
        byte[] part = new byte[bytes.remaining()];
        bytes.get(part);
        all.writeBytes(part);
        files.replace(name, all.toByteArray());
        changes.add(new Change.Write(inode, part));
        return part.length;
      }

      @Override
      public void sync() {
        changes.add(new Change.Sync(inode));
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void rename(String from, String to) throws IOException {
    byte[] bytes = bytes(from);
    files.remove(from);
    files.put(Storage.requireName(to), bytes);
    inodes.put(to, Objects.requireNonNull(inodes.remove(from)));
    changes.add(new Change.Rename(from, to));
  }

  @Override
  public void delete(String name) throws IOException {
    bytes(name);
    files.remove(name);
    changes.add(new Change.Delete(name));
  }

  @Override
  public void syncFolder(String folder) {
    changes.add(new Change.SyncFolder(folder));
  }

  @Override
  public Closeable lock() throws IOException {
    if (locked) {
      throw new IOException("another build is writing to this set");
    }
    locked = true;
    return () -> locked = false;
  }

  void acknowledge(Manifest manifest) {
    changes.add(new Change.Acknowledged(manifest.sha256()));
  }

  /// Frees the lock, as the kernel does when the process that held it is killed.
  void kill() {
    locked = false;
  }

  @Override
  public String toString() {
    return "memory";
  }

  private byte[] bytes(String name) throws IOException {
    byte @Nullable [] bytes = files.get(Storage.requireName(name));
    if (bytes == null) {
      throw new NoSuchFileException(name);
    }
    return bytes;
  }
}
