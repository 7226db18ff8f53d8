package spellshield.index.store;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/// Hands every call on to another storage; tests override what they want to go wrong.
class FilterStorage implements Storage {
  private final Storage base;

  FilterStorage(Storage base) {
    this.base = base;
  }

  @Override
  public List<String> list() throws IOException {
    return base.list();
  }

  @Override
  public long length(String name) throws IOException {
    return base.length(name);
  }

  @Override
  public InputStream open(String name) throws IOException {
    return base.open(name);
  }

  @Override
  public MemorySegment map(String name, Arena arena) throws IOException {
    return base.map(name, arena);
  }

  @Override
  public Output create(String name) throws IOException {
    return base.create(name);
  }

  @Override
  public Output append(String name, long length) throws IOException {
    return base.append(name, length);
  }

  @Override
  public void rename(String from, String to) throws IOException {
    base.rename(from, to);
  }

  @Override
  public void delete(String name) throws IOException {
    base.delete(name);
  }

  @Override
  public void syncFolder(String folder) throws IOException {
    base.syncFolder(folder);
  }

  @Override
  public Closeable lock() throws IOException {
    return base.lock();
  }

  @Override
  public String toString() {
    return base.toString();
  }

  /// Hands every call on to another output.
  static class FilterOutput implements Output {
    private final Output base;

    FilterOutput(Output base) {
      this.base = base;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      return base.write(bytes);
    }

    @Override
    public void sync() throws IOException {
      base.sync();
    }

    @Override
    public void close() throws IOException {
      base.close();
    }
  }
}
