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
/// The id is the path below the folder, with `/`, and the label the name of the folder that the
/// file lies in, both by the rules of [PicturePath]. Where a [NameTable] lies beside the files, it
/// gives names and labels instead. Hidden files and folders, `*.tsv`, and files called LICENSE,
/// README or NOTICE (also `LICENSE-names`) are skipped; every other file is an entry, readable or
/// not.
///
/// A folder with ImageNet in it as Kaggle packs it (`ILSVRC/Data/CLS-LOC/…`) stands for its
/// training pictures, whose classes have to be those of `LOC_synset_mapping.txt` where that lies
/// there too. Links to files are followed, links to folders are not: each of those is an unreadable
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

  /// Lists a folder, or what a pattern such as `pictures/2024-*` matches; no picture is read yet.
  ///
  /// @throws IOException if there is nothing to read in it, or a table of names is damaged
  public static FolderSource open(Path folder) throws IOException {
    Walk walk;
    if (Glob.is(folder)) {
      walk = new Walk(Glob.folder(folder).toRealPath(), SynsetMapping.in(Glob.folder(folder)));
      walk.begin();
      for (Path match : Glob.matches(folder)) {
        Files.walkFileTree(walk.root.resolve(match.getFileName()), walk);
      }
    } else if (Files.isDirectory(folder)) {
      walk = new Walk(training(folder).toRealPath(), SynsetMapping.above(folder));
      Files.walkFileTree(walk.root, walk);
    } else {
      throw new IOException(folder + ": not a folder; name one of pictures");
    }
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

  /// Returns the training pictures of ImageNet as Kaggle packs it, or the folder itself.
  private static Path training(Path folder) {
    Path whole = folder.resolve(ZipSource.CLS_LOC);
    Path inside = folder.resolveSibling(ZipSource.CLS_LOC); // of a folder ILSVRC
    if (folder.endsWith("ILSVRC") && Files.isDirectory(inside)) {
      return inside;
    }
    return Files.isDirectory(whole) ? whole : folder;
  }

  @Override
  public Stream<Stored> stored(long from) {
    return found.stream().skip(from).map(FolderSource::read);
  }

  private static Stored read(Found file) {
    if (!file.reason().isEmpty()) {
      return Stored.unreadable(file.origin(), file.reason());
    }
    try {
      return Stored.file(file.origin(), ImageDoor.bytes(file.path()));
    } catch (UnreadableImageException e) {
      return Stored.unreadable(file.origin(), e);
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

    private final SynsetMapping mapping;

    Walk(Path root, SynsetMapping mapping) {
      this.root = root;
      this.mapping = mapping;
    }

    /// Reads what lies beside files that are visited without their folder.
    void begin() throws IOException {
      tables.put(root, NameTable.beside(root));
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
    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
      if (new PicturePath(List.of(), fileName(file)).isSkipped()) {
        skipped.add(id(file));
      } else if (Files.isRegularFile(file)) { // also behind a link
        add(file, "");
      } else {
        add(
            file,
            Files.isDirectory(file)
                ? "a link to a folder, which is not followed; name that folder itself"
                : "not a regular file (a broken link or a device); remove it");
      }
      return FileVisitResult.CONTINUE;
    }

    @Override
    public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
      add(file, "cannot be opened (" + e + ")");
      return FileVisitResult.CONTINUE;
    }

    private void add(Path file, String reason) throws IOException {
      List<String> parts = new ArrayList<>();
      root.relativize(file).forEach(part -> parts.add(part.toString()));
      Origin origin;
      try {
        origin = PicturePath.of(parts).origin(file.toString());
      } catch (IOException e) { // a name that no item can have
        String id = id(file);
        found.add(new Found(new Origin(id, file.toString(), "", id), file, Reason.of(e)));
        return;
      }
      NameTable.Row row =
          tables
              .getOrDefault(file.getParent(), NameTable.EMPTY)
              .row(origin.name(), new NameTable.Row(origin.name(), origin.label()));
      Origin named = new Origin(origin.id(), origin.source(), row.group(), row.name());
      found.add(new Found(mapping.named(named), file, reason));
    }

    private String id(Path file) {
      return root.relativize(file).toString().replace(file.getFileSystem().getSeparator(), "/");
    }

    private static String fileName(Path file) {
      return String.valueOf(file.getFileName());
    }
  }
}
