package spellshield.tools.parquet;

import dev.hardwood.HardwoodContext;
import dev.hardwood.InputFile;
import dev.hardwood.metadata.ColumnChunk;
import dev.hardwood.metadata.ColumnMetaData;
import dev.hardwood.metadata.FileMetaData;
import dev.hardwood.metadata.PhysicalType;
import dev.hardwood.metadata.RepetitionType;
import dev.hardwood.metadata.RowGroup;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.schema.ColumnSchema;
import dev.hardwood.schema.FileSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import spellshield.tools.tensor.StrictJson;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// A parquet file with pictures in it.
///
/// ```text
/// image   struct{bytes binary, path string}      or img; path may be null or absent
/// label   int64, an index into the names that the file's metadata may have; may be absent
/// ```
///
/// The footer is refused when its columns do not lie in the file, or claim to unpack to over 100
/// times their size.
public final class ParquetPictures implements AutoCloseable {
  private static final int MAX_RATIO = 100;
  private static final long SMALL = 1 << 20; // bytes

  private final Path file;
  private final HardwoodContext threads;
  private final ParquetFileReader reader;
  private final Columns columns;

  /// What a row holds.
  ///
  /// @param bytes the picture's file; null where the cell is
  /// @param path what it was called; empty where nothing says so
  /// @param label the number of its class; below 0 if there is none
  public record Row(byte @Nullable [] bytes, String path, long label) {}

  /// The names of the columns; those that are absent are empty.
  record Columns(String bytes, String path, String label) {}

  private ParquetPictures(
      Path file, HardwoodContext threads, ParquetFileReader reader, Columns columns) {
    this.file = file;
    this.threads = threads;
    this.reader = reader;
    this.columns = columns;
  }

  /// Reads and checks the footer of a file; no page is read yet.
  ///
  /// @throws IOException if it is damaged, or its columns are other ones
  public static ParquetPictures open(Path file) throws IOException {
    HardwoodContext threads = HardwoodContext.create(1);
    ParquetFileReader reader = null;
    try {
      reader = ParquetFileReader.open(InputFile.of(file), threads);
      requireHonest(reader.getFileMetaData(), Files.size(file));
      Columns columns = columns(reader.getFileSchema());
      return new ParquetPictures(file, threads, reader, columns);
    } catch (IOException | RuntimeException | OutOfMemoryError e) { // sizes are those of strangers
      if (reader != null) {
        reader.close();
      }
      threads.close();
      throw damaged(file, e);
    }
  }

  private static void requireHonest(FileMetaData footer, long length) throws IOException {
    long rows = 0;
    long last = 0;
    for (RowGroup group : footer.rowGroups()) {
      long place = group.columns().isEmpty() ? -1 : group.columns().getFirst().chunkStartOffset();
      if (place <= last) {
        throw new IOException("its row groups do not follow each other");
      }
      last = place;
      if (group.numRows() < 0 || group.numRows() > Integer.MAX_VALUE) {
        throw new IOException("a row group of %d rows".formatted(group.numRows()));
      }
      rows += group.numRows();
      for (ColumnChunk chunk : group.columns()) {
        ColumnMetaData column = chunk.metaData();
        long begin = chunk.chunkStartOffset();
        long packed = column.totalCompressedSize();
        if (begin < 4 || packed < 0 || packed > length - begin) {
          throw new IOException("column %s does not lie in it".formatted(column.pathInSchema()));
        }
        long unpacked = column.totalUncompressedSize();
        if (unpacked < 0 || (unpacked > SMALL && unpacked / MAX_RATIO > packed)) {
          throw new IOException(
              "%d bytes claim to unpack to %d, as zip bombs do".formatted(packed, unpacked));
        }
      }
    }
    if (rows != footer.numRows()) {
      throw new IOException(
          "its row groups have %d rows, its footer says %d".formatted(rows, footer.numRows()));
    }
  }

  private static Columns columns(FileSchema schema) throws IOException {
    for (String image : List.of("image", "img")) {
      if (has(schema, image + ".bytes", PhysicalType.BYTE_ARRAY)) {
        boolean path = has(schema, image + ".path", PhysicalType.BYTE_ARRAY);
        boolean label = has(schema, "label", PhysicalType.INT64);
        return new Columns(image + ".bytes", path ? image + ".path" : "", label ? "label" : "");
      }
    }
    List<String> names =
        schema.getColumns().stream().map(c -> c.fieldPath().toString()).limit(20).toList();
    throw new IOException("it has no column image{bytes, path}, but " + names);
  }

  private static boolean has(FileSchema schema, String name, PhysicalType type) {
    Optional<ColumnSchema> column =
        schema.getColumns().stream().filter(c -> c.fieldPath().toString().equals(name)).findFirst();
    return column.isPresent()
        && column.get().type() == type
        && column.get().maxRepetitionLevel() == 0
        && column.get().repetitionType() != RepetitionType.REPEATED;
  }

  /// Returns the number of rows.
  public long count() {
    return reader.getFileMetaData().numRows();
  }

  /// Returns the names of the classes that the metadata of Hugging Face has, by their numbers;
  /// empty if it has none.
  ///
  /// @throws IOException if that metadata is damaged
  public List<String> classes() throws IOException {
    String json = reader.getFileMetaData().keyValueMetadata().get("huggingface");
    List<String> names = new ArrayList<>();
    if (json != null) {
      try {
        JsonNode features = StrictJson.read(json).path("info").path("features");
        features.path("label").path("names").forEach(name -> names.add(name.asString("")));
      } catch (JacksonException e) {
        throw damaged(file, e);
      }
    }
    return names;
  }

  /// Returns the rows from one on.
  ///
  /// @throws IOException if the file is damaged there
  public ParquetRows rows(long from) throws IOException {
    return ParquetRows.of(file, reader, columns, from);
  }

  @Override
  public void close() throws IOException {
    reader.close();
    threads.close();
  }

  /// What a library throws, in one line.
  static IOException damaged(Path file, Throwable e) {
    if (e instanceof IOException said
        && String.valueOf(said.getMessage()).startsWith(file + ": ")) {
      return said;
    }
    Throwable cause = e;
    for (int i = 0; i < 16 && cause.getCause() != null; i++) {
      cause = cause.getCause(); // the outer ones only say where in the library it happened
    }
    String said =
        cause instanceof OutOfMemoryError
            ? "a page needs more memory than there is"
            : cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    String line = said.replaceAll("\\p{Cntrl}+", " ");
    return new IOException("%s: damaged parquet (%.200s); fetch it again".formatted(file, line), e);
  }
}
