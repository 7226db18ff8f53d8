package spellshield.index.store;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A folder on a real disk.
///
/// The writer's lock is an operating-system lock on the file `lock`: the kernel frees it when the
/// process ends, however it ends, so there is no stale lock to clear away.
public final class DiskStorage implements Storage {
  private static final boolean WINDOWS = System.getProperty("os.name", "").startsWith("Windows");

  private final Path folder;

  private DiskStorage(Path folder) {
    this.folder = folder;
  }

  /// Returns the storage in a folder, which need not exist yet; nothing is touched.
  public static DiskStorage at(Path folder) {
    return new DiskStorage(folder.toAbsolutePath().normalize());
  }

  @Override
  public List<String> list() throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new NoSuchFileException(folder.toString(), null, "is not a folder");
    }
    List<String> names = new ArrayList<>();
    for (Path path : children(folder)) {
      if (!Files.isDirectory(path)) {
        names.add(name(path));
        continue;
      }
      List<Path> inside = children(path);
      if (inside.isEmpty()) {
        names.add(name(path) + "/");
      }
      inside.forEach(file -> names.add(name(path) + "/" + name(file)));
    }
    names.sort(null);
    return names;
  }

  @Override
  public long length(String name) throws IOException {
    return Files.size(path(name));
  }

  @Override
  public InputStream open(String name) throws IOException {
    return Files.newInputStream(path(name));
  }

  @Override
  public MemorySegment map(String name, Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(path(name), StandardOpenOption.READ)) {
      return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
    }
  }

  @Override
  public Output create(String name) throws IOException {
    Path path = path(name);
    if (name.contains("/")) {
      Files.createDirectories(parent(path));
    }
    FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    return output(channel);
  }

  @Override
  public Output append(String name, long length) throws IOException {
    FileChannel channel = FileChannel.open(path(name), StandardOpenOption.WRITE);
    boolean ready = false;
    try {
      if (channel.size() < length) {
        throw new IOException(
            "%s: has %d bytes, fewer than the %d to write on from"
                .formatted(path(name), channel.size(), length));
      }
      channel.truncate(length).position(length);
      ready = true;
    } finally {
      if (!ready) {
        channel.close();
      }
    }
    return output(channel);
  }

  private static Output output(FileChannel channel) {
    return new Output() {
      @Override
      public int write(ByteBuffer bytes) throws IOException {
        return channel.write(bytes);
      }

      @Override
      public void sync() throws IOException {
        channel.force(true);
      }

      @Override
      public void close() throws IOException {
        channel.close();
      }
    };
  }

  @Override
  public void rename(String from, String to) throws IOException {
    Files.move(path(from), path(to), StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void delete(String name) throws IOException {
    if (name.endsWith("/")) {
      Files.delete(path(name.substring(0, name.length() - 1)));
      return;
    }
    Path path = path(name);
    Files.delete(path);
    if (name.contains("/")) {
      try {
        Files.delete(parent(path));
      } catch (DirectoryNotEmptyException e) {
        // other files of that folder are still there; the last one takes it along
      }
    }
  }

  @Override
  public void syncFolder(String name) throws IOException {
    sync(name.isEmpty() ? folder : path(name));
  }

  @Override
  public Closeable lock() throws IOException {
    createFolder();
    FileChannel channel =
        FileChannel.open(
            folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = null;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      // held by this process: the same answer as if another one held it
    } finally {
      if (lock == null) {
        channel.close();
      }
    }
    if (lock == null) {
      throw new IOException(
          "%s: another build is writing to this set; wait for it to end".formatted(folder));
    }
    return channel;
  }

  /// Returns the folder's path, the place that messages name.
  @Override
  public String toString() {
    return folder.toString();
  }

  private void createFolder() throws IOException {
    List<Path> missing = new ArrayList<>();
    for (Path path = folder; path != null && !Files.exists(path); path = path.getParent()) {
      missing.add(path);
    }
    Files.createDirectories(folder);
    for (Path path : missing) {
      sync(parent(path)); // a set that was acknowledged must not vanish with its folder
    }
  }

  private static void sync(Path directory) throws IOException {
    if (WINDOWS) {
      return; // folders cannot be opened there, and NTFS journals names itself
    }
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private Path path(String name) {
    return folder.resolve(Storage.requireName(name));
  }

  private Path parent(Path path) {
    @Nullable Path parent = path.getParent();
    return parent == null ? folder : parent;
  }

  private static List<Path> children(Path directory) throws IOException {
    try (Stream<Path> paths = Files.list(directory)) {
      return paths.toList();
    }
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }
}
