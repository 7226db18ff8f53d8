package spellshield.tools;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import spellshield.index.ProtectedSet;
import spellshield.index.store.RadiusScales;
import spellshield.sampler.Latents;

/// All protected latents of a set in memory, in the order of their numbers: the data of the
/// closed-form denoisers, which memorise it.
///
/// @param latents every latent, `[K, C, H, W]`
/// @param labels the class of each, an index into `names`
/// @param names the labels of the set, in the order in which they first occur
/// @param scales how wide the balls of these latents are
public record ProtectedData(
    Latents latents, int[] labels, List<String> names, RadiusScales scales) {

  /// Reads all protected latents of a set.
  ///
  /// @throws IllegalArgumentException if they are more than one array holds
  public static ProtectedData of(ProtectedSet set) {
    int dim = set.space().dim();
    if (set.count() * dim > Integer.MAX_VALUE - 16) {
      throw new IllegalArgumentException(
          "%,d latents of %,d values are more than a closed-form denoiser can hold in one array"
              .formatted(set.count(), dim));
    }
    int count = (int) set.count();
    float[] values = new float[count * dim];
    float[] row = new float[dim];
    int[] labels = new int[count];
    float[] scales = new float[count];
    Map<String, Integer> numbers = new LinkedHashMap<>();
    long[] items = set.living().items().toArray();
    for (int k = 0; k < count; k++) {
      set.latents().read(items[k], row);
      System.arraycopy(row, 0, values, k * dim, dim);
      scales[k] = (float) set.radiusScales().of(items[k]);
      String label = set.item(items[k]).label();
      labels[k] = numbers.computeIfAbsent(label, unseen -> numbers.size());
    }
    return new ProtectedData(
        new Latents(values, count, set.space().shape()),
        labels,
        new ArrayList<>(numbers.keySet()),
        RadiusScales.from(scales));
  }

  /// Returns the number of a label.
  public int number(String label) {
    int number = names.indexOf(label);
    if (number < 0) {
      throw new IllegalArgumentException(
          "the set has no label '%s'; it has %s".formatted(label, names));
    }
    return number;
  }
}
