package spellshield.sampler.denoiser;

import java.util.ArrayList;
import java.util.List;
import spellshield.index.linalg.Matrix;
import spellshield.sampler.Latents;

/// Some items of one class, in ND4J's memory, item by item.
///
/// @param items `[n, D]` float32
/// @param normsSquared ‖z_k‖² of each item, float64
record ItemChunk(Matrix items, double[] normsSquared) implements AutoCloseable {

  /// Large enough that a product outweighs its call, small enough to stay in the cache beside it.
  private static final int ITEMS = 1024;

  /// Copies the given items, in their order, into chunks.
  static List<ItemChunk> of(Latents data, int[] items) {
    int dim = data.dim();
    List<ItemChunk> chunks = new ArrayList<>();
    for (int first = 0; first < items.length; first += ITEMS) {
      int n = Math.min(ITEMS, items.length - first);
      float[] values = new float[Math.multiplyExact(n, dim)];
      double[] normsSquared = new double[n];
      for (int j = 0; j < n; j++) {
        int item = items[first + j];
        System.arraycopy(data.values(), item * dim, values, j * dim, dim);
        normsSquared[j] = Distances.normSquared(values, j * dim, dim);
      }
      chunks.add(new ItemChunk(Matrix.of(values, n, dim), normsSquared));
    }
    return chunks;
  }

  int count() {
    return normsSquared.length;
  }

  @Override
  public void close() {
    items.close();
  }
}
