package spellshield.index;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.Directory;
import spellshield.index.search.ExactScan;
import spellshield.index.search.HnswSearch;
import spellshield.index.search.Recall;
import spellshield.index.search.SetStatistics;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Epoch;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.LatentStore;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.index.store.ScratchFile;
import spellshield.index.store.SetWriter;
import spellshield.index.store.Storage;
import tools.jackson.databind.JsonNode;

/// Builds a protected set: latents in, a folder out.
///
/// The folder holds the old set, or none, until [#commit] returns; killed at any moment it still
/// does, and goes on from its last [checkpoint][#checkpoint], if it made any. One thread at a time,
/// one builder per folder.
///
/// ```java
/// try (ProtectedSetBuilder builder = ProtectedSetBuilder.begin(folder, space, Precision.FLOAT32)) {
///   builder.add(new Item("cat-1", "cats/1.png", "cat"), latent);
///   builder.commit(Instant.now());
/// }
/// ```
public final class ProtectedSetBuilder implements ItemSink, AutoCloseable {

  /// The number of principal directions of a head, which the graph is made of.
  public static final int SKETCH_DIM = 63;

  /// The number of further directions, which only the scan knows; with those of the head and ρ′, a
  /// multiple of eight.
  public static final int TAIL_DIM = 63;

  private static final int RECALL_QUERIES = 256;
  private static final long RECALL_SEED = 0x4eca11;

  private final SetWriter writer;
  private Consumer<String> listener = stage -> {};
  private Optional<Coverage> coverage = Optional.empty();

  private ProtectedSetBuilder(SetWriter writer) {
    this.writer = writer;
  }

  /// Begins the next generation of the set in a folder, which is made where needed.
  ///
  /// @throws IOException if another builder is at work there, or the folder holds other things
  public static ProtectedSetBuilder begin(Path folder, LatentSpace space, Precision precision)
      throws IOException {
    return begin(DiskStorage.at(folder), space, precision);
  }

  /// Begins the next generation of the set in a storage.
  public static ProtectedSetBuilder begin(Storage storage, LatentSpace space, Precision precision)
      throws IOException {
    return new ProtectedSetBuilder(SetWriter.begin(storage, space, precision));
  }

  /// Returns the build in a folder that was stopped after its last checkpoint, if there is one: the
  /// set that it would have become there.
  ///
  /// @throws spellshield.index.store.DamagedSetException if the checkpoint is damaged; to begin a
  ///   build gives it up
  public static Optional<Manifest> unfinished(Path folder) throws IOException {
    return SetWriter.unfinished(DiskStorage.at(folder));
  }

  /// Returns what the last checkpoint of an unfinished build was given.
  public static JsonNode position(Manifest unfinished) {
    return unfinished.section(SetWriter.STATE).orElseThrow();
  }

  /// Goes on with the build that [#unfinished] returns; what was added after its last checkpoint is
  /// to be added again. What is there is compared with its hashes.
  ///
  /// @throws java.nio.file.NoSuchFileException if there is none
  /// @throws spellshield.index.store.DamagedSetException if it does not verify
  /// @throws IOException if another builder is at work there
  public static ProtectedSetBuilder resume(Path folder) throws IOException {
    return new ProtectedSetBuilder(SetWriter.resume(DiskStorage.at(folder), SetWriter.SHARD_BYTES));
  }

  /// Begins the next generation of the set in a folder with all that lives in it, in one order and
  /// without what was removed; ids stay, numbers of items change. The latents keep every bit.
  ///
  /// @throws java.nio.file.NoSuchFileException if there is no set
  /// @throws spellshield.index.store.DamagedSetException if it does not verify
  /// @throws IOException if another builder is at work there
  public static ProtectedSetBuilder compacting(Path folder) throws IOException {
    return compacting(DiskStorage.at(folder));
  }

  /// Begins the next generation of the set in a storage with all that lives in it.
  public static ProtectedSetBuilder compacting(Storage storage) throws IOException {
    ProtectedSetBuilder builder =
        new ProtectedSetBuilder(SetWriter.rewrite(storage, SetWriter.SHARD_BYTES));
    boolean begun = false;
    try {
      builder.coverage = Coverage.of(Manifest.newest(storage)); // nobody can commit another now
      begun = true;
      return builder;
    } finally {
      if (!begun) {
        builder.close();
      }
    }
  }

  /// Returns how many items were added to a set or removed from it since it was built or compacted.
  public static long changesSinceBuild(Manifest manifest) {
    long built = SetSections.builtEpoch(manifest);
    return manifest.epochs().stream()
        .filter(epoch -> epoch.number() > built)
        .mapToLong(epoch -> epoch.added() + epoch.removed())
        .sum();
  }

  /// Has the listener told, in a word or two, what [#commit] is at.
  public ProtectedSetBuilder onStage(Consumer<String> listener) {
    this.listener = listener;
    return this;
  }

  /// Appends an item; refused ones leave the builder as it was.
  ///
  /// @param latent D finite values, not kept
  @Override
  public void add(Item item, float[] latent) throws IOException {
    writer.add(item, latent);
  }

  @Override
  public OptionalLong holding(String sha256) {
    return writer.holding(sha256);
  }

  @Override
  public void join(Item item, long number) throws IOException {
    writer.join(item, number);
  }

  @Override
  public boolean contains(String id) {
    return writer.contains(id);
  }

  /// Adds all that is protected by another set of the same space and precision, bit for bit, with
  /// its rounding errors and variants: many machines may encode a part each.
  ///
  /// An image whose id and latent are here already is skipped; one of a file that is here already
  /// shares its latent.
  ///
  /// @return the number of images that were skipped
  /// @throws FingerprintMismatchException if the set is of another space
  /// @throws IllegalArgumentException if its precision is another one, or an id stands for two
  ///   different images; what was added before stays
  public long addAll(ProtectedSet part) throws IOException {
    part.requireSpace(writer.space());
    return writer.addAll(part.store());
  }

  /// Makes all that was added so far durable: a build that is stopped from now on, in whatever way,
  /// can be [resumed][#resume] from here. Takes some fsyncs, so every few seconds is often enough.
  ///
  /// @param position plain JSON that tells the caller where to go on
  public void checkpoint(JsonNode position) throws IOException {
    writer.checkpoint(position);
  }

  /// Appends an item whose ball is wider or narrower than those of the others; refused ones leave
  /// the builder as it was.
  ///
  /// @param latent D finite values, not kept
  /// @param radiusScale its ball has this times the radius that is asked for; positive and finite
  public void add(Item item, float[] latent, float radiusScale) throws IOException {
    writer.add(item, latent, radiusScale);
  }

  /// Makes the ball of an item that was added wider or narrower; what is refused leaves the builder
  /// as it was.
  ///
  /// @param radiusScale its ball has this times the radius that is asked for; positive and finite
  /// @throws IllegalArgumentException if no item has the id, or the scale is not positive and
  ///   finite
  public void rescale(String id, float radiusScale) {
    writer.rescale(id, radiusScale);
  }

  /// Returns the number of items so far.
  public long count() {
    return writer.count();
  }

  /// Computes sketches, graph and statistics, and makes the new generation the set.
  ///
  /// @param created the time that the manifest tells
  public Manifest commit(Instant created) throws IOException {
    return commit(created, "built");
  }

  /// Computes sketches, graph and statistics, and makes the new generation the set.
  ///
  /// @param created the time that the manifest tells
  /// @param reason one line for people, see [Epoch]
  public Manifest commit(Instant created, String reason) throws IOException {
    Epoch.requireReason(reason);
    try (LatentStore latents = writer.latents()) {
      Map<String, JsonNode> sections = writeSearches(latents);
      listener.accept("commit");
      return writer.commit(sections, created, reason);
    }
  }

  /// Writes codes and graph, and returns what the manifest tells of them.
  private Map<String, JsonNode> writeSearches(LatentStore latents) throws IOException {
    try (ScratchFile scratch = writer.scratch(SetSections.SKETCH)) {
      listener.accept("principal directions");
      Sketcher sketcher = Sketcher.fit(latents, SKETCH_DIM, TAIL_DIM);
      listener.accept("sketches");
      Sketches sketches = Sketches.of(sketcher, latents, 0, scratch);
      SketchTable table = SketchTable.of(sketches);
      try (OutputStream out = writer.file(SetSections.SKETCH, SetSections.SKETCH)) {
        table.write(out);
      }
      table = table.scaled(latents.radiusScales());
      SetStatistics statistics = SetStatistics.of(table, latents);
      listener.accept("graph");
      List<Recall> recalls = writeGraph(sketches, table, latents, statistics);
      Map<String, JsonNode> sections = new LinkedHashMap<>();
      sections.put(SetSections.STATISTICS, SetSections.print(statistics, writer.generation()));
      sections.put(SetSections.HNSW, SetSections.print(recalls, writer.generation()));
      coverage
          .filter(known -> statistics.typicalDistance() > 0)
          .map(known -> known.withTypical(statistics.typicalDistance()))
          .ifPresent(known -> sections.put(Coverage.SECTION, known.print()));
      return sections;
    }
  }

  private List<Recall> writeGraph(
      Sketches sketches, SketchTable table, LatentStore latents, SetStatistics statistics)
      throws IOException {
    try (Directory directory = new GraphDirectory(writer)) {
      HnswSearch.build(sketches, directory);
      listener.accept("recall of the graph");
      try (DirectoryReader reader = DirectoryReader.open(directory)) {
        return Recall.measure(
            new ExactScan(table, latents),
            new HnswSearch(reader, table, latents),
            latents,
            SetSections.recallRadii(statistics),
            RECALL_QUERIES,
            RECALL_SEED);
      }
    }
  }

  /// Gives up what was not committed.
  @Override
  public void close() throws IOException {
    writer.close();
  }
}
