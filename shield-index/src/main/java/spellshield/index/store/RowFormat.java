package spellshield.index.store;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// How one latent is written: values, rounding error, zeros, CRC32C; a multiple of 8 bytes.
///
/// The rounding error is an upper bound of `‖z − z₁₆‖`, float32; 0 for float32 values. So for every
/// q: `‖q − z‖ ≥ ‖q − z₁₆‖ − error`, see
/// `RoundTripTest.float16_rows_lie_within_their_stated_error`.
///
/// @param dim D, values of one latent
record RowFormat(int dim, Precision precision) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// Returns the bytes of one row; below 2³¹ because D is at most 2²⁸.
  int bytes() {
    return (valueBytes() + 4 + 4 + 7) & ~7;
  }

  /// Returns where row `row` of a shard begins.
  long offset(long row) {
    return FileHeader.BYTES + row * bytes();
  }

  /// Returns the bytes of a shard.
  ///
  /// @throws ArithmeticException if they pass 2⁶³
  long length(long rows) {
    return Math.addExact(FileHeader.BYTES, Math.multiplyExact(rows, (long) bytes()));
  }

  /// Writes a latent into `row`.
  ///
  /// @throws IllegalArgumentException if the precision cannot hold a value
  void encode(long item, String id, float[] latent, byte[] row) {
    ByteBuffer out = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
    float error =
        switch (precision) {
          case FLOAT32 -> encode32(id, latent, out);
          case FLOAT16 -> encode16(id, latent, out);
        };
    out.putFloat(error);
    while (out.position() < row.length - 4) {
      out.put((byte) 0);
    }
    out.putInt(Hashes.crc32c(item, row, 0, row.length - 4));
  }

  /// Makes an intact row that of another item.
  void renumber(long item, byte[] row) {
    ByteBuffer.wrap(row)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(row.length - 4, Hashes.crc32c(item, row, 0, row.length - 4));
  }

  /// Returns whether the checksum in a row is that of its bytes and its number.
  boolean isIntact(long item, byte[] row) {
    int stored = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN).getInt(row.length - 4);
    return stored == Hashes.crc32c(item, row, 0, row.length - 4);
  }

  /// Widens the values of a row and returns its rounding error, or NaN if a value is not finite.
  double decode(byte[] row, float[] into) {
    ByteBuffer in = ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
    switch (precision) {
      case FLOAT32 -> MemorySegment.copy(MemorySegment.ofArray(row), FLOAT, 0, into, 0, dim);
      case FLOAT16 -> {
        short[] halves = new short[dim];
        MemorySegment.copy(MemorySegment.ofArray(row), SHORT, 0, halves, 0, dim);
        for (int i = 0; i < dim; i++) { // alone in its loop: the JIT makes it a vector instruction
          into[i] = Float.float16ToFloat(halves[i]);
        }
      }
    }
    int largest = 0; // the bits of magnitudes sort like them, NaN above infinity
    for (int i = 0; i < dim; i++) {
      largest = Math.max(largest, Float.floatToRawIntBits(into[i]) & 0x7fffffff);
    }
    return largest < 0x7f800000 ? in.getFloat(valueBytes()) : Double.NaN;
  }

  private float encode32(String id, float[] latent, ByteBuffer out) {
    for (int i = 0; i < dim; i++) {
      requireRange(id, latent, i, Float.MAX_VALUE);
      out.putFloat(latent[i]);
    }
    return 0;
  }

  private float encode16(String id, float[] latent, ByteBuffer out) {
    double squares = 0;
    for (int i = 0; i < dim; i++) {
      requireRange(id, latent, i, Precision.FLOAT16_MAX);
      short rounded = Float.floatToFloat16(latent[i]);
      double lost = (double) latent[i] - Float.float16ToFloat(rounded); // exact
      squares += lost * lost;
      out.putShort(rounded);
    }
    // D squares, D sums and a root in float64 lose less than (D + 4)·2⁻⁵³ of the norm; nextUp
    // covers
    // the rounding to float32.
    double norm = Math.sqrt(squares) * (1 + (dim + 4) * 0x1p-53);
    return squares == 0 ? 0 : Math.nextUp((float) norm);
  }

  private void requireRange(String id, float[] latent, int i, float limit) {
    if (!(Math.abs(latent[i]) <= limit)) { // also refuses NaN
      throw new IllegalArgumentException(
          "item '%s': value %d must be finite and at most %s in magnitude for %s, but was %s"
              .formatted(id, i, limit, precision, latent[i]));
    }
  }

  private int valueBytes() {
    return dim * (precision.bits() / 8);
  }
}
