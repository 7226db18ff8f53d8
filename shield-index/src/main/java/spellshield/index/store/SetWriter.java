package spellshield.index.store;

import it.unimi.dsi.fastutil.longs.Long2FloatMap;
import it.unimi.dsi.fastutil.longs.Long2FloatOpenHashMap;
import it.unimi.dsi.fastutil.longs.LongOpenHashSet;
import it.unimi.dsi.fastutil.longs.LongSet;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
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

  /// The section of an [unfinished][#unfinished] manifest that tells where the build is to go on.
  public static final String STATE = "state";

  private static final Pattern BASE =
      Pattern.compile("[a-z][a-z0-9-]{0,49}(/[A-Za-z0-9_][A-Za-z0-9._-]*)?");

  private static final Set<String> OWN_ROLES =
      Set.of(Manifest.LATENTS, Manifest.ITEMS, Manifest.REMOVED, Manifest.NAMES, Manifest.RADII);

  private final Storage storage;
  private final LatentSpace space;
  private final Precision precision;
  private final RowFormat rows;
  private final Closeable lock;
  private final long generation;
  private final Predecessor predecessor;
  private final List<Epoch> epochs; // before this one
  private final Map<String, FileEntry> carried = new LinkedHashMap<>();
  private final LivingItems before; // of the carried files
  private final LongSet removed = new LongOpenHashSet();
  private final SharedNames names;
  private final KnownItems known;
  private final RadiusScales scalesBefore; // of the carried files
  private final Long2FloatMap scales = new Long2FloatOpenHashMap(); // of items where they differ
  private final byte[] row;
  private final GenerationFiles files;
  private @Nullable Item last; // that was added
  private long rewritten;
  private boolean renamed; // an image joined others or left them
  private boolean kept; // a checkpoint stands, and what it names outlives this writer
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
    this.lock = lock;
    this.row = new byte[rows.bytes()];
    this.predecessor = predecessor;
    this.generation = predecessor.generation() + 1;
    this.known = new KnownItems();
    Optional<Manifest> base = start == Start.NOTHING ? Optional.empty() : predecessor.manifest();
    epochs = base.map(Manifest::epochs).orElse(List.of());
    if (start == Start.FILES && base.isPresent()) {
      base.get().files().forEach(file -> carried.put(file.name(), file));
      try (LatentStore store = LatentStore.open(storage, base.get(), Verification.ON_USE)) {
        names = store.names();
        before = store.living();
        scalesBefore = store.radiusScales();
        before.items().forEach(number -> know(number, store.record(number)));
      }
    } else {
      names = new SharedNames();
      before = LivingItems.all(0);
      scalesBefore = RadiusScales.ONES;
    }
    files = new GenerationFiles(storage, generation, rows, shardBytes, before.end());
    Generations.sweep(storage, predecessor::holds);
    if (start != Start.FILES) {
      files.items(); // a set has an item table, even one without items
    }
  }

  /// Goes on where a checkpoint stands.
  private SetWriter(
      Storage storage, Manifest checkpoint, long shardBytes, Closeable lock, Predecessor before)
      throws IOException {
    this.storage = storage;
    this.space = checkpoint.space();
    this.precision = checkpoint.precision();
    this.rows = checkpoint.rows();
    this.lock = lock;
    this.row = new byte[rows.bytes()];
    this.predecessor = before;
    this.generation = checkpoint.generation();
    this.known = new KnownItems();
    this.epochs = List.of();
    this.before = LivingItems.all(0);
    this.scalesBefore = RadiusScales.ONES;
    this.kept = true;
    String name = Generations.checkpoint(generation);
    Generations.sweep(
        storage, file -> before.holds(file) || checkpoint.holds(file) || file.equals(name));
    names = LatentStore.readNames(storage, checkpoint);
    files =
        GenerationFiles.resume(
            storage,
            checkpoint,
            shardBytes,
            (number, item) -> {
              know(number, item);
              last = item;
            });
  }

  /// Notes an item of the item table that was not removed, and all that share its latent.
  private void know(long number, Item item) {
    if (item.isVariant()) {
      known.add(number, item);
      return;
    }
    List<Item> all = names.of(number, item);
    known.add(number, all.getFirst());
    all.forEach(other -> known.join(other.id(), number));
  }

  /// Begins a generation with shards of [#SHARD_BYTES].
  public static SetWriter begin(Storage storage, LatentSpace space, Precision precision)
      throws IOException {
    return begin(storage, space, precision, SHARD_BYTES);
  }

  /// Takes the lock, clears away what killed builds left, and begins the next generation.
  ///
  /// A damaged set is no obstacle: building it again is the way out. A build that was stopped and
  /// could be [resumed][#resume] is given up.
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
      writer.rewritten = writer.files.rowCount();
      writer.renamed = false;
      done = true;
    } finally {
      if (!done) {
        writer.close();
      }
    }
    return writer;
  }

  /// Returns the manifest of a build that was stopped after its last checkpoint, if there is one:
  /// the set that it would have become there. Its section [#STATE] is what the checkpoint was
  /// given.
  ///
  /// @throws DamagedSetException if the checkpoint is damaged; a new build gives it up
  public static Optional<Manifest> unfinished(Storage storage) throws IOException {
    List<String> there;
    try {
      there = storage.list();
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    long next = Generations.newest(there).orElse(0) + 1;
    String name = Generations.checkpoint(next);
    return there.contains(name)
        ? Optional.of(Manifest.readAs(storage, name, next))
        : Optional.empty();
  }

  /// Takes the lock and goes on with the build that [#unfinished] returns: what was added up to its
  /// last checkpoint is there, what was added later is not. All of it is read and compared with the
  /// checkpoint's hashes, about a second per GB.
  ///
  /// @throws java.nio.file.NoSuchFileException if there is none
  /// @throws DamagedSetException if its files are not what the checkpoint says
  /// @throws IOException if another writer is at work
  public static SetWriter resume(Storage storage, long shardBytes) throws IOException {
    return locked(
        storage,
        lock -> {
          Manifest checkpoint =
              unfinished(storage)
                  .orElseThrow(() ->
                      new NoSuchFileException(
                          storage.toString(), null, "no unfinished build is here; begin one"));
          Predecessor before = Predecessor.in(storage);
          if (!checkpoint.parent().equals(before.sha256())) {
            throw new DamagedSetException(
                Generations.checkpoint(checkpoint.generation()),
                "belongs to a build that follows another set than the one that is there");
          }
          return new SetWriter(storage, checkpoint, shardBytes, lock, before);
        });
  }

  private static SetWriter follow(Storage storage, long shardBytes, Start start)
      throws IOException {
    Manifest.newest(storage); // without a set, not even a lock is made
    return locked(
        storage,
        lock -> {
          Manifest base = Manifest.newest(storage);
          if (storage.list().contains(Generations.checkpoint(base.generation() + 1))) {
            throw new IOException(
                "%s: a build is unfinished here; finish it or give it up before the set is changed"
                    .formatted(storage));
          }
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
  /// A variant follows the image that it is made of, or another variant of it, and is removed with
  /// it.
  ///
  /// @param latent D values; not kept
  /// @throws IllegalArgumentException if the length is not D, a value is not finite or too large
  ///   for the precision, the id is there already, or a variant does not follow its image
  public void add(Item item, float[] latent) throws IOException {
    add(item, latent, 1);
  }

  /// Appends an item with a ball of its own, see [RadiusScales]. If it is refused, the writer goes
  /// on as if it had not been offered.
  ///
  /// @param latent D values; not kept
  /// @param radiusScale positive and finite
  /// @throws IllegalArgumentException if the length is not D, a value is not finite or too large
  ///   for the precision, the scale none, or the id is there already
  public void add(Item item, float[] latent, float radiusScale) throws IOException {
    requireState(State.ADDING);
    RadiusScales.require("item '%s'".formatted(item.id()), radiusScale);
    if (latent.length != rows.dim()) {
      throw new IllegalArgumentException(
          "item '%s': %d values do not make a latent of %s"
              .formatted(item.id(), latent.length, space));
    }
    rows.encode(count(), item.id(), latent, row);
    append(item, radiusScale);
  }

  /// Returns the number of an item that was stored from a file with this hash, if there is one: a
  /// further image from the same file can [share][#join] its latent.
  ///
  /// @param sha256 64 hex digits, or empty, which no item has
  public OptionalLong holding(String sha256) {
    requireState(State.ADDING);
    OptionalLong found = known.holding(sha256);
    return found.isPresent() && removed.contains(found.getAsLong()) ? OptionalLong.empty() : found;
  }

  /// Returns whether an image has this id.
  public boolean contains(String id) {
    requireState(State.ADDING);
    return known.get(id) >= 0;
  }

  /// Returns the space of the latents.
  public LatentSpace space() {
    return space;
  }

  /// Adds an image that shares the latent, and the variants, of an item that is there. If it is
  /// refused, the writer goes on as if it had not been offered.
  ///
  /// @param number of that item
  /// @throws IllegalArgumentException if the id is there already, or the item is a variant or none
  public void join(Item item, long number) throws IOException {
    requireState(State.ADDING);
    if (item.isVariant() || number < 0 || number >= count() || removed.contains(number)) {
      throw new IllegalArgumentException(
          "image '%s' cannot share the latent of item %d of %d"
              .formatted(item.id(), number, count()));
    }
    known.requireNew(item.id());
    state = State.FAILED; // until it is written
    files.log(names.join(number, item));
    known.join(item.id(), number);
    renamed = true;
    state = State.ADDING;
  }

  /// Adds all that lives in another set, bit for bit; see
  /// [spellshield.index.ProtectedSetBuilder#addAll].
  public long addAll(LatentStore from) throws IOException {
    requireState(State.ADDING);
    if (from.manifest().precision() != precision) {
      throw new IllegalArgumentException(
          "a set of %s takes no latents that were stored as %s; build that part again with the same precision"
              .formatted(precision, from.manifest().precision()));
    }
    long skipped = 0;
    long image = -1; // here, of the item at hand; negative where its variants are not wanted
    for (long number = 0; number < from.count(); number++) {
      if (!from.living().contains(number)) {
        continue;
      }
      if (from.record(number).isVariant()) {
        if (image >= 0) {
          encodeCopy(from, number);
          append(from.item(number), (float) from.radiusScales().of(number));
        }
        continue;
      }
      image = -1;
      for (Item item : from.items(number)) {
        OptionalLong same = holding(item.sha256());
        if (contains(item.id())) {
          requireSame(item, same);
          skipped++;
          widen(same.getAsLong(), from.radiusScales().of(number));
        } else if (same.isPresent()) {
          join(item, same.getAsLong());
          widen(same.getAsLong(), from.radiusScales().of(number));
        } else if (image >= 0) {
          join(item, image);
        } else {
          image = count();
          encodeCopy(from, number);
          append(item, (float) from.radiusScales().of(number));
        }
      }
    }
    return skipped;
  }

  /// Gives an item and its variants the wider of two balls.
  private void widen(long item, double radiusScale) {
    for (long number = item; number < known.endOfVariants(item); number++) {
      scale(number, (float) Math.max(scaleOf(number), radiusScale));
    }
  }

  private void requireSame(Item item, OptionalLong same) {
    if (same.isEmpty() || same.getAsLong() != known.get(item.id())) {
      throw new IllegalArgumentException(
          "two different images have the id '%s'; rename one of them in its source, and encode it again"
              .formatted(item.id()));
    }
  }

  /// Takes a row of another set as that of the next item, rounding error and all.
  private void encodeCopy(LatentStore from, long number) {
    byte[] copied = from.row(number);
    rows.renumber(count(), copied);
    System.arraycopy(copied, 0, row, 0, row.length);
  }

  /// Appends an item of the set that is there, its latent to the bit and the rounding error with
  /// it.
  private void copy(LatentStore from, long number) throws IOException {
    encodeCopy(from, number);
    List<Item> images = from.items(number);
    long copy = count();
    append(images.getFirst(), (float) from.radiusScales().of(number));
    if (!images.getFirst().isVariant()) {
      for (Item other : images.subList(1, images.size())) {
        join(other, copy);
      }
    }
  }

  /// Writes the row that is ready and its item.
  private void append(Item item, float radiusScale) throws IOException {
    if (!item.isVariant()) {
      known.requireNew(item.id());
    } else if (last == null || !last.id().equals(item.id())) {
      throw new IllegalArgumentException(
          "item '%s' with the edit '%s' must follow the image that it is made of, but the last one is %s"
              .formatted(item.id(), item.edit(), last));
    }
    long number = count();
    state = State.FAILED; // until both are written
    files.append(row, item);
    known.add(number, item);
    last = item;
    scale(number, radiusScale);
    state = State.ADDING;
  }

  /// Removes an image from the set that this generation follows, its variants with it; their
  /// numbers stay taken. A latent that other images share stays until the last of them is removed.
  /// If it is refused, the writer goes on as if nothing had been said.
  ///
  /// @throws IllegalArgumentException if the set has no item of this id
  public void remove(String id) throws IOException {
    requireState(State.ADDING);
    long item = known.remove(id);
    if (item < 0) {
      throw new IllegalArgumentException(
          "item '%s' is not in the set; nothing was removed".formatted(id));
    }
    if (names.count(item) > 1) {
      state = State.FAILED; // until it is written
      files.log(names.leave(item, id));
      renamed = true;
      state = State.ADDING;
      return;
    }
    for (long number = item; number < known.endOfVariants(item); number++) {
      removed.add(number);
      scale(number, 1);
    }
  }

  /// Gives an image and its variants another ball, see [RadiusScales]; so it does to the images
  /// that share its latent. If it is refused, the writer goes on as if nothing had been said.
  /// Nothing is written before the end.
  ///
  /// @param radiusScale positive and finite
  /// @throws IllegalArgumentException if the set has no item of this id, or the scale is none
  public void rescale(String id, float radiusScale) {
    requireState(State.ADDING);
    RadiusScales.require("item '%s'".formatted(id), radiusScale);
    long item = known.get(id);
    if (item < 0) {
      throw new IllegalArgumentException(
          "item '%s' is not in the set; no radius scale was changed".formatted(id));
    }
    for (long number = item; number < known.endOfVariants(item); number++) {
      scale(number, radiusScale);
    }
  }

  /// Returns the radius scale of an item as it is now.
  private double scaleOf(long item) {
    return scales.containsKey(item) ? scales.get(item) : scalesBefore.of(item);
  }

  /// Notes what differs from the set that this generation follows.
  private void scale(long item, float radiusScale) {
    if (scalesBefore.of(item) == radiusScale) {
      scales.remove(item);
    } else {
      scales.put(item, radiusScale);
    }
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
    return before.end() + files.rowCount();
  }

  /// Returns the number of items that were added to the set.
  public long addedCount() {
    return files.rowCount() - rewritten;
  }

  /// Returns whether anything was added to the set that this generation follows, or taken from it.
  public boolean isChanged() {
    return addedCount() > 0 || removedCount() > 0 || rescaledCount() > 0 || renamed;
  }

  /// Returns the number of items that were removed from the set.
  public long removedCount() {
    return removed.size();
  }

  /// Returns the number of items of the set that have another radius scale now, removed ones not
  /// counted.
  public long rescaledCount() {
    return scales
        .keySet()
        .longStream()
        .filter(item -> item < before.end() && !removed.contains(item))
        .count();
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
        || first.startsWith("scratch-")
        || OWN_ROLES.contains(first)
        || OWN_ROLES.contains(role)) {
      throw new IllegalArgumentException(
          "a further file is named like 'sketch' or 'hnsw/_0.cfs' and has a role of its own, but"
              + " role and name were '%s' and '%s'".formatted(role, base));
    }
    HashedFile file = files.create(role, Generations.name(base, generation));
    file.count(count);
    return file;
  }

  /// Maps a further file of this generation that was closed, until the arena is.
  ///
  /// @param base its name without the generation
  public MemorySegment map(String base, Arena arena) throws IOException {
    requireOpen();
    String name = Generations.name(base, generation);
    if (!files.isFinished(name)) {
      throw new IllegalStateException(
          "%s: '%s' was not written by this build, or not closed".formatted(storage, name));
    }
    return storage.map(name, arena);
  }

  /// Creates a file of this writer's own, which is no part of the generation; the caller closes it
  /// before the commit.
  ///
  /// @param base its name without the generation, not that of another one
  public ScratchFile scratch(String base) throws IOException {
    requireOpen();
    return new ScratchFile(storage, Generations.name("scratch-" + base, generation));
  }

  /// Ends the latents and opens them for reading, before the commit; the caller closes the store.
  public LatentStore latents() throws IOException {
    finishLatents();
    List<FileEntry> own =
        Stream.concat(carried.values().stream(), files.finished().stream())
            .filter(file -> OWN_ROLES.contains(file.role()))
            .toList();
    Manifest manifest = manifest(own, Map.of(), Instant.EPOCH, "");
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
    if (!files.open().isEmpty()) {
      throw new IllegalStateException(
          "%s: close every file before the commit, but these are open or have failed: %s"
              .formatted(storage, files.open()));
    }
    List<FileEntry> all = new ArrayList<>(carried.values());
    all.addAll(files.finished());
    Manifest manifest = manifest(all, sections, created, reason);
    String name = Generations.manifest(generation);
    Manifest.parse(name, generation, manifest.toBytes()); // what is written can be read
    state = State.FAILED;
    writePending(manifest);
    // The names first: a manifest must never outlive the name of a file that it lists.
    SortedSet<String> folders = new TreeSet<>();
    files.finished().stream()
        .map(FileEntry::name)
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

  /// Makes all that was added so far durable, so that a build which is stopped from now on, in
  /// whatever way, can be [resumed][#resume] from here. Only for a build from nothing.
  ///
  /// @param position plain JSON that tells the caller where to go on
  /// @throws IllegalStateException if this generation follows another one
  public void checkpoint(JsonNode position) throws IOException {
    requireState(State.ADDING);
    if (before.end() > 0 || !epochs.isEmpty()) {
      throw new IllegalStateException(
          "%s: only a build from nothing has checkpoints, not a change of a set"
              .formatted(storage));
    }
    if (!scales.isEmpty()) {
      throw new IllegalStateException(
          "%s: a checkpoint does not keep radius scales; rescale items after the last one"
              .formatted(storage));
    }
    state = State.FAILED; // until it stands
    Manifest manifest = manifest(files.sync(), Map.of(STATE, position), Instant.EPOCH, "");
    writePending(manifest);
    storage.syncFolder("");
    storage.rename(Generations.PENDING, Generations.checkpoint(generation));
    storage.syncFolder("");
    kept = true;
    state = State.ADDING;
  }

  private void writePending(Manifest manifest) throws IOException {
    try (HashedFile pending =
        new HashedFile(storage, "manifest", Generations.PENDING, ignored -> {})) {
      pending.write(manifest.toBytes());
    }
  }

  /// Gives the lock back; without a commit or a checkpoint, also deletes what was written, as far
  /// as it can.
  @Override
  public void close() throws IOException {
    if (state == State.CLOSED) {
      return;
    }
    boolean withdraw = state != State.COMMITTING && !kept;
    state = State.CLOSED;
    try (lock) {
      files.abandon();
      if (withdraw) {
        try {
          Generations.sweep(storage, predecessor::holds);
        } catch (IOException e) {
          // the next writer clears it away; throwing here would hide why this one gave up
        }
      }
    }
  }

  private void finishLatents() throws IOException {
    requireOpen();
    if (state == State.LATENTS_DONE) {
      return;
    }
    state = State.FAILED; // until all is written
    files.finishRows();
    known.forgetNames(); // the sketches are in need of their memory
    if (!removed.isEmpty()) {
      writeRemoved();
    }
    if (!scales.isEmpty()) {
      writeRadii();
    }
    state = State.LATENTS_DONE;
  }

  /// Writes all that was removed, in place of the file that told what was removed before.
  private void writeRemoved() throws IOException {
    LivingItems living = before.changed(count(), removed);
    carried.values().removeIf(file -> file.role().equals(Manifest.REMOVED));
    try (HashedFile file =
        files.create(Manifest.REMOVED, Generations.name(Manifest.REMOVED, generation))) {
      file.write(living.toBytes(generation));
      file.count(living.removedCount());
    }
  }

  /// Writes all radius scales in place of the file that told them before; none where all are 1.
  private void writeRadii() throws IOException {
    RadiusScales all = scalesBefore.changed(scales);
    carried.values().removeIf(file -> file.role().equals(Manifest.RADII));
    if (all.areOnes()) {
      return;
    }
    try (HashedFile file =
        files.create(Manifest.RADII, Generations.name(Manifest.RADII, generation))) {
      file.write(all.toBytes(generation));
      file.count(all.otherCount());
    }
  }

  private Manifest manifest(
      List<FileEntry> listed,
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
        listed,
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
