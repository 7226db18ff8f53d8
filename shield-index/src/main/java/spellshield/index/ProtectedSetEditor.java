package spellshield.index;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import spellshield.index.search.SetStatistics;
import spellshield.index.sketch.AddedSketches;
import spellshield.index.sketch.Group;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Epoch;
import spellshield.index.store.FileEntry;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.LatentStore;
import spellshield.index.store.Manifest;
import spellshield.index.store.ScratchFile;
import spellshield.index.store.SetWriter;
import spellshield.index.store.Storage;
import tools.jackson.databind.JsonNode;

/// Adds to a protected set and takes out of it without building it again.
///
/// All that is said between [#begin] and [#commit] becomes one epoch of the set, in one step;
/// killed at any moment, the folder holds the epoch before or the new one. What was there is not
/// read but for its ids and sketches, nor written: the new generation names the same files. Added
/// items get sketches with the directions and steps of the build, removed ones a mark. So each
/// change costs what it is large, but many of them make searches slower;
/// [ProtectedSetBuilder#compacting] puts all into one order again.
///
/// Removed latents are found by no search, yet stay on disk until the set is compacted. One thread
/// at a time, one writer per folder.
///
/// ```java
/// try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder, space)) {
///   editor.remove("cat-1");
///   editor.add(new Item("cat-2", "cats/2.png", "cat"), latent);
///   editor.commit(Instant.now(), "request 17");
/// }
/// ```
public final class ProtectedSetEditor implements ItemSink, AutoCloseable {
  private final Storage storage;
  private final SetWriter writer;
  private final Manifest base;
  private final boolean mayAdd;
  private @Nullable Coverage coverage;

  private ProtectedSetEditor(Storage storage, SetWriter writer, Manifest base, boolean mayAdd) {
    this.storage = storage;
    this.writer = writer;
    this.base = base;
    this.mayAdd = mayAdd;
  }

  /// Begins a change of the set in a folder by which items are removed only.
  ///
  /// @throws java.nio.file.NoSuchFileException if there is no set
  /// @throws spellshield.index.store.DamagedSetException if its manifest or its ids do not verify
  /// @throws IOException if another writer is at work there
  public static ProtectedSetEditor begin(Path folder) throws IOException {
    return begin(DiskStorage.at(folder), Optional.empty());
  }

  /// Begins a change of the set in a folder.
  ///
  /// @param space of the latents that are to be added
  /// @throws FingerprintMismatchException if it is not that of the set
  /// @throws java.nio.file.NoSuchFileException if there is no set
  /// @throws spellshield.index.store.DamagedSetException if its manifest or its ids do not verify
  /// @throws IOException if another writer is at work there
  public static ProtectedSetEditor begin(Path folder, LatentSpace space) throws IOException {
    return begin(DiskStorage.at(folder), Optional.of(space));
  }

  /// Begins a change of the set in a storage; without a space nothing can be added.
  public static ProtectedSetEditor begin(Storage storage, Optional<LatentSpace> space)
      throws IOException {
    SetWriter writer = SetWriter.extend(storage, SetWriter.SHARD_BYTES);
    boolean begun = false;
    try {
      Manifest base = Manifest.newest(storage); // nobody else can commit another one now
      space.ifPresent(other -> FingerprintMismatchException.requireSame(base.space(), other));
      SketchFiles.built(base);
      begun = true;
      return new ProtectedSetEditor(storage, writer, base, space.isPresent());
    } finally {
      if (!begun) {
        writer.close();
      }
    }
  }

  /// Adds an item; refused ones leave the editor as it was.
  ///
  /// @param latent D finite values, not kept
  /// @throws IllegalArgumentException if the latent is none of this space, or the id is in the set
  @Override
  public void add(Item item, float[] latent) throws IOException {
    add(item, latent, 1);
  }

  /// Adds an item whose ball is wider or narrower than those of the others; refused ones leave the
  /// editor as it was.
  ///
  /// @param latent D finite values, not kept
  /// @param radiusScale its ball has this times the radius that is asked for
  /// @throws IllegalArgumentException if the latent is none of this space, the scale not positive
  ///   and finite, or the id is in the set
  public void add(Item item, float[] latent, float radiusScale) throws IOException {
    if (!mayAdd) {
      throw new IllegalStateException(
          "this change was begun without the latent space of what is added; name it at the begin");
    }
    writer.add(item, latent, radiusScale);
  }

  /// Makes the ball of the item with an id wider or narrower; what is refused leaves the editor as
  /// it was.
  ///
  /// @param radiusScale its ball has this times the radius that is asked for; 1 is as all others
  /// @throws IllegalArgumentException if no item of the set has the id, or the scale is not
  ///   positive and finite
  public void rescale(String id, float radiusScale) {
    writer.rescale(id, radiusScale);
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

  /// Removes the image with an id and its variants; the id may then be added again. A latent that
  /// other images share stays until the last of them is removed. What is refused leaves the editor
  /// as it was.
  ///
  /// @throws IllegalArgumentException if no item of the set has the id
  public void remove(String id) throws IOException {
    writer.remove(id);
  }

  /// Says what a radius was measured to cover; the new epoch tells it instead of what was known.
  public void cover(Coverage measured) {
    coverage = measured;
  }

  /// Returns the number of items that were added so far.
  public long addedCount() {
    return writer.addedCount();
  }

  /// Returns the number of items that were removed so far.
  public long removedCount() {
    return writer.removedCount();
  }

  /// Returns the number of items of the set whose balls were made wider or narrower so far.
  public long rescaledCount() {
    return writer.rescaledCount();
  }

  /// Makes the change the newest epoch of the set.
  ///
  /// The clearance of the build's mean is measured anew. The typical distance and the recall of the
  /// graph stay those of the build: radii keep their meaning.
  ///
  /// @param time that the manifest tells
  /// @param reason one line for people, see [Epoch]
  /// @throws IllegalStateException if nothing was added, joined, removed or rescaled, nor a
  ///   coverage said
  public Manifest commit(Instant time, String reason) throws IOException {
    Epoch.requireReason(reason);
    if (!writer.isChanged() && coverage == null) {
      throw new IllegalStateException(
          "nothing was added or removed, nor rescaled, so there is nothing to commit");
    }
    try (LatentStore latents = writer.latents()) {
      SketchFiles before = SketchFiles.read(storage, base, latents.living(), null);
      SketchTable table = before.table();
      if (addedCount() > 0) {
        table = writeAdded(before, latents);
      }
      table = table.scaled(latents.radiusScales());
      SetStatistics statistics = SetSections.statistics(base).measuredAnew(table, latents);
      Map<String, JsonNode> sections = new LinkedHashMap<>();
      base.sections().forEach(name -> base.section(name).ifPresent(s -> sections.put(name, s)));
      long build = SetSections.builtEpoch(base);
      sections.put(SetSections.STATISTICS, SetSections.print(statistics, build));
      sections.put(SetSections.HNSW, SetSections.print(SetSections.recalls(base), build));
      if (coverage != null) {
        sections.put(Coverage.SECTION, coverage.print());
      }
      return writer.commit(sections, time, reason);
    }
  }

  /// Writes the sketches of what was added, and returns the table of the new epoch.
  ///
  /// Earlier additions that are not larger, or smaller than a group, are coded again together with
  /// the new ones, so that many small changes leave few files and no crowd of tiny groups.
  private SketchTable writeAdded(SketchFiles before, LatentStore latents) throws IOException {
    List<FileEntry> files = List.copyOf(before.added().sequencedKeySet());
    int kept = files.size();
    long first = base.count();
    while (kept > 0
        && files.get(kept - 1).count() <= Math.max(Group.ITEMS, latents.count() - first)) {
      kept--;
      first -= files.get(kept).count();
      writer.leaveOut(files.get(kept));
    }
    SketchTable table = before.table();
    AddedSketches more;
    try (ScratchFile scratch = writer.scratch(SetSections.SKETCH)) {
      int from = Math.toIntExact(first);
      more = AddedSketches.of(table, Sketches.of(table.sketcher(), latents, from, scratch));
    }
    try (OutputStream out = writer.file(SetSections.ADDED, SetSections.ADDED, more.count())) {
      more.write(out);
    }
    List<AddedSketches> all =
        new ArrayList<>(before.added().sequencedValues().stream().limit(kept).toList());
    all.add(more);
    return table.with(all).only(latents.living());
  }

  /// Gives up what was not committed.
  @Override
  public void close() throws IOException {
    writer.close();
  }
}
