package spellshield.index;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import spellshield.index.sketch.AddedSketches;
import spellshield.index.sketch.SketchTable;
import spellshield.index.store.DamagedSetException;
import spellshield.index.store.FileEntry;
import spellshield.index.store.LivingItems;
import spellshield.index.store.Manifest;
import spellshield.index.store.Storage;

/// The sketches of one epoch, read from the files that its manifest lists.
///
/// @param builtFile the sketches of the build
/// @param table of all living items
/// @param added what came after the build, by file
record SketchFiles(
    FileEntry builtFile, SketchTable table, SequencedMap<FileEntry, AddedSketches> added) {

  /// Reads the sketches of a manifest.
  ///
  /// @param older an epoch that may share files with this one, or null
  /// @throws DamagedSetException if a file is not what the manifest says
  static SketchFiles read(
      Storage storage, Manifest manifest, LivingItems living, @Nullable SketchFiles older)
      throws IOException {
    FileEntry builtFile = built(manifest);
    if (older == null || !older.builtFile.equals(builtFile)) {
      SketchTable table =
          parse(storage, builtFile, bytes -> SketchTable.read(new ByteArrayInputStream(bytes)));
      older = new SketchFiles(builtFile, table, new LinkedHashMap<>());
    }
    // What an earlier epoch of a build lacks, a later one lacks, too.
    SketchTable table = older.table;
    SequencedMap<FileEntry, AddedSketches> added = new LinkedHashMap<>();
    for (FileEntry file : manifest.files(SetSections.ADDED)) {
      AddedSketches part = older.added.get(file);
      if (part == null) {
        part =
            parse(
                storage, file, bytes -> AddedSketches.read(new ByteArrayInputStream(bytes), table));
      }
      added.put(file, part);
    }
    try {
      SketchTable whole = table.with(List.copyOf(added.values())).only(living);
      return new SketchFiles(builtFile, whole, added);
    } catch (IllegalArgumentException e) {
      throw new DamagedSetException("manifest", String.valueOf(e.getMessage()));
    }
  }

  /// Returns the file with the sketches of the build.
  static FileEntry built(Manifest manifest) {
    List<FileEntry> files = manifest.files(SetSections.SKETCH);
    if (files.size() != 1) {
      throw new DamagedSetException(
          "manifest",
          "lists %d files of the role '%s', not 1".formatted(files.size(), SetSections.SKETCH));
    }
    return files.getFirst();
  }

  private interface Parser<T> {
    T parse(byte[] bytes) throws IOException;
  }

  private static <T> T parse(Storage storage, FileEntry file, Parser<T> parser) throws IOException {
    byte[] bytes = file.read(storage);
    try {
      return parser.parse(bytes);
    } catch (IOException | IllegalArgumentException e) {
      throw new DamagedSetException(file.name(), String.valueOf(e.getMessage()));
    }
  }
}
