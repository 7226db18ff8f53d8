package spellshield.index.sketch;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import spellshield.index.kernel.Kernels;
import spellshield.index.store.LatentReader;

/// The sketches of a set in private memory, in blocks of 64 items, dimension-major.
///
/// Block b holds coordinate `i` of its 64 items side by side. Items are ordered so that a block
/// covers a small region ([KdOrder]); [#item] tells which item sits where. Memory: `4·(d + 2)`
/// bytes an item. The table never changes after it was made, and it is never a mapped file: a scan
/// cannot fault.
public final class SketchTable {
  private static final int BLOCK = Kernels.BLOCK;
  private static final int BLOCKS_PER_CHUNK = 256;

  /// What the unused places of the last block hold: far from everything, and its square is finite.
  private static final float FAR = 1e15f;

  private final Sketcher sketcher;
  private final long count;
  private final float[][] chunks;
  private final int[] items;
  private final double sketchError;
  private final double latentError;

  private SketchTable(Sketcher sketcher, long count, double sketchError, double latentError) {
    this.sketcher = sketcher;
    this.count = count;
    this.sketchError = sketchError;
    this.latentError = latentError;
    int blocks = Math.toIntExact((count + BLOCK - 1) / BLOCK);
    this.chunks = new float[(blocks + BLOCKS_PER_CHUNK - 1) / BLOCKS_PER_CHUNK][];
    for (int chunk = 0; chunk < chunks.length; chunk++) {
      int inChunk = Math.min(BLOCKS_PER_CHUNK, blocks - chunk * BLOCKS_PER_CHUNK);
      chunks[chunk] = new float[inChunk * sketcher.length() * BLOCK];
    }
    this.items = new int[Math.toIntExact(count)];
  }

  /// Sketches every latent, on all cores.
  public static SketchTable of(Sketcher sketcher, LatentReader latents) {
    int count = Math.toIntExact(latents.count());
    int length = sketcher.length();
    float[] rows = new float[Math.multiplyExact(count, length)];
    double[] errors = new double[count];
    double[] latentErrors = new double[count];
    IntStream.range(0, (count + BLOCK - 1) / BLOCK)
        .parallel()
        .forEach(part -> {
          float[] latent = new float[latents.dim()];
          for (int item = part * BLOCK; item < Math.min(count, (part + 1) * BLOCK); item++) {
            latentErrors[item] = latents.read(item, latent);
            errors[item] = sketcher.sketch(latent, 0, rows, item * length);
          }
        });
    SketchTable table = new SketchTable(sketcher, count, largest(errors), largest(latentErrors));
    System.arraycopy(KdOrder.of(rows, length, BLOCK), 0, table.items, 0, count);
    for (int slot = 0; slot < table.blockCount() * BLOCK; slot++) {
      float[] chunk = table.chunk(slot / BLOCK);
      int at = table.offset(slot / BLOCK) + slot % BLOCK;
      for (int i = 0; i < length; i++) {
        chunk[at + i * BLOCK] = slot < count ? rows[table.items[slot] * length + i] : FAR;
      }
    }
    return table;
  }

  private static double largest(double[] values) {
    double largest = 0;
    for (double value : values) {
      largest = Math.max(largest, value);
    }
    return largest;
  }

  public Sketcher sketcher() {
    return sketcher;
  }

  /// Returns the number of items.
  public long count() {
    return count;
  }

  /// Returns the number of blocks; the last one may be partly empty.
  public int blockCount() {
    return (items.length + BLOCK - 1) / BLOCK;
  }

  /// Returns the array that holds a block, shared.
  public float[] chunk(int block) {
    return chunks[block / BLOCKS_PER_CHUNK];
  }

  /// Returns where a block begins in its [#chunk].
  public int offset(int block) {
    return block % BLOCKS_PER_CHUNK * sketcher.length() * BLOCK;
  }

  /// Returns how many items a block holds.
  public int size(int block) {
    return Math.min(BLOCK, items.length - block * BLOCK);
  }

  /// Returns the item at a place of a block.
  public int item(int block, int lane) {
    return items[block * BLOCK + lane];
  }

  /// Returns η, the most that rounding moved a sketch of this table.
  public double sketchError() {
    return sketchError;
  }

  /// Returns the most that rounding (float16) moved a latent of this set.
  public double latentError() {
    return latentError;
  }

  /// Returns the sketch at a place of a block as a row `[d + 1]`.
  public float[] sketch(int block, int lane) {
    float[] row = new float[sketcher.length()];
    for (int i = 0; i < row.length; i++) {
      row[i] = chunk(block)[offset(block) + i * BLOCK + lane];
    }
    return row;
  }

  private static final long MAGIC = 0x48435445_4b534c53L; // "SLSKETCH", little-endian
  private static final int VERSION = 1;

  /// Writes the table; the format is in `docs/FORMAT.md`. The stream is not closed.
  public void write(OutputStream out) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(MAGIC).putInt(VERSION).putInt(sketcher.dim()).putInt(sketcher.sketchDim());
    header.putInt(0).putLong(count).putDouble(sketchError).putDouble(latentError);
    out.write(header.array());
    writeFloats(out, sketcher.mean());
    writeFloats(out, sketcher.directions());
    for (float[] chunk : chunks) {
      writeFloats(out, chunk);
    }
    ByteBuffer ids = ByteBuffer.allocate(items.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    ids.asIntBuffer().put(items);
    out.write(ids.array());
  }

  /// Reads a table back. The bytes are trusted: check their checksum before.
  ///
  /// @throws IOException if the bytes are no table of this version
  public static SketchTable read(InputStream in) throws IOException {
    ByteBuffer header = ByteBuffer.wrap(read(in, 48)).order(ByteOrder.LITTLE_ENDIAN);
    if (header.getLong() != MAGIC) {
      throw new IOException("no sketches: the first 8 bytes are not SLSKETCH");
    }
    int version = header.getInt();
    if (version != VERSION) {
      throw new IOException(
          "sketches of format %d, but this program reads %d".formatted(version, VERSION));
    }
    int dim = header.getInt();
    int sketchDim = header.getInt();
    header.getInt();
    long count = header.getLong();
    double sketchError = header.getDouble();
    double latentError = header.getDouble();
    if (dim < 1 || sketchDim < 1 || sketchDim > dim || count < 0 || count > Integer.MAX_VALUE) {
      throw new IOException(
          "sketches of %d latents, dim %d, sketchDim %d make no sense"
              .formatted(count, dim, sketchDim));
    }
    Sketcher sketcher =
        new Sketcher(readFloats(in, dim), readFloats(in, Math.multiplyExact(dim, sketchDim)));
    SketchTable table = new SketchTable(sketcher, count, sketchError, latentError);
    for (int i = 0; i < table.chunks.length; i++) {
      table.chunks[i] = readFloats(in, table.chunks[i].length);
    }
    ByteBuffer.wrap(read(in, table.items.length * 4))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asIntBuffer()
        .get(table.items);
    return table;
  }

  private static void writeFloats(OutputStream out, float[] values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    out.write(bytes.array());
  }

  private static float[] readFloats(InputStream in, int count) throws IOException {
    float[] values = new float[count];
    ByteBuffer.wrap(read(in, Math.multiplyExact(count, 4)))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return values;
  }

  private static byte[] read(InputStream in, int count) throws IOException {
    byte[] bytes = in.readNBytes(count);
    if (bytes.length != count) {
      throw new EOFException("the sketches end %d bytes too early".formatted(count - bytes.length));
    }
    return bytes;
  }
}
