package spellshield.tools.source;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.parquet.ParquetPictures;
import spellshield.tools.parquet.ParquetRows;

/// Pictures in parquet files of Hugging Face, such as the shards of `imagenet-1k`.
///
/// Ids and labels follow from the path in the row ([PicturePath]); a picture whose path has no
/// folder lies in one of its class's name, and one without a path is called after its file and row.
/// A synset in the path is the label; else the name of the class in the file's metadata, or its
/// number (through `LOC_synset_mapping.txt` beside the files).
public final class ParquetSource implements ImageSource {
  private final String shown;
  private final List<Shard> shards;
  private final SynsetMapping mapping;

  private record Shard(Path file, long count, List<String> classes) {}

  private ParquetSource(String shown, List<Shard> shards, SynsetMapping mapping) {
    this.shown = shown;
    this.shards = shards;
    this.mapping = mapping;
  }

  /// Reads the footers of files; no picture is read yet.
  ///
  /// @param shown what the user named
  /// @param files at least one, in the order in which they are read
  /// @throws IOException if one of them is damaged or has other columns
  static ParquetSource open(Path shown, List<Path> files) throws IOException {
    List<Shard> shards = new ArrayList<>();
    for (Path file : files) {
      try (ParquetPictures pictures = ParquetPictures.open(file)) {
        shards.add(new Shard(file, pictures.count(), pictures.classes()));
      }
    }
    Path folder = files.getFirst().toAbsolutePath().getParent();
    return new ParquetSource(
        shown.toString(),
        List.copyOf(shards),
        folder == null ? SynsetMapping.NONE : SynsetMapping.in(folder));
  }

  @Override
  public Stream<Stored> stored(long from) {
    return Pull.stream(new Reader(from));
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(shards.stream().mapToLong(Shard::count).sum());
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "parquet %s: %,d pictures in %,d files, %,d named classes",
        shown,
        count().orElseThrow(),
        shards.size(),
        shards.getFirst().classes().size());
  }

  /// One pass over the rows of all files.
  private final class Reader implements Pull<Stored> {
    private final Hollow hollow = new Hollow(shown);
    private long toSkip;
    private int next; // the next file
    private @Nullable ParquetPictures pictures;
    private @Nullable ParquetRows rows;
    private long row;

    Reader(long from) {
      this.toSkip = from;
    }

    @Override
    public @Nullable Stored next() throws IOException {
      while (rows != null || openNext()) {
        ParquetPictures.Row content = rows == null ? null : rows.next();
        if (content != null) {
          return stored(shards.get(next - 1), row++, content);
        }
        close();
      }
      return null;
    }

    private boolean openNext() throws IOException {
      while (next < shards.size() && toSkip >= shards.get(next).count()) {
        toSkip -= shards.get(next++).count();
      }
      if (next == shards.size()) {
        return false;
      }
      pictures = ParquetPictures.open(shards.get(next++).file());
      rows = pictures.rows(toSkip);
      row = toSkip;
      toSkip = 0;
      return true;
    }

    private Stored stored(Shard shard, long row, ParquetPictures.Row content) throws IOException {
      String source = shard.file() + "[" + row + "]";
      Origin origin;
      try {
        origin = origin(shard, row, content, source);
      } catch (IOException e) {
        return empty(new Origin(source, source, "", source), Reason.of(e));
      }
      byte[] bytes = content.bytes();
      if (bytes == null) {
        return empty(origin, "the row holds no picture (only where it was); embed it");
      }
      if (bytes.length == 0) {
        return empty(origin, "the picture is empty; fetch it again or remove it");
      }
      if (bytes.length > ImageDoor.MAX_FILE) {
        return empty(origin, Stored.tooLarge(bytes.length));
      }
      hollow.picture();
      return Stored.file(origin, bytes);
    }

    private Stored empty(Origin origin, String reason) throws IOException {
      hollow.hollow(reason);
      return Stored.unreadable(origin, reason);
    }

    private Origin origin(Shard shard, long row, ParquetPictures.Row content, String source)
        throws IOException {
      long number = content.label();
      String cls = number < 0 ? "" : Long.toString(number);
      boolean named = number >= 0 && number < shard.classes().size();
      cls = named ? shard.classes().get((int) number) : mapping.synset(cls);
      String stem = PicturePath.stem(String.valueOf(shard.file().getFileName()));
      PicturePath path =
          content.path().isEmpty()
              ? PicturePath.of(List.of(stem, String.format(Locale.ROOT, "%08d", row)))
              : PicturePath.parse(content.path()).orInClass(Reason.line(cls));
      Origin origin = path.origin(source);
      boolean synset = PicturePath.isSynset(origin.label());
      String label = synset || cls.isEmpty() ? origin.label() : Reason.line(cls);
      String name = named && synset ? Reason.line(cls) : origin.name();
      return mapping.named(new Origin(origin.id(), source, label, name));
    }

    @Override
    public void close() throws IOException {
      if (rows != null) {
        rows.close();
        rows = null;
      }
      if (pictures != null) {
        pictures.close();
        pictures = null;
      }
    }
  }
}
