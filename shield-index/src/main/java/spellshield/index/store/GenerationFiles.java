package spellshield.index.store;

import it.unimi.dsi.fastutil.shorts.ShortArrayList;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The files of a generation while they are written: shards of latents, the table of their items,
/// the log of shared names, and whatever is computed from them.
///
/// One thread at a time.
final class GenerationFiles {
  private final Storage storage;
  private final long generation;
  private final RowFormat rows;
  private final long shardBytes;
  private final long first; // number of the first item that is written here
  // Bytes of each record in the item table; a record has fewer than 2¹⁵.
  private final ShortArrayList lengths = new ShortArrayList();
  private final Map<String, FileEntry> finished = new LinkedHashMap<>();
  private final Map<String, HashedFile> open = new LinkedHashMap<>();
  private @Nullable HashedFile items;
  private @Nullable HashedFile shard;
  private @Nullable HashedFile names;
  private int shards;

  GenerationFiles(
      Storage storage, long generation, RowFormat rows, long shardBytes, long firstItem) {
    this.storage = storage;
    this.generation = generation;
    this.rows = rows;
    this.shardBytes = shardBytes;
    this.first = firstItem;
  }

  /// What is done with the items that are read when a build goes on.
  @FunctionalInterface
  interface ItemVisitor {
    void visit(long row, Item item);
  }

  /// Goes on with a generation where a checkpoint stands.
  ///
  /// @param soFar the manifest of the checkpoint
  /// @param visitor is shown each item in order
  /// @throws DamagedSetException if a file is not what the checkpoint says
  static GenerationFiles resume(
      Storage storage, Manifest soFar, long shardBytes, ItemVisitor visitor) throws IOException {
    GenerationFiles files =
        new GenerationFiles(storage, soFar.generation(), soFar.rows(), shardBytes, 0);
    List<FileEntry> shards = soFar.files(Manifest.LATENTS);
    for (FileEntry shard : shards) {
      files.shards++;
      if (files.shards < shards.size()) {
        shard.verify(storage);
        files.finished.put(shard.name(), shard);
      } else {
        files.shard = files.reopen(shard);
      }
    }
    for (FileEntry table : soFar.files(Manifest.ITEMS)) {
      files.items = files.reopen(table);
      files.readItems(table, visitor);
    }
    for (FileEntry log : soFar.files(Manifest.NAMES)) {
      files.names = files.reopen(log);
    }
    return files;
  }

  private HashedFile reopen(FileEntry soFar) throws IOException {
    HashedFile file = HashedFile.resume(storage, soFar, entry -> finish(soFar.name(), entry));
    open.put(soFar.name(), file);
    return file;
  }

  private void readItems(FileEntry table, ItemVisitor visitor) throws IOException {
    try (InputStream stream = storage.open(table.name());
        DataInputStream in = new DataInputStream(new BufferedInputStream(stream))) {
      in.skipNBytes(FileHeader.BYTES);
      for (long row = 0; row < table.count(); row++) {
        int body = Integer.reverseBytes(in.readInt());
        if (body < 0 || body > ItemRecord.MAX_BODY) {
          throw new DamagedSetException(
              table.name(), "the record of item %d would have %d bytes".formatted(row, body));
        }
        byte[] record = new byte[4 + body + 4];
        ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN).putInt(body);
        in.readFully(record, 4, body + 4);
        lengths.add((short) record.length);
        visitor.visit(row, ItemRecord.decode(row, record));
      }
    }
  }

  /// Returns the number of rows so far.
  long rowCount() {
    return lengths.size();
  }

  /// Appends a row and its item.
  void append(byte[] row, Item item) throws IOException {
    long number = first + rowCount();
    HashedFile target = shardFor(number);
    target.write(row);
    target.countOne();
    HashedFile table = items();
    byte[] record = ItemRecord.encode(number, item);
    lengths.add((short) record.length);
    table.write(record);
    table.countOne();
  }

  /// Appends a record to the log of shared names.
  void log(byte[] record) throws IOException {
    HashedFile log = names;
    if (log == null) {
      log = create(Manifest.NAMES, Generations.name(Manifest.NAMES, generation));
      log.write(FileHeader.ofNames(generation).toBytes());
      names = log;
    }
    log.write(record);
  }

  /// Returns the item table, which is made when it is first needed.
  HashedFile items() throws IOException {
    HashedFile table = items;
    if (table == null) {
      table = create(Manifest.ITEMS, Generations.name(Manifest.ITEMS, generation));
      table.write(FileHeader.ofItems(generation, first).toBytes());
      items = table;
    }
    return table;
  }

  private HashedFile shardFor(long number) throws IOException {
    HashedFile current = shard;
    if (current != null && current.length() + rows.bytes() > shardBytes) {
      current.close();
      current = null;
    }
    if (current == null) {
      current = create(Manifest.LATENTS, Generations.shard(generation, shards++));
      current.write(FileHeader.ofShard(generation, rows, number).toBytes());
      shard = current;
    }
    return current;
  }

  /// Makes all rows and items so far durable, and returns what a manifest would say of their files.
  List<FileEntry> sync() throws IOException {
    List<FileEntry> files = new ArrayList<>(finished.values());
    for (HashedFile file : open.values()) {
      files.add(file.sync());
    }
    return files;
  }

  /// Ends shards, item table and log.
  void finishRows() throws IOException {
    if (shard != null) {
      shard.close();
    }
    if (items != null) {
      ByteBuffer offset = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      long at = FileHeader.BYTES;
      for (int i = 0; i < lengths.size(); i++) {
        items.write(offset.putLong(0, at).array());
        at += lengths.getShort(i);
      }
      items.close();
    }
    if (names != null) {
      names.close();
    }
  }

  /// Creates a file; closing it makes it durable and one of the finished.
  HashedFile create(String role, String name) throws IOException {
    HashedFile file = new HashedFile(storage, role, name, entry -> finish(name, entry));
    open.put(name, file);
    return file;
  }

  private void finish(String name, FileEntry entry) {
    finished.put(name, entry);
    open.remove(name);
  }

  /// Returns the files that are whole, in the order in which they were ended.
  List<FileEntry> finished() {
    return List.copyOf(finished.values());
  }

  /// Returns whether a file is whole.
  boolean isFinished(String name) {
    return finished.containsKey(name);
  }

  /// Returns the names of the files that were not closed or have failed.
  Set<String> open() {
    return Set.copyOf(open.keySet());
  }

  /// Closes what is open without ending it.
  void abandon() {
    for (HashedFile file : List.copyOf(open.values())) {
      try {
        file.abandon();
      } catch (IOException e) {
        // it is deleted in a moment, or cut where the next writer goes on
      }
    }
  }
}
