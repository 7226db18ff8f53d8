package spellshield.index;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
import spellshield.index.store.Manifest;
import spellshield.index.store.Storage;
import spellshield.index.store.Verification;

/// A protected set, open for searching.
///
/// Safe for any number of threads. After [#close()] every search answers `IllegalStateException`.
/// The sketches and, once asked for, the graph are read into private memory and checked against the
/// manifest there, so that neither a damaged nor a changing file can mislead a search; latents stay
/// on disk and are checked one by one as they are read.
public final class ProtectedSet implements AutoCloseable {
  private final Storage storage;
  private final LatentStore latents;
  private final SketchTable table;
  private final SetStatistics statistics;
  private final List<Recall> recalls;
  private final ExactScan exact;
  private @Nullable Graph graph;

  private record Graph(DirectoryReader reader, HnswSearch search) {}

  private ProtectedSet(Storage storage, LatentStore latents) throws IOException {
    this.storage = storage;
    this.latents = latents;
    Manifest manifest = latents.manifest();
    this.statistics = SetSections.statistics(manifest);
    this.recalls = SetSections.recalls(manifest);
    FileEntry entry = only(manifest, SetSections.SKETCH);
    try {
      this.table = SketchTable.read(new ByteArrayInputStream(entry.read(storage)));
      this.exact = new ExactScan(table, latents);
    } catch (DamagedSetException e) {
      throw e;
    } catch (IOException | IllegalArgumentException e) {
      throw new DamagedSetException(entry.name(), String.valueOf(e.getMessage()));
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
    return Manifest.openNewest(storage, manifest -> open(storage, manifest, verification));
  }

  private static ProtectedSet open(Storage storage, Manifest manifest, Verification verification)
      throws IOException {
    LatentStore latents = LatentStore.open(storage, manifest, verification);
    try {
      return new ProtectedSet(storage, latents);
    } catch (IOException | RuntimeException e) {
      latents.close();
      throw e;
    }
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
      DirectoryReader reader = DirectoryReader.open(directory);
      return new Graph(reader, new HnswSearch(reader, table, latents));
    } catch (IOException | IllegalArgumentException e) {
      throw new DamagedSetException(SetSections.HNSW, String.valueOf(e.getMessage()));
    }
  }

  /// Returns the latents.
  public LatentReader latents() {
    return latents;
  }

  /// Returns what a latent belongs to.
  public Item item(long item) {
    return latents.item(item);
  }

  /// Returns the number of items.
  public long count() {
    return latents.count();
  }

  /// Returns the space that the latents live in.
  public LatentSpace space() {
    return manifest().space();
  }

  /// Refuses latents of another space.
  ///
  /// @throws FingerprintMismatchException naming both spaces
  public void requireSpace(LatentSpace other) {
    if (!space().fingerprint().equals(other.fingerprint())) {
      throw new FingerprintMismatchException(space(), other);
    }
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

  /// Returns how many in-radius pairs the graph found when it was built, at several radii.
  public List<Recall> hnswRecall() {
    return recalls;
  }

  /// Returns the radius that is a share of the typical distance between two latents of the set.
  ///
  /// @throws IllegalArgumentException if the share is not positive and finite, or the set has fewer
  ///   than two different latents and so no typical distance
  public double radius(double share) {
    NeighborSearch.requireRadius(share);
    if (!(statistics.typicalDistance() > 0)) {
      throw new IllegalArgumentException(
          "a set of %d latents has no typical distance; give the radius in units of the latents"
              .formatted(count()));
    }
    return share * statistics.typicalDistance();
  }

  @Override
  public synchronized void close() throws IOException {
    latents.close();
    if (graph != null) {
      graph.reader().close();
    }
  }

  private static FileEntry only(Manifest manifest, String role) {
    List<FileEntry> files = manifest.files(role);
    if (files.size() != 1) {
      throw new DamagedSetException(
          "manifest", "lists %d files of the role '%s', not 1".formatted(files.size(), role));
    }
    return files.getFirst();
  }
}
