package spellshield.tools.parquet;

import dev.hardwood.metadata.ColumnChunk;
import dev.hardwood.metadata.ColumnMetaData;
import dev.hardwood.metadata.RowGroup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Checks the pages of a column before the library reads them.
///
/// Hardwood 1.0.1 believes page headers: one with a negative size keeps it in a loop for ever, one
/// with a large size makes it allocate as much. So the headers of a chunk are walked here first:
/// they have to lead from its begin to its end, hold as many values as it has rows, and claim to
/// unpack to no more than 100 times their size. An index of the pages has to say the same.
///
/// Source: Apache Parquet, `parquet.thrift`, PageHeader and OffsetIndex.
final class Pages {
  private static final int MAX_HEADER = 1 << 16; // bytes; 20 to 100 are usual
  private static final int MAX_RATIO = 100;
  private static final long SMALL = 1 << 20; // bytes
  private static final int MAX_INDEX = 16 << 20; // bytes

  private final FileChannel file;

  /// A data page.
  private record Page(long begin, long length, long firstRow) {}

  private Pages(FileChannel file) {
    this.file = file;
  }

  /// Checks all pages of the wanted columns of a row group.
  ///
  /// @throws IOException with what is wrong
  static void require(FileChannel file, RowGroup group, List<String> columns) throws IOException {
    Pages pages = new Pages(file);
    for (ColumnChunk chunk : group.columns()) {
      if (columns.contains(chunk.metaData().pathInSchema().toString())) {
        pages.requireIndex(chunk, pages.walk(chunk, group.numRows()));
      }
    }
  }

  private List<Page> walk(ColumnChunk chunk, long rows) throws IOException {
    ColumnMetaData column = chunk.metaData();
    long at = chunk.chunkStartOffset();
    long end = at + column.totalCompressedSize();
    List<Page> pages = new ArrayList<>();
    long values = 0;
    while (at < end && values < rows) {
      ByteBuffer in = read(at, (int) Math.min(MAX_HEADER, end - at));
      Map<Integer, Object> header = Thrift.struct(in);
      long unpacked = Thrift.number(header, 2, -1);
      long packed = Thrift.number(header, 3, -1);
      long content = at + in.position();
      if (packed < 0 || packed > end - content || unpacked < 0 || unpacked > Integer.MAX_VALUE) {
        throw new IOException(
            "page at byte %d has %d bytes, unpacked %d".formatted(at, packed, unpacked));
      }
      if (unpacked > SMALL && unpacked / MAX_RATIO > packed) {
        throw new IOException(
            "page at byte %d claims that %d bytes unpack to %d, as zip bombs do"
                .formatted(at, packed, unpacked));
      }
      int form = (int) Thrift.number(header, 1, -1);
      if (form == 0 || form == 3) { // data, in version 1 or 2 of its header
        long count = Thrift.number(header.get(form == 0 ? 5 : 8), 1, -1);
        if (count < 0) {
          throw new IOException("page at byte %d has %d values".formatted(at, count));
        }
        pages.add(new Page(at, content + packed - at, values));
        values += count;
      } else if (form == 2) {
        long count = Thrift.number(header.get(7), 1, -1);
        if (count < 0 || count > unpacked || at != chunk.chunkStartOffset()) {
          throw new IOException("dictionary at byte %d has %d values".formatted(at, count));
        }
      } else if (form != 1) {
        throw new IOException("page at byte %d is of kind %d".formatted(at, form));
      }
      at = content + packed;
    }
    if (values != rows || column.numValues() != rows) {
      throw new IOException(
          "column %s has %d values in its pages and %d in the footer, for %d rows"
              .formatted(column.pathInSchema(), values, column.numValues(), rows));
    }
    return pages;
  }

  private void requireIndex(ColumnChunk chunk, List<Page> pages) throws IOException {
    Long offset = chunk.offsetIndexOffset();
    Integer length = chunk.offsetIndexLength();
    if (offset == null || length == null) {
      return;
    }
    if (length < 1 || length > MAX_INDEX || offset < 4 || offset > file.size() - length) {
      throw new IOException("an index of pages does not lie in it");
    }
    List<Page> indexed = new ArrayList<>();
    if (Thrift.struct(read(offset, length)).get(1) instanceof List<?> locations) {
      for (Object location : locations) {
        indexed.add(
            new Page(
                Thrift.number(location, 1, -1),
                Thrift.number(location, 2, -1),
                Thrift.number(location, 3, 0)));
      }
    }
    if (!indexed.equals(pages)) {
      throw new IOException(
          "the index of column %s has other pages than the column"
              .formatted(chunk.metaData().pathInSchema()));
    }
  }

  private ByteBuffer read(long at, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining() && file.read(bytes, at + bytes.position()) >= 0) {}
    return bytes.flip();
  }
}
