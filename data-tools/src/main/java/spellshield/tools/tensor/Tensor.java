package spellshield.tools.tensor;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.ZipException;

/// An array in a file, read row by row: a row is what the first extent counts.
///
/// One thread at a time. What it costs in memory is a row.
public final class Tensor implements Closeable {
  private static final long MAX_ROW = 1L << 24; // values; the latents of SDXL have 2^16

  private final String name;
  private final ElementType type;
  private final Shape shape;
  private final InputStream in;
  private final byte[] row;

  /// @param in at the first value; closed with the tensor
  private Tensor(String name, ElementType type, Shape shape, InputStream in, int rowBytes) {
    this.name = name;
    this.type = type;
    this.shape = shape;
    this.in = in;
    this.row = new byte[rowBytes];
  }

  /// Begins an array whose values are what is left of a stream.
  ///
  /// @param name of the file, for messages
  /// @param bytes that are left, which the shape has to fill exactly
  /// @throws BadTensorException if it does not, or a row is too large
  static Tensor of(String name, ElementType type, Shape shape, InputStream in, long bytes)
      throws IOException {
    long row = shape.row().count();
    if (row < 1 || row > MAX_ROW) {
      throw new BadTensorException(
          name, "shape %s has rows of %,d values, but 1 to 2^24 are read".formatted(shape, row));
    }
    if (shape.count() != bytes / type.bytes() || bytes % type.bytes() != 0) {
      throw new BadTensorException(
          name,
          "shape %s of %s does not fill its %,d bytes; fetch it again"
              .formatted(shape, type, bytes));
    }
    return new Tensor(name, type, shape, in, (int) row * type.bytes());
  }

  /// Begins an array of NumPy: a `.npy` file, in a zip or elsewhere.
  ///
  /// @param in at the first byte; closed with the tensor, and when there is none
  /// @param bytes the length of the file
  /// @param name of the file, for messages
  /// @throws BadTensorException if it is damaged, or an array that is not read
  public static Tensor npy(InputStream in, long bytes, String name) throws IOException {
    try {
      NpyHeader header = NpyHeader.read(in, name);
      return of(name, header.type(), header.shape(), in, bytes - header.length());
    } catch (ZipException | EOFException e) {
      in.close();
      String said = e.getMessage() == null ? "it ends early" : e.getMessage();
      throw new BadTensorException(name, "damaged (%s); fetch it again".formatted(said));
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  /// Returns what the user calls it.
  public String name() {
    return name;
  }

  /// Returns what its values are.
  public ElementType type() {
    return type;
  }

  /// Returns its extents.
  public Shape shape() {
    return shape;
  }

  /// Jumps over rows.
  public void skip(long rows) throws IOException {
    try {
      in.skipNBytes(Math.multiplyExact(rows, row.length));
    } catch (EOFException | ZipException e) {
      throw ended();
    }
  }

  /// Returns the next row as float32.
  public float[] nextFloats() throws IOException {
    ByteBuffer values = next();
    float[] floats = new float[row.length / type.bytes()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = type.nextFloat(values);
    }
    return floats;
  }

  /// Returns all values as float32; no more than a row may have.
  public float[] floats() throws IOException {
    if (shape.count() > MAX_ROW) {
      throw new BadTensorException(
          name, "%,d values, but at most 2^24 are read".formatted(shape.count()));
    }
    float[] floats = new float[(int) shape.count()];
    for (int i = 0; i < floats.length; ) {
      float[] row = nextFloats();
      System.arraycopy(row, 0, floats, i, row.length);
      i += row.length;
    }
    return floats;
  }

  /// Returns all values as whole numbers.
  ///
  /// @throws BadTensorException if they are more than the limit
  public long[] longs(int most) throws IOException {
    if (shape.count() > most) {
      throw new BadTensorException(
          name, "%,d whole numbers, but at most %,d are read".formatted(shape.count(), most));
    }
    long[] longs = new long[(int) shape.count()];
    int i = 0;
    while (i < longs.length) {
      ByteBuffer values = next();
      while (values.hasRemaining()) {
        longs[i++] = type.nextLong(values);
      }
    }
    return longs;
  }

  private ByteBuffer next() throws IOException {
    try {
      if (in.readNBytes(row, 0, row.length) < row.length) {
        throw ended();
      }
    } catch (EOFException | ZipException e) {
      throw ended();
    }
    return ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN);
  }

  private BadTensorException ended() {
    return new BadTensorException(name, "its values are cut off or damaged; fetch it again");
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
