package spellshield.sampler.guarantee;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.index.store.RadiusScales;

/// Sets on disk of rows in memory.
final class TestSets {
  private TestSets() {}

  static LatentSpace space(int dim) {
    return new LatentSpace("test", dim);
  }

  static ProtectedSet build(Path folder, float[] values, int dim, Precision precision)
      throws IOException {
    return build(folder, values, dim, precision, RadiusScales.ONES);
  }

  static ProtectedSet build(
      Path folder, float[] values, int dim, Precision precision, RadiusScales scales)
      throws IOException {
    try (ProtectedSetBuilder builder = ProtectedSetBuilder.begin(folder, space(dim), precision)) {
      for (int from = 0; from < values.length; from += dim) {
        Item item = new Item("id-" + builder.count(), "", "");
        float scale = (float) scales.of(builder.count());
        builder.add(item, Arrays.copyOfRange(values, from, from + dim), scale);
      }
      builder.commit(Instant.EPOCH);
    }
    return ProtectedSet.open(folder);
  }
}
