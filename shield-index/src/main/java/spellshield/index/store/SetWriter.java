package spellshield.index.store;

import it.unimi.dsi.fastutil.longs.LongArrayList;
import it.unimi.dsi.fastutil.objects.ObjectOpenHashSet;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Builds the next generation of a protected set beside the one that is there.
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

  private final Storage storage;
  private final LatentSpace space;
  private final Precision precision;
  private final RowFormat rows;
  private final long shardBytes;
  private final Closeable lock;
  private final long generation;
  private final Optional<String> parent;
  private final byte[] row;
  private final Set<String> ids = new ObjectOpenHashSet<>();
  private final LongArrayList offsets = new LongArrayList(); // of the records in the item table
  private final Map<String, FileEntry> finished = new LinkedHashMap<>();
  private final Map<String, HashedFile> open = new LinkedHashMap<>();
  private final HashedFile items;
  private @Nullable HashedFile shard;
  private int shards;
  private State state = State.ADDING;

  private enum State {
    ADDING,
    LATENTS_DONE,
    FAILED,
    COMMITTING,
    CLOSED
  }

  private SetWriter(
      Storage storage, LatentSpace space, Precision precision, long shardBytes, Closeable lock)
      throws IOException {
    this.storage = storage;
    this.space = space;
    this.precision = precision;
    this.rows = new RowFormat(space.dim(), precision);
    this.shardBytes = shardBytes;
    this.lock = lock;
    this.row = new byte[rows.bytes()];
    List<String> names = storage.list();
    requireOurs(names);
    OptionalLong newest = Generations.newest(names);
    generation = newest.orElse(0) + 1;
    parent = newest.isPresent() ? Optional.of(hash(newest.getAsLong())) : Optional.empty();
    Generations.sweepAllBut(generation - 1, storage);
    items = create(Manifest.ITEMS, Generations.name(Manifest.ITEMS, generation));
    items.write(FileHeader.ofItems(generation).toBytes());
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
    Closeable lock = storage.lock();
    boolean begun = false;
    try {
      SetWriter writer = new SetWriter(storage, space, precision, shardBytes, lock);
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
    if (!ids.add(item.id())) {
      throw new IllegalArgumentException(
          "item '%s' is in the set already; ids are unique".formatted(item.id()));
    }
    long number = count();
    state = State.FAILED; // until both are written
    HashedFile target = shardFor(number);
    target.write(row);
    target.countOne();
    offsets.add(items.length());
    items.write(ItemRecord.encode(number, item));
    items.countOne();
    state = State.ADDING;
  }

  /// Returns the number of items so far.
  public long count() {
    return offsets.size();
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
    requireOpen();
    FileEntry.requireRole(role);
    String first = base.split("/", 2)[0];
    if (!BASE.matcher(base).matches()
        || Set.of("manifest", Manifest.LATENTS, Manifest.ITEMS).contains(first)
        || Set.of(Manifest.LATENTS, Manifest.ITEMS).contains(role)) {
      throw new IllegalArgumentException(
          "a further file is named like 'sketch' or 'hnsw/_0.cfs' and has a role of its own, but"
              + " role and name were '%s' and '%s'".formatted(role, base));
    }
    return create(role, Generations.name(base, generation));
  }

  /// Ends the latents and opens them for reading, before the commit; the caller closes the store.
  public LatentStore latents() throws IOException {
    finishLatents();
    List<FileEntry> files =
        finished.values().stream()
            .filter(f -> f.role().equals(Manifest.LATENTS) || f.role().equals(Manifest.ITEMS))
            .toList();
    return LatentStore.open(storage, manifest(files, Map.of(), Instant.EPOCH), Verification.ON_USE);
  }

  /// Makes this generation the set, durably, and clears the older one away.
  ///
  /// If it throws, the set is the old one, unless the very last step failed: making the new name
  /// durable. Then it is the new one now and may be the old one after a power cut.
  ///
  /// @param sections plain JSON for the manifest, by name
  /// @param created the time to write into the manifest
  /// @return the manifest of the new set
  /// @throws IllegalStateException if a further file was not closed or has failed
  /// @throws IllegalArgumentException if a section is not plain finite JSON
  public Manifest commit(Map<String, ? extends JsonNode> sections, Instant created)
      throws IOException {
    finishLatents();
    if (!open.isEmpty()) {
      throw new IllegalStateException(
          "%s: close every file before the commit, but these are open or have failed: %s"
              .formatted(storage, open.keySet()));
    }
    Manifest manifest = manifest(List.copyOf(finished.values()), sections, created);
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
    sweepQuietly();
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
          Generations.sweepAllBut(generation - 1, storage);
        } catch (IOException e) {
          // the next writer clears it away; throwing here would hide why this one gave up
        }
      }
    }
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
    ByteBuffer offset = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    for (long at : offsets) {
      items.write(offset.putLong(0, at).array());
    }
    items.close();
    state = State.LATENTS_DONE;
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
      List<FileEntry> files, Map<String, ? extends JsonNode> sections, Instant created) {
    return new Manifest(
        generation,
        created,
        space,
        precision,
        count(),
        files,
        parent,
        Map.copyOf(sections),
        Optional.empty());
  }

  private void sweepQuietly() {
    try {
      Generations.sweepAllBut(generation, storage);
    } catch (IOException e) {
      // the commit stands; the next writer clears away what is left
    }
  }

  private String hash(long older) throws IOException {
    try (InputStream in = storage.open(Generations.manifest(older))) {
      return Hashes.sha256(in.readAllBytes());
    }
  }

  private void requireOurs(List<String> names) throws IOException {
    for (String name : names) {
      boolean ours =
          name.equals(Generations.LOCK)
              || name.equals(Generations.PENDING)
              || Generations.of(name).isPresent();
      if (!ours && Generations.newest(names).isEmpty()) {
        throw new IOException(
            "%s: holds other things, such as '%s'; choose a new or empty folder for the set"
                .formatted(storage, name));
      }
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
