package spellshield.tools.parquet;

import dev.hardwood.metadata.RowGroup;
import dev.hardwood.reader.ColumnReader;
import dev.hardwood.reader.ColumnReaders;
import dev.hardwood.reader.ParquetFileReader;
import dev.hardwood.reader.RowGroupPredicate;
import dev.hardwood.schema.ColumnProjection;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import spellshield.tools.parquet.ParquetPictures.Columns;
import spellshield.tools.parquet.ParquetPictures.Row;

/// The rows of a parquet file, a few in memory at a time.
public final class ParquetRows implements AutoCloseable {
  /// Rows that the library decodes at once. By rows of the file it would decode all of it: its own
  /// batches are counted in rows, and a row here is a picture.
  private static final int BATCH = 16;

  private final Path file;
  private final Columns names;
  private final @Nullable ColumnReaders columns; // null: no row is left
  private int next; // in the batch
  private int count;
  private byte[] @Nullable [] bytes = new byte[0][];
  private byte[] @Nullable [] paths = new byte[0][];
  private long[] labels = new long[0];

  private ParquetRows(Path file, Columns names, @Nullable ColumnReaders columns) {
    this.file = file;
    this.names = names;
    this.columns = columns;
  }

  static ParquetRows of(Path file, ParquetFileReader reader, Columns names, long from)
      throws IOException {
    List<String> wanted =
        Stream.of(names.bytes(), names.path(), names.label())
            .filter(name -> !name.isEmpty())
            .toList();
    List<RowGroup> groups = reader.getFileMetaData().rowGroups();
    long skip = from;
    int first = 0;
    while (first < groups.size() && skip >= groups.get(first).numRows()) {
      skip -= groups.get(first++).numRows();
    }
    if (first == groups.size()) {
      return new ParquetRows(file, names, null);
    }
    try (FileChannel pages = FileChannel.open(file)) {
      for (RowGroup group : groups.subList(first, groups.size())) {
        Pages.require(pages, group, wanted);
      }
      long begin = groups.get(first).columns().getFirst().chunkStartOffset();
      ParquetRows rows =
          new ParquetRows(
              file,
              names,
              reader
                  .buildColumnReaders(ColumnProjection.columns(wanted.toArray(String[]::new)))
                  .filter(RowGroupPredicate.byteRange(begin, Long.MAX_VALUE))
                  .batchSize(BATCH)
                  .build());
      rows.skip(skip);
      return rows;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      throw ParquetPictures.damaged(file, e);
    }
  }

  private void skip(long rows) throws IOException {
    for (long left = rows; left > 0; left--) {
      next();
    }
  }

  /// Returns the next row, or null behind the last one.
  ///
  /// @throws IOException if the file is damaged there
  public @Nullable Row next() throws IOException {
    if (columns == null || (next == count && !fill(columns))) {
      return null;
    }
    int i = next++;
    byte[] path = i < paths.length ? paths[i] : null;
    return new Row(
        bytes[i],
        path == null ? "" : new String(path, StandardCharsets.UTF_8),
        i < labels.length ? labels[i] : -1);
  }

  private boolean fill(ColumnReaders columns) throws IOException {
    try {
      if (!columns.nextBatch()) {
        return false;
      }
      count = columns.getRecordCount();
      next = 0;
      bytes = columns.getColumnReader(names.bytes()).getBinaries();
      if (!names.path().isEmpty()) {
        paths = columns.getColumnReader(names.path()).getBinaries();
      }
      if (!names.label().isEmpty()) {
        labels = labels(columns.getColumnReader(names.label()));
      }
      if (bytes.length < count) {
        throw new IOException("%d pictures in %d rows".formatted(bytes.length, count));
      }
      return count > 0;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      throw ParquetPictures.damaged(file, e);
    }
  }

  private static long[] labels(ColumnReader column) {
    long[] labels = column.getLongs().clone();
    for (int i = 0; i < column.getRecordCount(); i++) {
      labels[i] = column.getLeafValidity().isNull(i) ? -1 : labels[i];
    }
    return labels;
  }

  @Override
  public void close() {
    if (columns != null) {
      columns.close();
    }
  }
}
