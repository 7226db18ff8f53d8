package spellshield.index.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Set;

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
  private final FileRun shards;
  private final FileRun tables;
  private final LivingItems living;
  private final SharedNames names;
  private final RadiusScales radiusScales;
  private final ThreadLocal<byte[]> buffers;

  private LatentStore(
      Storage storage, Manifest manifest, Verification verification, Set<FileEntry> verified)
      throws IOException {
    this.mapped = new MappedFiles(storage);
    this.manifest = manifest;
    this.rows = manifest.rows();
    this.buffers = ThreadLocal.withInitial(() -> new byte[rows.bytes()]);
    this.shards = new FileRun(manifest.files(Manifest.LATENTS));
    this.tables = new FileRun(manifest.files(Manifest.ITEMS));
    boolean opened = false;
    try {
      for (FileEntry file : manifest.files()) {
        if (verification == Verification.FULL && !verified.contains(file)) {
          file.verify(storage);
        } else {
          file.requireLength(storage);
        }
      }
      for (int i = 0; i < shards.size(); i++) {
        FileEntry file = shards.file(i);
        shards.set(i, mapped.map(file, FileHeader.ofShard(file.owner(), rows, shards.first(i))));
      }
      for (int i = 0; i < tables.size(); i++) {
        FileEntry file = tables.file(i);
        tables.set(i, mapped.map(file, FileHeader.ofItems(file.owner(), tables.first(i))));
        if (offsetTable(i) < FileHeader.BYTES) {
          throw new DamagedSetException(
              file.name(), "is too short for %d items".formatted(file.count()));
        }
      }
      living = readLiving(storage, manifest);
      names = readNames(storage, manifest);
      radiusScales = RadiusScales.read(storage, manifest);
      opened = true;
    } finally {
      if (!opened) {
        mapped.close();
      }
    }
  }

  private static LivingItems readLiving(Storage storage, Manifest manifest) throws IOException {
    LivingItems living = LivingItems.all(manifest.count());
    for (FileEntry file : manifest.files(Manifest.REMOVED)) { // one at most
      living = LivingItems.parse(file, file.read(storage), file.owner(), manifest.count());
    }
    return living;
  }

  static SharedNames readNames(Storage storage, Manifest manifest) throws IOException {
    SharedNames names = new SharedNames();
    for (FileEntry file : manifest.files(Manifest.NAMES)) {
      names.follow(file, file.readPrefix(storage), manifest.count());
    }
    return names;
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
    return new LatentStore(storage, manifest, verification, Set.of());
  }

  /// Opens the generation of a manifest that came after this one; the files that both have are not
  /// verified again.
  public LatentStore openNewer(Storage storage, Manifest newer, Verification verification)
      throws IOException {
    return new LatentStore(storage, newer, verification, Set.copyOf(manifest.files()));
  }

  /// Returns the manifest; that of a store from [SetWriter#latents] lists the latents only.
  public Manifest manifest() {
    return manifest;
  }

  /// Returns the number of items, those that were removed since the last build included.
  @Override
  public long count() {
    return manifest.count();
  }

  /// Returns which items are protected.
  public LivingItems living() {
    return living;
  }

  /// Returns how wide the balls of the items are.
  public RadiusScales radiusScales() {
    return radiusScales;
  }

  /// Returns which images share a latent.
  SharedNames names() {
    return names;
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
    int shard = shards.holding(item);
    return mapped.read(
        shards.file(shard).name(),
        () -> {
          byte[] row = buffers.get();
          copyRow(shard, item, row);
          double error = rows.decode(row, into);
          if (!(error >= 0 && error < Double.POSITIVE_INFINITY)) {
            throw new DamagedSetException(
                shards.file(shard).name(), "item %d is not finite".formatted(item));
          }
          return error;
        });
  }

  /// Returns the row of a latent, checked, as it stands on disk.
  byte[] row(long item) {
    requireItem(item);
    int shard = shards.holding(item);
    return mapped.read(
        shards.file(shard).name(),
        () -> {
          byte[] row = new byte[rows.bytes()];
          copyRow(shard, item, row);
          return row;
        });
  }

  private void copyRow(int shard, long item, byte[] row) {
    MappedFiles.copy(shards.segment(shard), rows.offset(item - shards.first(shard)), row);
    if (!rows.isIntact(item, row)) {
      throw new DamagedSetException(
          shards.file(shard).name(),
          "the row of item %d does not have its checksum".formatted(item));
    }
  }

  /// Reads what a latent belongs to; of several images that share it the first.
  ///
  /// @param item its number, from 0
  /// @throws DamagedSetException if the record is not what was written
  /// @throws IllegalStateException if the store is closed
  public Item item(long item) {
    return items(item).getFirst();
  }

  /// Reads all images that share a latent, at least one: those of equal files.
  ///
  /// @param item its number, from 0
  /// @throws DamagedSetException if the record is not what was written
  /// @throws IllegalStateException if the store is closed
  public List<Item> items(long item) {
    Item first = record(item);
    if (!first.isVariant()) {
      return names.of(item, first);
    }
    long image = item - 1;
    while (record(image).isVariant()) {
      image--;
    }
    return items(image).stream().map(other -> other.withEdit(first.edit())).toList();
  }

  /// Reads what the item table says of a latent.
  Item record(long item) {
    requireItem(item);
    int table = tables.holding(item);
    return mapped.read(tables.file(table).name(), () -> record(table, item));
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

  /// Returns where the offsets of an item table begin.
  private long offsetTable(int table) {
    return tables.segment(table).byteSize() - 8 * tables.file(table).count();
  }

  private Item record(int table, long item) {
    String name = tables.file(table).name();
    MemorySegment records = tables.segment(table);
    long end = offsetTable(table);
    String place = "the record of item %d ".formatted(item);
    byte[] number = new byte[8];
    MappedFiles.copy(records, end + 8 * (item - tables.first(table)), number);
    long at = ByteBuffer.wrap(number).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (at < FileHeader.BYTES || at > end - 8) {
      throw new DamagedSetException(name, place + "would begin at byte " + at);
    }
    MappedFiles.copy(records, at, number);
    int body = ByteBuffer.wrap(number).order(ByteOrder.LITTLE_ENDIAN).getInt();
    if (body < 0 || body > ItemRecord.MAX_BODY || at + 8 + body > end) {
      throw new DamagedSetException(name, place + "would have %d bytes".formatted(body));
    }
    byte[] bytes = new byte[4 + body + 4];
    MappedFiles.copy(records, at, bytes);
    try {
      return ItemRecord.decode(item, bytes);
    } catch (IllegalArgumentException e) {
      throw new DamagedSetException(name, place + e.getMessage(), e);
    }
  }

  private void requireItem(long item) {
    if (item < 0 || item >= manifest.count()) {
      throw new IndexOutOfBoundsException(
          "item must be from 0 to %d, but was %d".formatted(manifest.count() - 1, item));
    }
  }
}
