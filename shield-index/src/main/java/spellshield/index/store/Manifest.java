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
  /// The version of the format that this code writes and reads.
  public static final int FORMAT_VERSION = 1;

  static final String LATENTS = "latents";
  static final String ITEMS = "items";
  static final int MAX_BYTES = 4 << 20;

  private final long generation;
  private final Instant created;
  private final LatentSpace space;
  private final Precision precision;
  private final long count;
  private final List<FileEntry> files;
  private final Optional<String> parent;
  private final TreeMap<String, JsonNode> sections = new TreeMap<>();
  private final byte[] bytes;
  private final String sha256;

  /// Builds a manifest and its bytes.
  ///
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
      Optional<String> parent,
      Map<String, JsonNode> sections,
      Optional<byte[]> original) {
    this.generation = generation;
    this.created = created;
    this.space = space;
    this.precision = precision;
    this.count = count;
    this.files = List.copyOf(files);
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

  private static long newestGeneration(Storage storage) throws IOException {
    List<String> names;
    try {
      names = storage.list();
    } catch (NoSuchFileException e) {
      throw noSet(storage, "the folder does not exist");
    }
    return Generations.newest(names)
        .orElseThrow(() -> noSet(storage, "the folder holds no manifest"));
  }

  private static Manifest read(Storage storage, long generation) throws IOException {
    String name = Generations.manifest(generation);
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

  public int formatVersion() {
    return FORMAT_VERSION;
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

  /// Returns the number of items.
  public long count() {
    return count;
  }

  /// Returns all files, in the order in which they were finished.
  public List<FileEntry> files() {
    return files;
  }

  /// Returns the files of one role, in that order.
  public List<FileEntry> files(String role) {
    return files.stream().filter(file -> file.role().equals(role)).toList();
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
    return "generation %d, %d items of %s, SHA-256 %s".formatted(generation, count, space, sha256);
  }

  private void requireConsistent() {
    require(generation >= 1, "generation must be at least 1, but was " + generation);
    require(count >= 0, "count must not be negative, but was " + count);
    Set<String> names = new HashSet<>();
    long items = 0;
    for (FileEntry file : files) {
      String name = file.name();
      require(names.add(name), "%s is named twice".formatted(name));
      require(
          Generations.of(name).orElse(0) == generation
              && !name.equals(Generations.manifest(generation)),
          "%s is no name of generation %d".formatted(name, generation));
      if (file.role().equals(LATENTS)) {
        long length = rows().length(file.count());
        require(
            file.count() <= count && file.length() == length,
            "%s has %d rows and should have %d bytes, but %d are stated"
                .formatted(name, file.count(), length, file.length()));
        items = Math.addExact(items, file.count());
      }
    }
    require(items == count, "count is %d, but the shards hold %d".formatted(count, items));
    List<FileEntry> tables = files(ITEMS);
    require(
        tables.size() == 1 && tables.getFirst().count() == count,
        "there must be one item table of %d items, but there is %s".formatted(count, tables));
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
