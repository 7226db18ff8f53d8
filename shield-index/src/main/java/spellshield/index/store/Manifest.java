package spellshield.index.store;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What a protected set consists of: immutable, the root of everything that is verified.
///
/// A set is identified by [#sha256]: the hash of the manifest's bytes, which hold the hashes of all
/// its files and of the generation before it.
public final class Manifest {
  /// The version of the format that this code writes; it also reads version 2, which knows no
  /// shared names, hashes, variants and radius scales, and version 1, which knows neither changes
  /// nor removed items.
  public static final int FORMAT_VERSION = 3;

  static final String LATENTS = "latents";
  static final String ITEMS = "items";
  static final String REMOVED = "removed";
  static final String NAMES = "names";
  static final String RADII = "radii";
  static final int MAX_BYTES = 4 << 20;

  private final long generation;
  private final Instant created;
  private final LatentSpace space;
  private final Precision precision;
  private final long count;
  private final List<FileEntry> files;
  private final Set<String> names = new HashSet<>();
  private final List<Epoch> epochs;
  private final Optional<String> parent;
  private final TreeMap<String, JsonNode> sections = new TreeMap<>();
  private final byte[] bytes;
  private final String sha256;

  /// Builds a manifest and its bytes.
  ///
  /// @param epochs the changes since the set was built, the last one that which made this
  ///   generation
  /// @param parent SHA-256 of the manifest before it, if there is one
  /// @param sections plain JSON of the layers above, by name
  /// @param original the bytes it was read from, if it was
  /// @throws IllegalArgumentException if the parts contradict each other, a section holds more than
  ///   plain finite JSON, or the whole passes 4 MiB or 16 levels
  Manifest(
      long generation,
      Instant created,
      LatentSpace space,
      Precision precision,
      long count,
      List<FileEntry> files,
      List<Epoch> epochs,
      Optional<String> parent,
      Map<String, JsonNode> sections,
      Optional<byte[]> original) {
    this.generation = generation;
    this.created = created;
    this.space = space;
    this.precision = precision;
    this.count = count;
    this.files = List.copyOf(files);
    this.epochs = List.copyOf(epochs);
    this.parent = parent;
    sections.forEach((name, section) -> this.sections.put(name, section.deepCopy()));
    parent.ifPresent(hash -> FileEntry.requireSha256("parent", hash));
    sections.keySet().forEach(FileEntry::requireRole);
    requireConsistent();
    byte[] printed = ManifestText.print(this); // also checks the sections
    bytes = original.orElse(printed).clone();
    sha256 = Hashes.sha256(bytes);
  }

  /// What is done with a manifest to open a set; the files it names may be swept meanwhile.
  @FunctionalInterface
  public interface Opener<T extends @Nullable Object> {
    T open(Manifest manifest) throws IOException;
  }

  /// Opens the newest generation of a folder, whatever that takes.
  ///
  /// A build that commits meanwhile sweeps the files of the generation being opened: that looks
  /// like damage and is none. So if `opener` finds damage and there is a newer generation by then,
  /// it is called again with that one; never with an older one.
  ///
  /// @throws NoSuchFileException if the folder or a manifest in it does not exist
  /// @throws DamagedSetException if the newest generation does not verify
  public static <T extends @Nullable Object> T openNewest(Storage storage, Opener<T> opener)
      throws IOException {
    while (true) {
      long generation = newestGeneration(storage);
      try {
        return opener.open(read(storage, generation));
      } catch (DamagedSetException e) {
        if (newestGeneration(storage) <= generation) {
          throw e;
        }
      }
    }
  }

  /// Reads the newest manifest of a folder: the set.
  ///
  /// @throws NoSuchFileException if the folder or a manifest in it does not exist
  /// @throws DamagedSetException if the newest manifest does not verify; older ones are not tried
  public static Manifest newest(Storage storage) throws IOException {
    return openNewest(storage, manifest -> manifest);
  }

  /// Returns the number of the newest generation, without reading its manifest.
  ///
  /// @throws NoSuchFileException if the folder or a manifest in it does not exist
  public static long newestGeneration(Storage storage) throws IOException {
    List<String> names;
    try {
      names = storage.list();
    } catch (NoSuchFileException e) {
      throw noSet(storage, "the folder does not exist");
    }
    return Generations.newest(names)
        .orElseThrow(() -> noSet(storage, "the folder holds no manifest"));
  }

  /// Reads the manifest of one generation.
  static Manifest read(Storage storage, long generation) throws IOException {
    return readAs(storage, Generations.manifest(generation), generation);
  }

  /// Reads the manifest of a generation from a file of another name.
  static Manifest readAs(Storage storage, String name, long generation) throws IOException {
    byte[] bytes;
    try (InputStream in = storage.open(name)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (NoSuchFileException e) {
      throw new DamagedSetException(name, "is missing", e);
    }
    return parse(name, generation, bytes);
  }

  /// Reads the bytes of one manifest.
  ///
  /// @throws DamagedSetException if they are not a manifest of that generation
  static Manifest parse(String name, long generation, byte[] bytes) {
    Manifest manifest = ManifestText.parse(name, bytes);
    if (manifest.generation != generation) {
      throw new DamagedSetException(
          name, "says generation %d, but its name %d".formatted(manifest.generation, generation));
    }
    return manifest;
  }

  /// Returns the number of this generation, counted from 1.
  public long generation() {
    return generation;
  }

  public Instant created() {
    return created;
  }

  public LatentSpace space() {
    return space;
  }

  public Precision precision() {
    return precision;
  }

  /// Returns the number of items, those that were removed since the last build included.
  public long count() {
    return count;
  }

  /// Returns the number of items that were removed and whose numbers are still taken.
  public long removedCount() {
    return files(REMOVED).stream().mapToLong(FileEntry::count).sum();
  }

  /// Returns the number of items that were not removed.
  public long livingCount() {
    return count - removedCount();
  }

  /// Returns the number of items whose balls are wider or narrower than those of the others.
  public long rescaledCount() {
    return files(RADII).stream().mapToLong(FileEntry::count).sum();
  }

  /// Returns the changes since the set was built, oldest first; the last one made this generation.
  public List<Epoch> epochs() {
    return epochs;
  }

  /// Returns all files, in the order in which they were finished.
  public List<FileEntry> files() {
    return files;
  }

  /// Returns the files of one role, in that order.
  public List<FileEntry> files(String role) {
    return files.stream().filter(file -> file.role().equals(role)).toList();
  }

  /// Returns whether a file is of this set, the manifest itself included.
  boolean holds(String name) {
    return names.contains(name) || name.equals(Generations.manifest(generation));
  }

  /// Returns the SHA-256 of the manifest of the generation before, if there was one.
  public Optional<String> parent() {
    return parent;
  }

  /// Returns the names of the sections, sorted.
  public Set<String> sections() {
    return Collections.unmodifiableSet(sections.keySet());
  }

  /// Returns a copy of a section, if it is there.
  public Optional<JsonNode> section(String name) {
    return Optional.ofNullable(sections.get(name)).map(JsonNode::deepCopy);
  }

  /// Returns the SHA-256 of the manifest's bytes: the identity of the set.
  public String sha256() {
    return sha256;
  }

  /// Returns a copy of the manifest's bytes.
  public byte[] toBytes() {
    return bytes.clone();
  }

  RowFormat rows() {
    return new RowFormat(space.dim(), precision);
  }

  @Override
  public String toString() {
    return "generation %d, %d items of %s, SHA-256 %s"
        .formatted(generation, livingCount(), space, sha256);
  }

  private void requireConsistent() {
    require(generation >= 1, "generation must be at least 1, but was " + generation);
    require(count >= 0, "count must not be negative, but was " + count);
    long rows = 0;
    long records = 0;
    for (FileEntry file : files) {
      String name = file.name();
      require(names.add(name), "%s is named twice".formatted(name));
      long owner = Generations.of(name).orElse(0);
      require(
          owner >= 1 && owner <= generation && !name.equals(Generations.manifest(owner)),
          "%s is no name of generation %d or one before".formatted(name, generation));
      require(
          file.count() <= count,
          "%s has %d items, more than the %d of the set".formatted(name, file.count(), count));
      switch (file.role()) {
        case LATENTS -> {
          requireLength(file, rows().length(file.count()));
          rows = Math.addExact(rows, file.count());
        }
        case ITEMS -> records = Math.addExact(records, file.count());
        case REMOVED -> {
          long words = Math.ceilDiv(file.length() - FileHeader.BYTES, 8);
          requireLength(file, FileHeader.BYTES + 8 * Math.clamp(words, 0, Math.ceilDiv(count, 64)));
        }
        case RADII -> {
          long scales = Math.ceilDiv(file.length() - FileHeader.BYTES, Float.BYTES);
          requireLength(file, FileHeader.BYTES + Float.BYTES * Math.clamp(scales, 0, count));
        }
        default -> {}
      }
    }
    require(rows == count, "count is %d, but the shards hold %d".formatted(count, rows));
    require(
        records == count && !files(ITEMS).isEmpty(),
        "count is %d, but the item tables hold %d: %s".formatted(count, records, files(ITEMS)));
    require(files(REMOVED).size() <= 1, "more than one file tells what was removed");
    require(files(RADII).size() <= 1, "more than one file tells the radius scales");
    requireEpochs();
  }

  private void requireLength(FileEntry file, long length) {
    require(
        file.length() == length,
        "%s has %d items and should have %d bytes, but %d are stated"
            .formatted(file.name(), file.count(), length, file.length()));
  }

  private void requireEpochs() {
    long number = 0;
    long living = 0;
    for (Epoch epoch : epochs) {
      require(
          epoch.number() > number,
          "epoch %d comes after epoch %d".formatted(epoch.number(), number));
      number = epoch.number();
      living = Math.addExact(living, Math.subtractExact(epoch.added(), epoch.removed()));
    }
    require(
        number == generation,
        "the last epoch is %d, but the generation %d".formatted(number, generation));
    require(
        living == livingCount(),
        "by its epochs the set has %d items, but it has %d less %d removed ones"
            .formatted(living, count, removedCount()));
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new IllegalArgumentException(message);
    }
  }

  private static NoSuchFileException noSet(Storage storage, String reason) {
    return new NoSuchFileException(
        storage.toString(), null, "no protected set here: " + reason + "; build one first");
  }
}
