package spellshield.sampler.shield;

import java.util.ArrayList;
import java.util.List;

/// Finished outputs that later ones keep away from, with the seeds that made them.
///
/// Lets batches differ from each other, and a batch of one stay diverse. Safe for many threads; a
/// run sees the outputs that were there when it began.
public final class History {

  /// One output.
  ///
  /// @param latent `[D]`, shared, not to be written to
  public record Output(float[] latent, long seed) {}

  private final int dim;
  private final List<Output> outputs = new ArrayList<>();

  /// Begins an empty history of latents with `dim` values.
  public History(int dim) {
    if (dim < 1) {
      throw new IllegalArgumentException("dim must be at least 1, but was " + dim);
    }
    this.dim = dim;
  }

  /// Appends an output.
  public synchronized void add(float[] latent, long seed) {
    if (latent.length != dim) {
      throw new IllegalArgumentException(
          "a latent of %d values does not fit a history of %d".formatted(latent.length, dim));
    }
    outputs.add(new Output(latent.clone(), seed));
  }

  /// Returns all outputs so far, oldest first.
  public synchronized List<Output> outputs() {
    return List.copyOf(outputs);
  }

  public int dim() {
    return dim;
  }
}
