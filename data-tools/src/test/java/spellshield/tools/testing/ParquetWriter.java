package spellshield.tools.testing;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import spellshield.tools.testing.Containers.Picture;

/// The smallest parquet that holds pictures: plain pages, not compressed, nothing optional.
///
/// Source: the format of Apache Parquet (`parquet.thrift`), in Thrift's compact protocol.
public final class ParquetWriter {
  private static final int INT64 = 2;
  private static final int BYTE_ARRAY = 6;

  private final ByteArrayOutputStream file = new ByteArrayOutputStream();

  private ParquetWriter() {}

  /// Returns a file of `image{bytes, path}` and `label`, whose numbers are those of the sorted
  /// labels.
  public static byte[] write(List<Picture> pictures, int rowsPerGroup) {
    return new ParquetWriter().all(pictures, rowsPerGroup);
  }

  private record Chunk(String column, int type, int count, int begin, int length) {}

  private byte[] all(List<Picture> pictures, int rowsPerGroup) {
    List<String> classes = pictures.stream().map(Picture::label).distinct().sorted().toList();
    file.writeBytes(utf8("PAR1"));
    List<List<Chunk>> groups = new ArrayList<>();
    for (int from = 0; from < pictures.size(); from += rowsPerGroup) {
      List<Picture> rows = pictures.subList(from, Math.min(pictures.size(), from + rowsPerGroup));
      groups.add(
          List.of(
              chunk("image.bytes", BYTE_ARRAY, rows, p -> bytes(p.bytes())),
              chunk("image.path", BYTE_ARRAY, rows, p -> bytes(utf8(p.file()))),
              chunk(
                  "label",
                  INT64,
                  rows,
                  p -> little(8).putLong(classes.indexOf(p.label())).array())));
    }
    Compact footer = new Compact();
    footer.i32(1, 1);
    footer.list(
        2,
        List.<Consumer<Compact>>of(
            s -> s.text(4, "schema").i32(5, 2),
            s -> s.i32(3, 0).text(4, "image").i32(5, 2),
            s -> s.i32(1, BYTE_ARRAY).i32(3, 0).text(4, "bytes"),
            s -> s.i32(1, BYTE_ARRAY).i32(3, 0).text(4, "path").i32(6, 0),
            s -> s.i32(1, INT64).i32(3, 0).text(4, "label")));
    footer.i64(3, pictures.size());
    footer.list(4, groups.stream().<Consumer<Compact>>map(g -> s -> group(s, g)).toList());
    String names = String.join("\",\"", classes);
    String json = "{\"info\":{\"features\":{\"label\":{\"names\":[\"" + names + "\"]}}}}";
    footer.list(5, List.<Consumer<Compact>>of(s -> s.text(1, "huggingface").text(2, json)));
    byte[] bytes = footer.end();
    file.writeBytes(bytes);
    file.writeBytes(little(4).putInt(bytes.length).array());
    file.writeBytes(utf8("PAR1"));
    return file.toByteArray();
  }

  private static void group(Compact out, List<Chunk> chunks) {
    out.list(1, chunks.stream().<Consumer<Compact>>map(c -> s -> column(s, c)).toList());
    out.i64(2, chunks.stream().mapToLong(Chunk::length).sum());
    out.i64(3, chunks.getFirst().count());
  }

  private static void column(Compact out, Chunk chunk) {
    out.i64(2, chunk.begin());
    out.struct(
        3,
        s -> {
          s.i32(1, chunk.type());
          s.i32List(2, List.of(0));
          s.textList(3, List.of(chunk.column().split("\\.", 2)));
          s.i32(4, 0);
          s.i64(5, chunk.count());
          s.i64(6, chunk.length());
          s.i64(7, chunk.length());
          s.i64(9, chunk.begin());
        });
  }

  private interface Value {
    byte[] of(Picture picture);
  }

  private Chunk chunk(String column, int type, List<Picture> rows, Value value) {
    ByteArrayOutputStream page = new ByteArrayOutputStream();
    rows.forEach(row -> page.writeBytes(value.of(row)));
    Compact header = new Compact();
    header.i32(1, 0).i32(2, page.size()).i32(3, page.size());
    header.struct(5, s -> s.i32(1, rows.size()).i32(2, 0).i32(3, 3).i32(4, 3));
    int begin = file.size();
    file.writeBytes(header.end());
    file.writeBytes(page.toByteArray());
    return new Chunk(column, type, rows.size(), begin, file.size() - begin);
  }

  private static byte[] bytes(byte[] content) {
    return little(4 + content.length).putInt(content.length).put(content).array();
  }

  private static ByteBuffer little(int length) {
    return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /// Thrift's compact protocol, as far as it is needed.
  private static final class Compact {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private int last;

    private void field(int id, int type) {
      out.write(((id - last) << 4) | type);
      last = id;
    }

    private void varint(long value) {
      for (long left = value; ; left >>>= 7) {
        if (left >>> 7 == 0) {
          out.write((int) left);
          return;
        }
        out.write((int) ((left & 0x7f) | 0x80));
      }
    }

    private void zigzag(long value) {
      varint((value << 1) ^ (value >> 63));
    }

    Compact i32(int id, int value) {
      field(id, 5);
      zigzag(value);
      return this;
    }

    void i64(int id, long value) {
      field(id, 6);
      zigzag(value);
    }

    Compact text(int id, String value) {
      field(id, 8);
      text(value);
      return this;
    }

    private void text(String value) {
      byte[] bytes = utf8(value);
      varint(bytes.length);
      out.writeBytes(bytes);
    }

    void struct(int id, Consumer<Compact> content) {
      field(id, 12);
      nested(content);
    }

    private void nested(Consumer<Compact> content) {
      Compact inner = new Compact();
      content.accept(inner);
      out.writeBytes(inner.end());
    }

    void list(int id, List<Consumer<Compact>> structs) {
      head(id, structs.size(), 12);
      structs.forEach(this::nested);
    }

    void i32List(int id, List<Integer> values) {
      head(id, values.size(), 5);
      values.forEach(this::zigzag);
    }

    void textList(int id, List<String> values) {
      head(id, values.size(), 8);
      values.forEach(this::text);
    }

    private void head(int id, int size, int type) {
      field(id, 9);
      if (size < 15) {
        out.write((size << 4) | type);
      } else {
        out.write(0xf0 | type);
        varint(size);
      }
    }

    byte[] end() {
      out.write(0);
      return out.toByteArray();
    }
  }
}
