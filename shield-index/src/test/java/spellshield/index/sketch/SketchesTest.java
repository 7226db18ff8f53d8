package spellshield.index.sketch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.index.store.ScratchFile;
import spellshield.index.store.SetWriter;

class SketchesTest {
  private static final int DIM = 5;

  @Test
  void a_file_and_native_memory_hold_what_the_sketcher_makes_of_each_latent(@TempDir Path folder)
      throws IOException {
    int count = (1 << 14) + 300; // more than are made at a time
    SplittableRandom random = new SplittableRandom(3);
    float[] values = new float[count * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    LatentReader latents = new Rounded(LatentReader.of(values, DIM));
    Sketcher sketcher = Sketcher.fit(latents, 2, 2);
    for (int first : new int[] {0, 7, count - 1, count}) {
      LatentSpace space = new LatentSpace("test", 1, 1, DIM);
      try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT32);
          ScratchFile file = writer.scratch("sketch")) {
        assertHolds(Sketches.of(sketcher, latents, first, file), first, values);
      }
      assertHolds(Sketches.of(sketcher, latents, first), first, values);
    }
  }

  private static void assertHolds(Sketches sketches, int first, float[] values) {
    Sketcher sketcher = sketches.sketcher();
    float[] expected = new float[sketcher.length()];
    double largest = 0;
    assertThat(sketches.first()).isEqualTo(first);
    assertThat(sketches.count()).isEqualTo(values.length / DIM - first);
    for (int item = 0; item < sketches.count(); item++) {
      double error = sketcher.sketch(values, (first + item) * DIM, expected, 0);
      largest = Math.max(largest, error);
      boolean same = sketches.error(item) == error;
      same &= sketches.latentError(item) == (first + item) * 0.5;
      for (int i = 0; i < expected.length; i++) {
        same &= sketches.value(item, i) == expected[i];
      }
      float[] head = sketches.head(item);
      for (int i = 0; i < sketcher.headLength(); i++) {
        same &= head[i] == expected[i];
      }
      assertThat(same).as("item %d from %d on", item, first).isTrue();
    }
    assertThat(sketches.largestError()).isEqualTo(largest);
  }

  /// Latents with an error that tells their number.
  private record Rounded(LatentReader values) implements LatentReader {
    @Override
    public long count() {
      return values.count();
    }

    @Override
    public int dim() {
      return values.dim();
    }

    @Override
    public double read(long item, float[] into) {
      values.read(item, into);
      return item * 0.5;
    }

    @Override
    public void requireOpen() {
      values.requireOpen();
    }
  }
}
