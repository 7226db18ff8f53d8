package spellshield.index.sketch;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import spellshield.index.store.LatentReader;
import spellshield.index.store.ScratchFile;

/// The float32 sketches of a set: what codes and graph are made from.
///
/// 4 bytes a value and 16 for errors, so a set of 1.2 million takes 630 MB while it is built, and
/// nothing after: of a file that is mapped, or of native memory, never of the heap.
///
/// ```text
/// row   float32 [length]   the sketch
///       float64            η, how far rounding may have moved it
///       float64            how far storing may have moved the latent
/// ```
public final class Sketches {

  /// Rows that are made at a time before they are written, some 8 MB.
  private static final int ROWS = 1 << 14;

  private static final int SAMPLE = 1 << 16;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Sketcher sketcher;
  private final int first;
  private final int count;
  private final long rowBytes;
  private final MemorySegment rows;
  private final double largestError;

  private Sketches(
      Sketcher sketcher, int first, int count, MemorySegment rows, double largestError) {
    this.sketcher = sketcher;
    this.first = first;
    this.count = count;
    this.rowBytes = rowBytes(sketcher);
    this.rows = rows;
    this.largestError = largestError;
  }

  private static long rowBytes(Sketcher sketcher) {
    return 4L * sketcher.length() + 16;
  }

  /// Sketches every latent, on all cores, into native memory.
  public static Sketches of(Sketcher sketcher, LatentReader latents) {
    return of(sketcher, latents, 0);
  }

  /// Sketches the latents from number `first` on into native memory; that one is item 0 here.
  public static Sketches of(Sketcher sketcher, LatentReader latents, int first) {
    int count = Math.toIntExact(latents.count()) - first;
    // At least a byte, as no memory has an address.
    MemorySegment rows = Arena.ofAuto().allocate(Math.max(1, count * rowBytes(sketcher)), 64);
    double largest = fill(sketcher, latents, first, count, rows);
    return new Sketches(sketcher, first, count, rows, largest);
  }

  /// Sketches the latents from number `first` on into a file; that one is item 0 here. The sketches
  /// can be read until the file is closed.
  ///
  /// Codes are made in an order of their own: fast where the memory that the system has to spare
  /// holds the file.
  public static Sketches of(Sketcher sketcher, LatentReader latents, int first, ScratchFile file)
      throws IOException {
    int count = Math.toIntExact(latents.count()) - first;
    long rowBytes = rowBytes(sketcher);
    double largest = 0;
    MemorySegment part = Arena.ofAuto().allocate(Math.max(1, Math.min(ROWS, count) * rowBytes), 64);
    for (int from = 0; from < count; from += ROWS) {
      int size = Math.min(ROWS, count - from);
      largest = Math.max(largest, fill(sketcher, latents, first + from, size, part));
      file.write(part.asSlice(0, size * rowBytes).asByteBuffer());
    }
    return new Sketches(sketcher, first, count, file.map(), largest);
  }

  /// Fills rows with the sketches of some latents, and returns the largest of their errors.
  private static double fill(
      Sketcher sketcher, LatentReader latents, int first, int count, MemorySegment rows) {
    int part = 256;
    return IntStream.range(0, Math.ceilDiv(count, part))
        .parallel()
        .mapToDouble(p -> {
          int dim = latents.dim();
          int length = sketcher.length();
          float[] latent = new float[dim];
          int together = sketcher.together();
          float[] some = new float[together * dim];
          float[] sketches = new float[together * length];
          double[] latentErrors = new double[together];
          double largest = 0;
          int end = Math.min(count, (p + 1) * part);
          for (int from = p * part; from < end; from += together) {
            int size = Math.min(together, end - from);
            for (int row = 0; row < size; row++) {
              latentErrors[row] = latents.read(first + from + row, latent);
              System.arraycopy(latent, 0, some, row * dim, dim);
            }
            double[] errors = sketcher.sketch(some, 0, size, sketches, 0);
            for (int row = 0; row < size; row++) {
              long at = (from + row) * rowBytes(sketcher);
              MemorySegment.copy(sketches, row * length, rows, FLOAT, at, length);
              at += 4L * length;
              rows.set(DOUBLE, at, errors[row]);
              rows.set(DOUBLE, at + 8, latentErrors[row]);
              largest = Math.max(largest, errors[row]);
            }
          }
          return largest;
        })
        .reduce(0, Math::max);
  }

  public Sketcher sketcher() {
    return sketcher;
  }

  public int count() {
    return count;
  }

  /// Returns the number that item 0 has in the set.
  int first() {
    return first;
  }

  /// Returns a value of a sketch.
  float value(int item, int i) {
    return rows.get(FLOAT, item * rowBytes + 4L * i);
  }

  /// Returns a value of up to 65,536 of the sketches, which are spread over all of them.
  float[] sample(int i) {
    float[] values = new float[Math.min(count, SAMPLE)];
    for (int row = 0; row < values.length; row++) {
      values[row] = value((int) ((long) row * count / values.length), i);
    }
    return values;
  }

  /// Returns how far rounding may have moved a sketch, η.
  double error(int item) {
    return rows.get(DOUBLE, (item + 1) * rowBytes - 16);
  }

  /// Returns the most that rounding may have moved any sketch.
  double largestError() {
    return largestError;
  }

  /// Returns how far storing (float16) may have moved a latent.
  double latentError(int item) {
    return rows.get(DOUBLE, (item + 1) * rowBytes - 8);
  }

  /// Returns a copy of the head of a sketch, `[h + 1]`.
  public float[] head(int item) {
    float[] head = new float[sketcher.headLength()];
    MemorySegment.copy(rows, FLOAT, item * rowBytes, head, 0, head.length);
    return head;
  }
}
