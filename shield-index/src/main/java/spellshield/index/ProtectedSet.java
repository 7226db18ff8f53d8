package spellshield.index;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexOutput;
import org.jspecify.annotations.Nullable;
import spellshield.index.search.ExactScan;
import spellshield.index.search.HnswSearch;
import spellshield.index.search.NeighborSearch;
import spellshield.index.search.Recall;
import spellshield.index.search.SetStatistics;
import spellshield.index.sketch.SketchTable;
import spellshield.index.store.DamagedSetException;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.FileEntry;
import spellshield.index.store.Item;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.LatentStore;
import spellshield.index.store.LivingItems;
import spellshield.index.store.Manifest;
import spellshield.index.store.RadiusScales;
import spellshield.index.store.Storage;
import spellshield.index.store.Verification;

/// One epoch of a protected set, open for searching.
///
/// It never changes: what is added to the folder or removed from it meanwhile is seen by a set that
/// is opened later, or by what [#refresh] returns. Safe for any number of threads. After [#close()]
/// every search answers `IllegalStateException`. The sketches and, once asked for, the graph are
/// read into private memory and checked against the manifest there, so that neither a damaged nor a
/// changing file can mislead a search; latents stay on disk and are checked one by one as they are
/// read.
public final class ProtectedSet implements AutoCloseable {
  private final Storage storage;
  private final Verification verification;
  private final LatentStore latents;
  private final SketchFiles sketches;
  private final SketchTable table;
  private final SetStatistics statistics;
  private final List<Recall> recalls;
  private final Optional<Coverage> coverage;
  private final ExactScan exact;
  private @Nullable Graph graph;

  /// @param files of the index
  private record Graph(List<FileEntry> files, DirectoryReader reader, HnswSearch search) {}

  private ProtectedSet(
      Storage storage,
      Verification verification,
      LatentStore latents,
      @Nullable SketchFiles olderSketches)
      throws IOException {
    this.storage = storage;
    this.verification = verification;
    this.latents = latents;
    Manifest manifest = latents.manifest();
    this.statistics = SetSections.statistics(manifest);
    this.recalls = SetSections.recalls(manifest);
    this.coverage = Coverage.of(manifest);
    this.sketches = SketchFiles.read(storage, manifest, latents.living(), olderSketches);
    this.table = sketches.table().scaled(latents.radiusScales());
    try {
      // An empty set needs no help from its mean.
      double clear = latents.living().count() == 0 ? 0 : statistics.meanClearance();
      this.exact = new ExactScan(table, latents, clear);
    } catch (IllegalArgumentException e) {
      throw new DamagedSetException(sketches.builtFile().name(), String.valueOf(e.getMessage()));
    }
  }

  /// Opens the set in a folder and verifies every file of it, about a second per gigabyte.
  ///
  /// @throws java.nio.file.NoSuchFileException if there is no set in the folder
  /// @throws DamagedSetException if a file is not what the manifest says
  public static ProtectedSet open(Path folder) throws IOException {
    return open(DiskStorage.at(folder), Verification.FULL);
  }

  /// Opens a set; with [Verification#ON_USE] latents are only checked when they are read.
  public static ProtectedSet open(Storage storage, Verification verification) throws IOException {
    return Manifest.openNewest(
        storage,
        manifest ->
            open(storage, verification, LatentStore.open(storage, manifest, verification), null));
  }

  private static ProtectedSet open(
      Storage storage,
      Verification verification,
      LatentStore latents,
      @Nullable SketchFiles olderSketches)
      throws IOException {
    try {
      return new ProtectedSet(storage, verification, latents, olderSketches);
    } catch (IOException | RuntimeException e) {
      latents.close();
      throw e;
    }
  }

  /// Opens the newest epoch, if it is another one than this.
  ///
  /// It shares sketches and graph with this set as far as they are the same, and reads and verifies
  /// only what is new: after a change of some items that takes milliseconds, and where there is
  /// none a look at the names in the folder. Both sets can be used and closed on their own, in any
  /// order; who moves on closes this one when its last search has ended. Numbers of items are the
  /// same in both unless the set was built anew or compacted in between; ids are what lasts.
  ///
  /// @return the newer set, which the caller closes; nothing if this is the newest
  /// @throws DamagedSetException if the newest epoch is not what its manifest says
  /// @throws IllegalStateException if this set is closed
  public synchronized Optional<ProtectedSet> refresh() throws IOException {
    latents.requireOpen();
    if (Manifest.newestGeneration(storage) == epoch()) {
      return Optional.empty();
    }
    ProtectedSet newer =
        Manifest.openNewest(
            storage,
            manifest ->
                open(
                    storage,
                    verification,
                    latents.openNewer(storage, manifest, verification),
                    sketches));
    if (graph != null && graph.files().equals(newer.manifest().files(SetSections.HNSW))) {
      newer.share(graph);
    }
    return Optional.of(newer);
  }

  private synchronized void share(Graph other) throws IOException {
    graph = graph(other.files(), other.reader());
    other.reader().incRef();
  }

  /// Returns the exact search, the default and the only one that may certify.
  public ExactScan exact() {
    return exact;
  }

  /// Returns the search by Lucene's HNSW graph, which is loaded and verified at the first call.
  ///
  /// @throws DamagedSetException if the graph's files are not what the manifest says
  /// @throws IllegalStateException if the set is closed, or was rebuilt since it was opened
  public synchronized HnswSearch hnsw() throws IOException {
    latents.requireOpen();
    if (graph == null) {
      try {
        graph = loadGraph();
      } catch (DamagedSetException e) {
        long newest = Manifest.newest(storage).generation();
        if (newest > manifest().generation()) {
          throw new IllegalStateException(
              "generation %d of the set was replaced by %d before its graph was asked for; open the set again"
                  .formatted(manifest().generation(), newest),
              e);
        }
        throw e;
      }
    }
    return graph.search();
  }

  private Graph loadGraph() throws IOException {
    Directory directory = new ByteBuffersDirectory();
    // Lucene checks no vector when it opens an index: it only sees bytes that were checked before.
    for (FileEntry entry : manifest().files(SetSections.HNSW)) {
      String name = entry.name().substring(entry.name().indexOf('/') + 1);
      try (IndexOutput out = directory.createOutput(name, IOContext.DEFAULT)) {
        byte[] bytes = entry.read(storage);
        out.writeBytes(bytes, bytes.length);
      }
    }
    try {
      return graph(manifest().files(SetSections.HNSW), DirectoryReader.open(directory));
    } catch (IOException | IllegalArgumentException e) {
      throw new DamagedSetException(SetSections.HNSW, String.valueOf(e.getMessage()));
    }
  }

  private Graph graph(List<FileEntry> files, DirectoryReader reader) throws IOException {
    return new Graph(
        files, reader, new HnswSearch(reader, table, latents, latents.living(), exact));
  }

  /// Returns the latents by number, those of removed items included.
  public LatentReader latents() {
    return latents;
  }

  LatentStore store() {
    return latents;
  }

  /// Returns what a latent belongs to; of several images that share it the first.
  public Item item(long item) {
    return latents.item(item);
  }

  /// Returns all images that share a latent, those of equal files, at least one.
  public List<Item> items(long item) {
    return latents.items(item);
  }

  /// Returns the number of protected items.
  public long count() {
    return latents.living().count();
  }

  /// Returns which numbers are those of protected items.
  public LivingItems living() {
    return latents.living();
  }

  /// Returns how wide the balls of the items are, as shares of the radius that is asked for.
  public RadiusScales radiusScales() {
    return latents.radiusScales();
  }

  /// Returns the number of this epoch, which grows with every change of the set.
  public long epoch() {
    return manifest().generation();
  }

  /// Returns the space that the latents live in.
  public LatentSpace space() {
    return manifest().space();
  }

  /// Refuses latents of another space.
  ///
  /// @throws FingerprintMismatchException naming both spaces
  public void requireSpace(LatentSpace other) {
    FingerprintMismatchException.requireSame(space(), other);
  }

  /// Returns the set's identity: the SHA-256 of its manifest, which names the SHA-256 of every
  /// file.
  public String id() {
    return manifest().sha256();
  }

  public Manifest manifest() {
    return latents.manifest();
  }

  public SetStatistics statistics() {
    return statistics;
  }

  /// Returns what a radius was measured to cover, where it was.
  public Optional<Coverage> coverage() {
    return coverage;
  }

  /// Returns how many in-radius pairs the graph found when it was built, at several radii.
  public List<Recall> hnswRecall() {
    return recalls;
  }

  /// Returns the radius that is a share of the typical distance between two latents of the set when
  /// it was built: adding and removing leaves radii as they are.
  ///
  /// @throws IllegalArgumentException if the share is not positive and finite, or the set was built
  ///   of fewer than two different latents and so has no typical distance
  public double radius(double share) {
    NeighborSearch.requireRadius(share);
    if (!(statistics.typicalDistance() > 0)) {
      throw new IllegalArgumentException(
          "a set built of %d latents has no typical distance; give the radius in units of the latents"
              .formatted(table.builtCount()));
    }
    return share * statistics.typicalDistance();
  }

  @Override
  public synchronized void close() throws IOException {
    latents.close();
    if (graph != null) {
      graph.reader().decRef(); // an epoch that shares it may go on
      graph = null;
    }
  }
}
