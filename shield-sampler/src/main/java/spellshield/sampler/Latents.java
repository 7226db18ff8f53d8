package spellshield.sampler;

import java.util.Arrays;

/// A batch of latents, float32, row by row: `[B, C, H, W]`, flat `[B, D]` with `D = C·H·W`.
///
/// The array is shared, not copied: whoever hands a batch on says whether it may be written to.
///
/// @param values `B·D` numbers, row `i` from `i·D`
/// @param batch the number of rows B, 0 or more
/// @param shape `[C, H, W]` or any other shape of one latent
public record Latents(float[] values, int batch, int... shape) {
  public Latents {
    long dim = 1;
    for (int extent : shape) {
      if (extent < 1) {
        throw new IllegalArgumentException("every extent must be at least 1, but was " + extent);
      }
      dim = Math.multiplyExact(dim, extent);
    }
    if (batch < 0 || values.length != batch * dim) {
      throw new IllegalArgumentException(
          "%d values do not fill %d latents of %d values each"
              .formatted(values.length, batch, dim));
    }
  }

  /// Returns a batch of zeros.
  public static Latents zeros(int batch, int... shape) {
    return new Latents(new float[Math.multiplyExact(batch, dim(shape))], batch, shape);
  }

  /// Returns D, the number of values of one latent.
  public int dim() {
    return dim(shape);
  }

  private static int dim(int... shape) {
    int dim = 1;
    for (int extent : shape) {
      dim = Math.multiplyExact(dim, extent);
    }
    return dim;
  }

  /// Returns a batch of the same size and shape around other values.
  public Latents with(float[] otherValues) {
    return new Latents(otherValues, batch, shape);
  }

  /// Returns a copy of row `i`.
  public float[] row(int i) {
    int dim = dim();
    return Arrays.copyOfRange(values, i * dim, (i + 1) * dim);
  }

  /// Returns some rows, in their order, as a batch of their own.
  public Latents rows(int... rows) {
    Latents some = zeros(rows.length, shape);
    int dim = dim();
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(values, rows[i] * dim, some.values, i * dim, dim);
    }
    return some;
  }

  /// Returns a deep copy.
  public Latents copy() {
    return with(values.clone());
  }
}
