package spellshield.tools.parquet;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Structs in Thrift's compact protocol, as parquet's page headers and indexes are: numbers, lists
/// and structs by the number of their field; texts are passed over.
///
/// Source: Apache Thrift, "Thrift compact protocol encoding".
final class Thrift {
  private static final int MAX_DEPTH = 8;

  private final ByteBuffer in;

  private Thrift(ByteBuffer in) {
    this.in = in;
  }

  /// Reads a struct; the buffer is then behind it.
  ///
  /// @throws IOException if there is none
  static Map<Integer, Object> struct(ByteBuffer in) throws IOException {
    try {
      return new Thrift(in).struct(0);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new IOException("a header that does not end", e);
    }
  }

  /// Returns a number in a struct; the default where there is none.
  static long number(@Nullable Object struct, int field, long otherwise) {
    return struct instanceof Map<?, ?> map && map.get(field) instanceof Long value
        ? value
        : otherwise;
  }

  private Map<Integer, Object> struct(int depth) throws IOException {
    if (depth > MAX_DEPTH) {
      throw new IOException("a header of over %d levels".formatted(MAX_DEPTH));
    }
    Map<Integer, Object> fields = new HashMap<>();
    int id = 0;
    for (int head = in.get() & 0xff; head != 0; head = in.get() & 0xff) {
      int delta = head >> 4;
      id = delta == 0 ? (int) zigzag() : id + delta;
      fields.put(id, value(head & 0xf, depth));
    }
    return fields;
  }

  private Object value(int type, int depth) throws IOException {
    return switch (type) {
      case 1, 2 -> (long) type;
      case 3 -> (long) in.get();
      case 4, 5, 6 -> zigzag();
      case 7 -> skip(Double.BYTES);
      case 8 -> skip(varint());
      case 9, 10 -> list(depth);
      case 12 -> struct(depth + 1);
      default -> throw new IOException("a header with a value of type %d".formatted(type));
    };
  }

  private List<Object> list(int depth) throws IOException {
    int head = in.get() & 0xff;
    long size = head >> 4 == 15 ? varint() : head >> 4;
    if (size < 0 || size > in.remaining()) { // a value has at least one byte
      throw new IOException("a header with a list of %d values".formatted(size));
    }
    List<Object> values = new ArrayList<>();
    for (long i = 0; i < size; i++) {
      values.add(value(head & 0xf, depth + 1));
    }
    return values;
  }

  private Object skip(long bytes) throws IOException {
    if (bytes < 0 || bytes > in.remaining()) {
      throw new IOException("a header with a text of %d bytes".formatted(bytes));
    }
    in.position(in.position() + (int) bytes);
    return bytes;
  }

  private long zigzag() {
    long value = varint();
    return (value >>> 1) ^ -(value & 1);
  }

  private long varint() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte next = in.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a number of over 64 bits");
  }
}
