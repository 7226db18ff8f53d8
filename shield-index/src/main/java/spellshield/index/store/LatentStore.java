package spellshield.index.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The latents of a set, read on demand.
///
/// Rows lie in mapped memory; each read copies one row to the heap, checks its CRC32C there and
/// only then uses it. So a file that is changed or cut under a running program costs a
/// [DamagedSetException], not a wrong distance and not the JVM.
///
/// Any number of threads may read; one may close meanwhile.
public final class LatentStore implements LatentReader, AutoCloseable {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Storage storage;
  private final Manifest manifest;
  private final RowFormat rows;
  private final Arena arena = Arena.ofShared();
  private final List<FileEntry> shardFiles;
  private final MemorySegment[] shards;
  private final long[] firsts; // the number of the first item of each shard
  private final FileEntry itemFile;
  private final MemorySegment items;
  private final long offsetTable;
  private final ThreadLocal<byte[]> buffers;
  private volatile boolean closed;
  private volatile @Nullable DamagedSetException damage;

  private LatentStore(Storage storage, Manifest manifest, Verification verification)
      throws IOException {
    this.storage = storage;
    this.manifest = manifest;
    this.rows = manifest.rows();
    this.buffers = ThreadLocal.withInitial(() -> new byte[rows.bytes()]);
    this.shardFiles = manifest.files(Manifest.LATENTS);
    this.shards = new MemorySegment[shardFiles.size()];
    this.firsts = new long[shardFiles.size()];
    this.itemFile = manifest.files(Manifest.ITEMS).getFirst();
    boolean opened = false;
    try {
      for (FileEntry file : manifest.files()) {
        switch (verification) {
          case FULL -> file.verify(storage);
          case ON_USE -> file.requireLength(storage);
        }
      }
      long first = 0;
      for (int i = 0; i < shards.length; i++) {
        firsts[i] = first;
        shards[i] = map(shardFiles.get(i), FileHeader.ofShard(manifest.generation(), rows, first));
        first += shardFiles.get(i).count();
      }
      items = map(itemFile, FileHeader.ofItems(manifest.generation()));
      offsetTable = items.byteSize() - 8 * manifest.count();
      if (offsetTable < FileHeader.BYTES) {
        throw new DamagedSetException(
            itemFile.name(), "is too short for %d items".formatted(manifest.count()));
      }
      opened = true;
    } finally {
      if (!opened) {
        arena.close();
      }
    }
  }

  /// Opens the newest generation of a folder.
  ///
  /// A build that commits and sweeps meanwhile is no error: then the generation it made is opened.
  ///
  /// @throws NoSuchFileException if there is no set
  /// @throws DamagedSetException if the newest generation does not verify
  public static LatentStore open(Storage storage, Verification verification) throws IOException {
    Manifest manifest = Manifest.newest(storage);
    while (true) {
      try {
        return open(storage, manifest, verification);
      } catch (DamagedSetException e) {
        Manifest newest = Manifest.newest(storage);
        if (newest.generation() <= manifest.generation()) {
          throw e;
        }
        manifest = newest;
      }
    }
  }

  /// Opens the generation of a manifest.
  ///
  /// @throws DamagedSetException if one of its files does not verify
  public static LatentStore open(Storage storage, Manifest manifest, Verification verification)
      throws IOException {
    return new LatentStore(storage, manifest, verification);
  }

  /// Returns the manifest; that of a store from [SetWriter#latents] lists the latents only.
  public Manifest manifest() {
    return manifest;
  }

  /// Returns the number of items.
  @Override
  public long count() {
    return manifest.count();
  }

  /// Returns D.
  @Override
  public int dim() {
    return rows.dim();
  }

  /// Reads one latent.
  ///
  /// @param item its number, from 0
  /// @param into filled with the D values; float16 is widened
  /// @return an upper bound of the distance between these values and the latent that was added; 0
  ///   for float32
  /// @throws DamagedSetException if the row is not what was written
  /// @throws IllegalStateException if the store is closed
  @Override
  public double read(long item, float[] into) {
    if (into.length != rows.dim()) {
      throw new IllegalArgumentException(
          "a latent has %d values, but the array %d".formatted(rows.dim(), into.length));
    }
    requireItem(item);
    int found = Arrays.binarySearch(firsts, item);
    int shard = found >= 0 ? lastWithFirst(found) : -found - 2;
    String name = shardFiles.get(shard).name();
    return guarded(
        name,
        () -> {
          byte[] row = buffers.get();
          MemorySegment.copy(
              shards[shard],
              ValueLayout.JAVA_BYTE,
              rows.offset(item - firsts[shard]),
              row,
              0,
              row.length);
          if (!rows.isIntact(item, row)) {
            throw new DamagedSetException(
                name, "the row of item %d does not have its checksum".formatted(item));
          }
          double error = rows.decode(row, into);
          if (!(error >= 0 && error < Double.POSITIVE_INFINITY)) {
            throw new DamagedSetException(name, "item %d is not finite".formatted(item));
          }
          return error;
        });
  }

  /// Reads what a latent belongs to.
  ///
  /// @param item its number, from 0
  /// @throws DamagedSetException if the record is not what was written
  /// @throws IllegalStateException if the store is closed
  public Item item(long item) {
    requireItem(item);
    return guarded(itemFile.name(), () -> record(item));
  }

  @Override
  public void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the protected set in %s is closed".formatted(storage));
    }
  }

  /// Ends all reading; later and concurrent calls answer [IllegalStateException].
  @Override
  public void close() {
    synchronized (arena) {
      if (!closed) {
        closed = true;
        arena.close();
      }
    }
  }

  private Item record(long item) {
    long at = items.get(LONG, offsetTable + 8 * item);
    String place = "the record of item %d ".formatted(item);
    if (at < FileHeader.BYTES || at > offsetTable - 8) {
      throw new DamagedSetException(itemFile.name(), place + "would begin at byte " + at);
    }
    int body = items.get(INT, at);
    if (body < 0 || body > ItemRecord.MAX_BODY || at + 8 + body > offsetTable) {
      throw new DamagedSetException(itemFile.name(), place + "would have %d bytes".formatted(body));
    }
    byte[] bytes = new byte[4 + body + 4];
    MemorySegment.copy(items, ValueLayout.JAVA_BYTE, at, bytes, 0, bytes.length);
    try {
      return ItemRecord.decode(item, bytes);
    } catch (IllegalArgumentException e) {
      throw new DamagedSetException(itemFile.name(), place + e.getMessage(), e);
    }
  }

  /// Runs a read of mapped memory and gives its two accidents their names.
  private <T> T guarded(String name, Supplier<T> read) {
    DamagedSetException earlier = damage;
    if (earlier != null) {
      throw earlier.again();
    }
    try {
      return read.get();
    } catch (IllegalStateException e) { // the arena was closed before or under us
      throw new IllegalStateException("the protected set in %s is closed".formatted(storage), e);
    } catch (InternalError e) { // a page of the mapping is gone
      DamagedSetException gone =
          new DamagedSetException(name, "was cut or replaced while it was in use", e);
      damage = gone;
      throw gone;
    }
  }

  private MemorySegment map(FileEntry file, FileHeader header) throws IOException {
    MemorySegment segment;
    try {
      segment = storage.map(file.name(), arena);
    } catch (NoSuchFileException e) {
      throw new DamagedSetException(file.name(), "is missing", e);
    }
    file.compareLength(segment.byteSize());
    byte[] start = new byte[FileHeader.BYTES];
    if (segment.byteSize() < start.length) {
      throw new DamagedSetException(
          file.name(), "has %d bytes, too few for a header".formatted(segment.byteSize()));
    }
    try {
      MemorySegment.copy(segment, ValueLayout.JAVA_BYTE, 0, start, 0, start.length);
    } catch (InternalError e) {
      throw new DamagedSetException(file.name(), "was cut while it was opened", e);
    }
    header.requireAt(file.name(), start);
    return segment;
  }

  /// Steps over empty shards, which this code never writes but the format allows.
  private int lastWithFirst(int shard) {
    int last = shard;
    while (last + 1 < firsts.length && firsts[last + 1] == firsts[last]) {
      last++;
    }
    return last;
  }

  private void requireItem(long item) {
    if (item < 0 || item >= manifest.count()) {
      throw new IndexOutOfBoundsException(
          "item must be from 0 to %d, but was %d".formatted(manifest.count() - 1, item));
    }
  }
}
