package spellshield.index.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.List;

/// The latents of a set, read on demand.
///
/// Rows lie in mapped memory; each read copies one row to the heap, checks its CRC32C there and
/// only then uses it. So a file that is changed or cut under a running program costs a
/// [DamagedSetException], not a wrong distance and not the JVM.
///
/// Any number of threads may read; one may close meanwhile.
public final class LatentStore implements LatentReader, AutoCloseable {
  private final Manifest manifest;
  private final RowFormat rows;
  private final MappedFiles mapped;
  private final List<FileEntry> shardFiles;
  private final MemorySegment[] shards;
  private final long[] firsts; // the number of the first item of each shard
  private final FileEntry itemFile;
  private final MemorySegment items;
  private final long offsetTable;
  private final ThreadLocal<byte[]> buffers;

  private LatentStore(Storage storage, Manifest manifest, Verification verification)
      throws IOException {
    this.mapped = new MappedFiles(storage);
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
        shards[i] =
            mapped.map(shardFiles.get(i), FileHeader.ofShard(manifest.generation(), rows, first));
        first += shardFiles.get(i).count();
      }
      items = mapped.map(itemFile, FileHeader.ofItems(manifest.generation()));
      offsetTable = items.byteSize() - 8 * manifest.count();
      if (offsetTable < FileHeader.BYTES) {
        throw new DamagedSetException(
            itemFile.name(), "is too short for %d items".formatted(manifest.count()));
      }
      opened = true;
    } finally {
      if (!opened) {
        mapped.close();
      }
    }
  }

  /// Opens the newest generation of a folder.
  ///
  /// A build that commits meanwhile is no error: then the generation it made is opened. A layer
  /// that opens further files beside this store does both within [Manifest#openNewest].
  ///
  /// @throws NoSuchFileException if there is no set
  /// @throws DamagedSetException if the newest generation does not verify
  public static LatentStore open(Storage storage, Verification verification) throws IOException {
    return Manifest.openNewest(storage, manifest -> open(storage, manifest, verification));
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
  /// @param into its first D places are filled; float16 is widened
  /// @return an upper bound of the distance between these values and the latent that was added; 0
  ///   for float32
  /// @throws DamagedSetException if the row is not what was written
  /// @throws IllegalStateException if the store is closed
  @Override
  public double read(long item, float[] into) {
    if (into.length < rows.dim()) {
      throw new IllegalArgumentException(
          "a latent has %d values, but the array only %d".formatted(rows.dim(), into.length));
    }
    requireItem(item);
    int found = Arrays.binarySearch(firsts, item);
    int shard = found >= 0 ? lastWithFirst(found) : -found - 2;
    String name = shardFiles.get(shard).name();
    return mapped.read(
        name,
        () -> {
          byte[] row = buffers.get();
          MappedFiles.copy(shards[shard], rows.offset(item - firsts[shard]), row);
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
    return mapped.read(itemFile.name(), () -> record(item));
  }

  @Override
  public void requireOpen() {
    mapped.requireOpen();
  }

  /// Ends all reading: waits for the reads under way; later ones answer [IllegalStateException].
  @Override
  public void close() {
    mapped.close();
  }

  private Item record(long item) {
    String place = "the record of item %d ".formatted(item);
    byte[] number = new byte[8];
    MappedFiles.copy(items, offsetTable + 8 * item, number);
    long at = ByteBuffer.wrap(number).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (at < FileHeader.BYTES || at > offsetTable - 8) {
      throw new DamagedSetException(itemFile.name(), place + "would begin at byte " + at);
    }
    MappedFiles.copy(items, at, number);
    int body = ByteBuffer.wrap(number).order(ByteOrder.LITTLE_ENDIAN).getInt();
    if (body < 0 || body > ItemRecord.MAX_BODY || at + 8 + body > offsetTable) {
      throw new DamagedSetException(itemFile.name(), place + "would have %d bytes".formatted(body));
    }
    byte[] bytes = new byte[4 + body + 4];
    MappedFiles.copy(items, at, bytes);
    try {
      return ItemRecord.decode(item, bytes);
    } catch (IllegalArgumentException e) {
      throw new DamagedSetException(itemFile.name(), place + e.getMessage(), e);
    }
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
