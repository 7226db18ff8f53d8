package spellshield.index.store;

import it.unimi.dsi.fastutil.longs.LongArrayList;
import it.unimi.dsi.fastutil.longs.LongOpenHashSet;
import it.unimi.dsi.fastutil.longs.LongSet;
import it.unimi.dsi.fastutil.objects.Object2LongMap;
import it.unimi.dsi.fastutil.objects.Object2LongOpenHashMap;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Writes the next generation of a protected set beside the one that is there.
///
/// A generation is built from nothing ([#begin]), takes over the files of the one before it and
/// adds to them ([#extend]), or is written anew from what lives in the one before it ([#rewrite]).
///
/// Readers see nothing of it until [#commit] returns; closed, killed or failed before that, the set
/// stays what it was. Latents first, then [#latents] to compute from them, then [#file] for what
/// was computed, then [#commit].
///
/// One thread at a time; one writer per folder, which the writer's lock enforces.
public final class SetWriter implements AutoCloseable {
  /// The size at which a new shard begins, 1 GiB.
  public static final long SHARD_BYTES = 1L << 30;

  private static final Pattern BASE =
      Pattern.compile("[a-z][a-z0-9-]{0,49}(/[A-Za-z0-9_][A-Za-z0-9._-]*)?");

  private static final Set<String> OWN_ROLES =
      Set.of(Manifest.LATENTS, Manifest.ITEMS, Manifest.REMOVED);

  private final Storage storage;
  private final LatentSpace space;
  private final Precision precision;
  private final RowFormat rows;
  private final long shardBytes;
  private final Closeable lock;
  private final long generation;
  private final Predecessor predecessor;
  private final List<Epoch> epochs; // before this one
  private final Map<String, FileEntry> carried = new LinkedHashMap<>();
  private final LivingItems before; // of the carried files
  private final LongSet removed = new LongOpenHashSet();
  private final byte[] row;
  private final Object2LongMap<String> ids = new Object2LongOpenHashMap<>(); // of living items
  private final LongArrayList offsets = new LongArrayList(); // of the records in the item table
  private final Map<String, FileEntry> finished = new LinkedHashMap<>();
  private final Map<String, HashedFile> open = new LinkedHashMap<>();
  private @Nullable HashedFile items;
  private @Nullable HashedFile shard;
  private int shards;
  private long rewritten;
  private State state = State.ADDING;

  private enum State {
    ADDING,
    LATENTS_DONE,
    FAILED,
    COMMITTING,
    CLOSED
  }

  /// What the next generation has from the set that is there.
  private enum Start {
    NOTHING,
    FILES,
    HISTORY
  }

  private SetWriter(
      Storage storage,
      LatentSpace space,
      Precision precision,
      long shardBytes,
      Closeable lock,
      Predecessor predecessor,
      Start start)
      throws IOException {
    this.storage = storage;
    this.space = space;
    this.precision = precision;
    this.rows = new RowFormat(space.dim(), precision);
    this.shardBytes = shardBytes;
    this.lock = lock;
    this.row = new byte[rows.bytes()];
    this.predecessor = predecessor;
    this.generation = predecessor.generation() + 1;
    ids.defaultReturnValue(-1);
    Optional<Manifest> base = start == Start.NOTHING ? Optional.empty() : predecessor.manifest();
    epochs = base.map(Manifest::epochs).orElse(List.of());
    if (start == Start.FILES && base.isPresent()) {
      base.get().files().forEach(file -> carried.put(file.name(), file));
      before = readIds(base.get());
    } else {
      before = LivingItems.all(0);
    }
    Generations.sweep(storage, predecessor::holds);
    if (start != Start.FILES) {
      items(); // a set has an item table, even one without items
    }
  }

  private LivingItems readIds(Manifest base) throws IOException {
    try (LatentStore store = LatentStore.open(storage, base, Verification.ON_USE)) {
      store.living().items().forEach(item -> ids.put(store.item(item).id(), item));
      return store.living();
    }
  }

  /// Begins a generation with shards of [#SHARD_BYTES].
  public static SetWriter begin(Storage storage, LatentSpace space, Precision precision)
      throws IOException {
    return begin(storage, space, precision, SHARD_BYTES);
  }

  /// Takes the lock, clears away what killed builds left, and begins the next generation.
  ///
  /// A damaged set is no obstacle: building it again is the way out.
  ///
  /// @param shardBytes a shard takes no further row that would make it longer than this, but always
  ///   takes one
  /// @throws IOException if another writer is at work, or the folder holds other things than a set
  public static SetWriter begin(
      Storage storage, LatentSpace space, Precision precision, long shardBytes) throws IOException {
    if (shardBytes < 1) {
      throw new IllegalArgumentException("shardBytes must be at least 1, but was " + shardBytes);
    }
    return locked(
        storage,
        lock ->
            new SetWriter(
                storage,
                space,
                precision,
                shardBytes,
                lock,
                Predecessor.in(storage),
                Start.NOTHING));
  }

  /// Takes the lock and begins a generation that has all files of the set that is there, to which
  /// items are added and from which some are removed. What is there is not verified: its checksums
  /// are carried over.
  ///
  /// @throws java.nio.file.NoSuchFileException if there is no set
  /// @throws DamagedSetException if its manifest or item tables do not verify
  /// @throws IOException if another writer is at work
  public static SetWriter extend(Storage storage, long shardBytes) throws IOException {
    return follow(storage, shardBytes, Start.FILES);
  }

  /// Takes the lock and writes what lives in the set that is there into a generation of its own
  /// files, in the same order and to the same bits; the history goes on.
  ///
  /// @throws java.nio.file.NoSuchFileException if there is no set
  /// @throws DamagedSetException if it does not verify
  /// @throws IOException if another writer is at work
  public static SetWriter rewrite(Storage storage, long shardBytes) throws IOException {
    SetWriter writer = follow(storage, shardBytes, Start.HISTORY);
    boolean done = false;
    try (LatentStore from = LatentStore.open(storage, Verification.ON_USE)) {
      for (long item = 0; item < from.count(); item++) {
        if (from.living().contains(item)) {
          writer.copy(from, item);
        }
      }
      writer.rewritten = writer.offsets.size();
      done = true;
    } finally {
      if (!done) {
        writer.close();
      }
    }
    return writer;
  }

  private static SetWriter follow(Storage storage, long shardBytes, Start start)
      throws IOException {
    Manifest.newest(storage); // without a set, not even a lock is made
    return locked(
        storage,
        lock -> {
          Manifest base = Manifest.newest(storage);
          return new SetWriter(
              storage,
              base.space(),
              base.precision(),
              shardBytes,
              lock,
              Predecessor.in(storage),
              start);
        });
  }

  /// Makes a writer once the lock is held.
  private interface Beginning {
    SetWriter with(Closeable lock) throws IOException;
  }

  private static SetWriter locked(Storage storage, Beginning beginning) throws IOException {
    Closeable lock = storage.lock();
    boolean begun = false;
    try {
      SetWriter writer = beginning.with(lock);
      begun = true;
      return writer;
    } finally {
      if (!begun) {
        lock.close();
      }
    }
  }

  /// Appends an item. If it is refused, the writer goes on as if it had not been offered.
  ///
  /// @param latent D values; not kept
  /// @throws IllegalArgumentException if the length is not D, a value is not finite or too large
  ///   for the precision, or the id is there already
  public void add(Item item, float[] latent) throws IOException {
    requireState(State.ADDING);
    if (latent.length != rows.dim()) {
      throw new IllegalArgumentException(
          "item '%s': %d values do not make a latent of %s"
              .formatted(item.id(), latent.length, space));
    }
    rows.encode(count(), item.id(), latent, row);
    append(item);
  }

  /// Appends an item of the set that is there, its latent to the bit and the rounding error with
  /// it.
  private void copy(LatentStore from, long number) throws IOException {
    byte[] copied = from.row(number);
    rows.renumber(count(), copied);
    System.arraycopy(copied, 0, row, 0, row.length);
    append(from.item(number));
  }

  /// Writes the row that is ready and its item.
  private void append(Item item) throws IOException {
    long number = count();
    if (ids.putIfAbsent(item.id(), number) >= 0) {
      throw new IllegalArgumentException(
          "item '%s' is in the set already; ids are unique".formatted(item.id()));
    }
    state = State.FAILED; // until both are written
    HashedFile target = shardFor(number);
    target.write(row);
    target.countOne();
    HashedFile table = items();
    offsets.add(table.length());
    table.write(ItemRecord.encode(number, item));
    table.countOne();
    state = State.ADDING;
  }

  /// Removes an item from the set that this generation follows; its number stays taken. If it is
  /// refused, the writer goes on as if nothing had been said. Nothing is written before the end.
  ///
  /// @throws IllegalArgumentException if the set has no item of this id
  public void remove(String id) {
    requireState(State.ADDING);
    long item = ids.removeLong(id);
    if (item < 0) {
      throw new IllegalArgumentException(
          "item '%s' is not in the set; nothing was removed".formatted(id));
    }
    removed.add(item);
  }

  /// Leaves a further file of the set that is there out of this generation.
  ///
  /// @throws IllegalArgumentException if it is none of the carried ones, or holds latents or items
  public void leaveOut(FileEntry file) {
    requireOpen();
    if (OWN_ROLES.contains(file.role()) || !carried.remove(file.name(), file)) {
      throw new IllegalArgumentException(
          "%s is no further file of the set that is there".formatted(file.name()));
    }
  }

  /// Returns the number of items so far, those of the set that this generation follows and the
  /// removed ones included.
  public long count() {
    return before.end() + offsets.size();
  }

  /// Returns the number of items that were added to the set.
  public long addedCount() {
    return offsets.size() - rewritten;
  }

  /// Returns the number of items that were removed from the set.
  public long removedCount() {
    return removed.size();
  }

  /// Returns the number of the generation being written.
  public long generation() {
    return generation;
  }

  /// Creates a further file of this generation; closing the stream makes it durable.
  ///
  /// @param role under which the manifest lists it, such as `sketch` or `hnsw`
  /// @param base its name without the generation: `sketch` becomes `sketch.000012`, `hnsw/_0.cfs`
  ///   becomes `hnsw.000012/_0.cfs`
  public OutputStream file(String role, String base) throws IOException {
    return file(role, base, 0);
  }

  /// Creates a further file that holds a number of items.
  public OutputStream file(String role, String base, long count) throws IOException {
    requireOpen();
    FileEntry.requireRole(role);
    String first = base.split("/", 2)[0];
    if (!BASE.matcher(base).matches()
        || first.equals("manifest")
        || OWN_ROLES.contains(first)
        || OWN_ROLES.contains(role)) {
      throw new IllegalArgumentException(
          "a further file is named like 'sketch' or 'hnsw/_0.cfs' and has a role of its own, but"
              + " role and name were '%s' and '%s'".formatted(role, base));
    }
    HashedFile file = create(role, Generations.name(base, generation));
    file.count(count);
    return file;
  }

  /// Ends the latents and opens them for reading, before the commit; the caller closes the store.
  public LatentStore latents() throws IOException {
    finishLatents();
    List<FileEntry> files =
        Stream.concat(carried.values().stream(), finished.values().stream())
            .filter(file -> OWN_ROLES.contains(file.role()))
            .toList();
    Manifest manifest = manifest(files, Map.of(), Instant.EPOCH, "");
    return LatentStore.open(storage, manifest, Verification.ON_USE);
  }

  /// Makes a built generation the set, as [#commit(Map, Instant, String)] does.
  public Manifest commit(Map<String, ? extends JsonNode> sections, Instant created)
      throws IOException {
    return commit(sections, created, Epoch.BUILT);
  }

  /// Makes this generation the set, durably, and clears away what it does not need of the older
  /// one.
  ///
  /// If it throws, the set is the old one, unless the very last step failed: making the new name
  /// durable. Then it is the new one now and may be the old one after a power cut.
  ///
  /// @param sections plain JSON for the manifest, by name
  /// @param created the time to write into the manifest
  /// @param reason one line for people, see [Epoch]
  /// @return the manifest of the new set
  /// @throws IllegalStateException if a further file was not closed or has failed
  /// @throws IllegalArgumentException if a section is not plain finite JSON, or the reason not a
  ///   line
  public Manifest commit(Map<String, ? extends JsonNode> sections, Instant created, String reason)
      throws IOException {
    finishLatents();
    if (!open.isEmpty()) {
      throw new IllegalStateException(
          "%s: close every file before the commit, but these are open or have failed: %s"
              .formatted(storage, open.keySet()));
    }
    List<FileEntry> files = new ArrayList<>(carried.values());
    files.addAll(finished.values());
    Manifest manifest = manifest(files, sections, created, reason);
    String name = Generations.manifest(generation);
    Manifest.parse(name, generation, manifest.toBytes()); // what is written can be read
    state = State.FAILED;
    try (HashedFile pending =
        new HashedFile(storage, "manifest", Generations.PENDING, ignored -> {})) {
      pending.write(manifest.toBytes());
    }
    // The names first: a manifest must never outlive the name of a file that it lists.
    SortedSet<String> folders = new TreeSet<>();
    finished.keySet().stream()
        .filter(file -> file.contains("/"))
        .forEach(file -> folders.add(file.substring(0, file.indexOf('/'))));
    for (String folder : folders) {
      storage.syncFolder(folder);
    }
    storage.syncFolder("");
    state = State.COMMITTING; // from here on nothing may be taken back
    storage.rename(Generations.PENDING, name);
    storage.syncFolder("");
    sweepQuietly(manifest);
    return manifest;
  }

  /// Gives the lock back; without a commit, also deletes what was written, as far as it can.
  @Override
  public void close() throws IOException {
    if (state == State.CLOSED) {
      return;
    }
    boolean withdraw = state != State.COMMITTING;
    state = State.CLOSED;
    try (lock) {
      for (HashedFile file : List.copyOf(open.values())) {
        try {
          file.abandon();
        } catch (IOException e) {
          // it is deleted in a moment
        }
      }
      if (withdraw) {
        try {
          Generations.sweep(storage, predecessor::holds);
        } catch (IOException e) {
          // the next writer clears it away; throwing here would hide why this one gave up
        }
      }
    }
  }

  /// Returns the item table of this generation, which is made when it is first needed.
  private HashedFile items() throws IOException {
    HashedFile table = items;
    if (table == null) {
      table = create(Manifest.ITEMS, Generations.name(Manifest.ITEMS, generation));
      table.write(FileHeader.ofItems(generation, before.end()).toBytes());
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

  private void finishLatents() throws IOException {
    requireOpen();
    if (state == State.LATENTS_DONE) {
      return;
    }
    state = State.FAILED; // until all is written
    if (shard != null) {
      shard.close();
    }
    if (items != null) {
      ByteBuffer offset = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      for (long at : offsets) {
        items.write(offset.putLong(0, at).array());
      }
      items.close();
    }
    if (!removed.isEmpty()) {
      writeRemoved();
    }
    state = State.LATENTS_DONE;
  }

  /// Writes all that was removed, in place of the file that told what was removed before.
  private void writeRemoved() throws IOException {
    LivingItems living = before.changed(count(), removed);
    carried.values().removeIf(file -> file.role().equals(Manifest.REMOVED));
    try (HashedFile file =
        create(Manifest.REMOVED, Generations.name(Manifest.REMOVED, generation))) {
      file.write(living.toBytes(generation));
      file.count(living.removedCount());
    }
  }

  private HashedFile create(String role, String name) throws IOException {
    HashedFile file =
        new HashedFile(
            storage,
            role,
            name,
            entry -> {
              finished.put(name, entry);
              open.remove(name);
            });
    open.put(name, file);
    return file;
  }

  private Manifest manifest(
      List<FileEntry> files,
      Map<String, ? extends JsonNode> sections,
      Instant created,
      String reason) {
    List<Epoch> all = new ArrayList<>(epochs);
    all.add(new Epoch(generation, created, addedCount(), removed.size(), reason));
    return new Manifest(
        generation,
        created,
        space,
        precision,
        count(),
        files,
        all,
        predecessor.sha256(),
        Map.copyOf(sections),
        Optional.empty());
  }

  private void sweepQuietly(Manifest manifest) {
    try {
      Generations.sweep(storage, manifest::holds);
    } catch (IOException e) {
      // the commit stands; the next writer clears away what is left
    }
  }

  private void requireOpen() {
    if (state != State.ADDING && state != State.LATENTS_DONE) {
      String reason =
          switch (state) {
            case FAILED -> "has failed; close it and begin again";
            case COMMITTING -> "is committed; begin another one";
            default -> "is closed; begin another one";
          };
      throw new IllegalStateException("%s: this build %s".formatted(storage, reason));
    }
  }

  private void requireState(State required) {
    requireOpen();
    if (state != required) {
      throw new IllegalStateException(
          "%s: the latents of this build are complete; add before calling latents()"
              .formatted(storage));
    }
  }
}
