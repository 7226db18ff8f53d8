package spellshield.index.store;

/// Where the latents of a set are read from, by position.
public interface LatentReader {

  /// Returns the number of latents.
  long count();

  /// Returns D, the number of values of one latent.
  int dim();

  /// Copies latent `item` into the first D places of `into`.
  ///
  /// @return a bound on the distance between what was copied and the latent that was added: the
  ///   rounding of float16, or 0
  double read(long item, float[] into);

  /// Returns while the latents can be read; does nothing for those in memory.
  ///
  /// @throws IllegalStateException if they were closed
  default void requireOpen() {}

  /// Returns a reader over rows in memory, which it does not copy.
  static LatentReader of(float[] values, int dim) {
    if (dim < 1 || values.length % dim != 0) {
      throw new IllegalArgumentException(
          "%d values do not fill latents of %d values each".formatted(values.length, dim));
    }
    return new LatentReader() {
      @Override
      public long count() {
        return values.length / dim;
      }

      @Override
      public int dim() {
        return dim;
      }

      @Override
      public double read(long item, float[] into) {
        int from = Math.toIntExact(item * dim);
        System.arraycopy(values, from, into, 0, dim);
        return 0;
      }

      @Override
      public String toString() {
        return "latents in memory, [%d, %d]".formatted(count(), dim());
      }
    };
  }
}
