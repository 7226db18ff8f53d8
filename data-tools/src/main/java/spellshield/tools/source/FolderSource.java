package spellshield.tools.source;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.UnreadableImageException;

/// All pictures in a folder and the folders in it, sorted by id.
///
/// The id is the path below the folder, with `/`; the label is the name of the folder that the file
/// lies in, or empty for files right in the given one. Where a [NameTable] lies beside the files,
/// it gives names and labels instead. Hidden files and folders, `*.tsv`, and files called LICENSE,
/// README or NOTICE (also `LICENSE-names`) are skipped; every other file is an entry, readable or
/// not. Links to files are followed, links to folders are not: each of those is an unreadable
/// entry.
public final class FolderSource implements ImageSource {
  private final Path root;
  private final List<Found> found;
  private final List<String> skipped;

  /// A file, or (with a reason) something that cannot be read as one.
  private record Found(Origin origin, Path path, String reason) {}

  private FolderSource(Path root, List<Found> found, List<String> skipped) {
    this.root = root;
    this.found = found;
    this.skipped = skipped;
  }

  /// Lists a folder; no picture is read yet.
  ///
  /// @throws IOException if there is nothing to read in it, or a table of names is damaged
  public static FolderSource open(Path folder) throws IOException {
    Walk walk = new Walk(folder.toRealPath());
    Files.walkFileTree(walk.root, walk);
    if (walk.found.isEmpty()) {
      throw new IOException(
          "%s: no pictures in this folder (%d files skipped by name); name one that holds some"
              .formatted(folder, walk.skipped.size()));
    }
    walk.found.sort(Comparator.comparing(f -> f.origin().id()));
    for (int i = 1; i < walk.found.size(); i++) {
      String id = walk.found.get(i).origin().id();
      if (id.equals(walk.found.get(i - 1).origin().id())) { // names that no charset tells apart
        throw new IOException(
            "%s: two files have the id '%s'; rename one of them".formatted(folder, id));
      }
    }
    Collections.sort(walk.skipped);
    return new FolderSource(folder, List.copyOf(walk.found), List.copyOf(walk.skipped));
  }

  @Override
  public Stream<Entry> entries() {
    return found.stream().map(FolderSource::read);
  }

  private static Entry read(Found file) {
    if (!file.reason().isEmpty()) {
      return new Entry.Unreadable(file.origin(), file.reason());
    }
    try {
      return new Entry.Picture(file.origin(), ImageDoor.read(file.path()));
    } catch (UnreadableImageException e) {
      return new Entry.Unreadable(file.origin(), String.valueOf(e.getMessage()));
    }
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(found.size());
  }

  /// Returns the ids of what was skipped by its name, sorted; folders end with `/`.
  public List<String> skipped() {
    return skipped;
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "folder %s: %,d files, %d skipped by name",
        root,
        found.size(),
        skipped.size());
  }

  private static final class Walk extends SimpleFileVisitor<Path> {
    private final Path root;
    private final List<Found> found = new ArrayList<>();
    private final List<String> skipped = new ArrayList<>();
    private final Map<Path, NameTable> tables = new HashMap<>();

    Walk(Path root) {
      this.root = root;
    }

    @Override
    public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
        throws IOException {
      if (!folder.equals(root) && fileName(folder).startsWith(".")) {
        skipped.add(id(folder) + "/");
        return FileVisitResult.SKIP_SUBTREE;
      }
      tables.put(folder, NameTable.beside(folder));
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
      if (isSkipped(fileName(file))) {
        skipped.add(id(file));
      } else if (Files.isRegularFile(file)) { // also behind a link
        found.add(new Found(origin(file), file, ""));
      } else {
        String what =
            Files.isDirectory(file)
                ? "a link to a folder, which is not followed; name that folder itself"
                : "not a regular file (a broken link or a device); remove it";
        found.add(new Found(origin(file), file, file + ": " + what));
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) {
      found.add(new Found(origin(file), file, file + ": cannot be opened (" + e + ")"));
      return FileVisitResult.CONTINUE;
    }

    private Origin origin(Path file) {
      String stem = stem(fileName(file));
      Path folder = file.getParent();
      String label = folder == null || folder.equals(root) ? "" : fileName(folder);
      NameTable.Row row =
          tables.getOrDefault(folder, NameTable.EMPTY).row(stem, new NameTable.Row(stem, label));
      return new Origin(id(file), file.toString(), row.group(), row.name());
    }

    private String id(Path file) {
      return root.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
    }

    private static String fileName(Path file) {
      return String.valueOf(file.getFileName());
    }

    private static String stem(String name) {
      int dot = name.lastIndexOf('.');
      return dot > 0 ? name.substring(0, dot) : name;
    }

    private static boolean isSkipped(String name) {
      return name.startsWith(".")
          || name.toLowerCase(Locale.ROOT).endsWith(".tsv")
          || name.matches("(LICENSE|README|NOTICE)([.-].*)?");
    }
  }
}
