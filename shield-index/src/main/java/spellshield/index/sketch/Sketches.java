package spellshield.index.sketch;

import java.util.stream.IntStream;
import spellshield.index.store.LatentReader;

/// The float32 sketches of a set in memory: what codes and graph are made from.
///
/// 4 bytes a value, so a set of 1.2 million takes 620 MB while it is built, and nothing after.
public final class Sketches {

  /// Rows of one array: an item is row `item mod 4096` of array `item / 4096`.
  private static final int ROWS = 4096;

  private final Sketcher sketcher;
  private final int first;
  private final int count;
  private final float[][] rows;
  private final double[] errors;
  private final double[] latentErrors;

  private Sketches(Sketcher sketcher, int first, int count) {
    this.sketcher = sketcher;
    this.first = first;
    this.count = count;
    this.errors = new double[count];
    this.latentErrors = new double[count];
    this.rows = new float[Math.ceilDiv(count, ROWS)][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = new float[Math.min(ROWS, count - i * ROWS) * sketcher.length()];
    }
  }

  /// Sketches every latent, on all cores.
  public static Sketches of(Sketcher sketcher, LatentReader latents) {
    return of(sketcher, latents, 0);
  }

  /// Sketches the latents from number `first` on; that one is item 0 here.
  public static Sketches of(Sketcher sketcher, LatentReader latents, int first) {
    Sketches sketches = new Sketches(sketcher, first, Math.toIntExact(latents.count()) - first);
    int part = 256;
    IntStream.range(0, Math.ceilDiv(sketches.count, part))
        .parallel()
        .forEach(p -> {
          float[] latent = new float[latents.dim()];
          for (int item = p * part; item < Math.min(sketches.count, (p + 1) * part); item++) {
            sketches.latentErrors[item] = latents.read(first + item, latent);
            sketches.errors[item] =
                sketcher.sketch(latent, 0, sketches.array(item), sketches.offset(item));
          }
        });
    return sketches;
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
    return array(item)[offset(item) + i];
  }

  /// Returns how far rounding may have moved a sketch, η.
  double error(int item) {
    return errors[item];
  }

  /// Returns the most that rounding may have moved any sketch.
  double largestError() {
    double largest = 0;
    for (double error : errors) {
      largest = Math.max(largest, error);
    }
    return largest;
  }

  /// Returns how far storing (float16) may have moved a latent.
  double latentError(int item) {
    return latentErrors[item];
  }

  /// Returns a copy of the head of a sketch, `[h + 1]`.
  public float[] head(int item) {
    float[] head = new float[sketcher.headLength()];
    System.arraycopy(array(item), offset(item), head, 0, head.length);
    return head;
  }

  float[] array(int item) {
    return rows[item / ROWS];
  }

  int offset(int item) {
    return item % ROWS * sketcher.length();
  }
}
