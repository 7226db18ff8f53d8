package spellshield.tools.tensor;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;

/// What the numbers of an array are, all little-endian.
public enum ElementType {
  FLOAT16("<f2", "F16", 2),
  BFLOAT16("", "BF16", 2),
  FLOAT32("<f4", "F32", 4),
  FLOAT64("<f8", "F64", 8),
  INT32("<i4", "I32", 4),
  INT64("<i8", "I64", 8);

  private final String numpy; // empty: NumPy has none
  private final String safetensors;
  private final int bytes;

  ElementType(String numpy, String safetensors, int bytes) {
    this.numpy = numpy;
    this.safetensors = safetensors;
    this.bytes = bytes;
  }

  static Optional<ElementType> ofNumpy(String descr) {
    return Arrays.stream(values())
        .filter(type -> !descr.isEmpty() && type.numpy.equals(descr))
        .findFirst();
  }

  static Optional<ElementType> ofSafetensors(String dtype) {
    return Arrays.stream(values()).filter(type -> type.safetensors.equals(dtype)).findFirst();
  }

  /// Returns the length of a number in bytes.
  public int bytes() {
    return bytes;
  }

  /// Returns whether these are floating-point numbers.
  public boolean isFloat() {
    return this == FLOAT16 || this == BFLOAT16 || this == FLOAT32 || this == FLOAT64;
  }

  /// Returns the next number of a little-endian buffer, rounded to float32 if it is float64.
  float nextFloat(ByteBuffer in) {
    return switch (this) {
      case FLOAT16 -> Float.float16ToFloat(in.getShort());
      case BFLOAT16 -> Float.intBitsToFloat(in.getShort() << 16);
      case FLOAT32 -> in.getFloat();
      case FLOAT64 -> (float) in.getDouble();
      case INT32, INT64 -> nextLong(in);
    };
  }

  /// Returns the next whole number of a little-endian buffer; fractions are cut off.
  long nextLong(ByteBuffer in) {
    return switch (this) {
      case INT32 -> in.getInt();
      case INT64 -> in.getLong();
      case FLOAT16, BFLOAT16, FLOAT32, FLOAT64 -> (long) nextFloat(in);
    };
  }
}
