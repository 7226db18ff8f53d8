package spellshield.index.sketch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import spellshield.index.store.LatentReader;

/// Reads the sketches as `docs/FORMAT.md` describes them, with none of the table's own code.
class SketchFormatTest {
  private static final int DIM = 5;
  private static final int HEAD_DIM = 2;
  private static final int TAIL_DIM = 1;
  private static final int CODED = HEAD_DIM + TAIL_DIM + 1;
  private static final int COUNT = 4_170; // two groups, the second with two blocks, one not full

  @Test
  void the_file_is_what_the_format_page_says() throws IOException {
    float[] values = values();
    ByteBuffer file = ByteBuffer.wrap(written(values)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[8];
    file.get(magic);
    assertThat(new String(magic, StandardCharsets.US_ASCII)).isEqualTo("SLSKETCH");
    assertThat(file.getInt()).isEqualTo(4);
    assertThat(file.getInt()).isEqualTo(DIM);
    assertThat(file.getInt()).isEqualTo(HEAD_DIM);
    assertThat(file.getInt()).isEqualTo(HEAD_DIM + TAIL_DIM);
    assertThat(file.getLong()).isEqualTo(COUNT);
    assertThat(file.getDouble()).isBetween(1e-12, 0.1);
    float[] mean = floats(file, DIM);
    float[] directions = floats(file, (HEAD_DIM + TAIL_DIM) * DIM);
    float[] means = floats(file, CODED);
    float[] variances = floats(file, CODED);
    float[] edges = floats(file, CODED * 17);
    double[] sums = new double[CODED];
    double[] squares = new double[CODED];
    boolean[] seen = new boolean[COUNT];
    for (int size : new int[] {4096, COUNT - 4096}) {
      float[] errors = floats(file, 2);
      assertThat(errors[0]).isBetween(1e-12f, 0.1f);
      assertThat(errors[1]).isZero();
      int[] items = new int[size];
      for (int i = 0; i < size; i++) {
        items[i] = file.getInt();
        assertThat(seen[items[i]]).isFalse();
        seen[items[i]] = true;
      }
      int blocks = (size + 63) / 64;
      byte[] cells = new byte[blocks * 64 * 4]; // of four values, and four that are not there
      byte[] parts = new byte[cells.length];
      file.get(cells);
      file.get(parts);
      for (int place = 0; place < size; place++) {
        double[] sketch = sketch(values, items[place], mean, directions);
        for (int i = 0; i < CODED; i++) {
          int cell = (cells[(place / 64 * 4 + i / 2) * 64 + place % 64] >> (4 * (i % 2))) & 15;
          int part = (parts[(place / 64 * 4 + i / 2) * 64 + place % 64] >> (4 * (i % 2))) & 15;
          double from = edges[i * 17 + cell];
          double to = edges[i * 17 + cell + 1];
          boolean first = cell == 0 && part == 0;
          boolean last = cell == 15 && part == 15;
          // Where a part begins is rounded to float32.
          double slack = errors[0] + 1e-6;
          if (!first) {
            assertThat(sketch[i]).isGreaterThanOrEqualTo(from + (to - from) * part / 16 - slack);
          }
          if (!last) {
            assertThat(sketch[i]).isLessThanOrEqualTo(from + (to - from) * (part + 1) / 16 + slack);
          }
          sums[i] += sketch[i];
          squares[i] += sketch[i] * sketch[i];
        }
        assertThat(cells[(place / 64 * 4 + 2) * 64 + place % 64]).isZero();
        assertThat(parts[(place / 64 * 4 + 3) * 64 + place % 64]).isZero();
      }
    }
    assertThat(file.hasRemaining()).isFalse();
    for (int i = 0; i < CODED; i++) {
      double average = sums[i] / COUNT;
      // ρ′ is nearly 0 here, and rounding moves it most.
      assertThat((double) means[i]).isCloseTo(average, within(1e-3));
      assertThat((double) variances[i])
          .isCloseTo(squares[i] / COUNT - average * average, within(1e-3));
    }
  }

  /// What is coded: the head's coordinates, ρ′, the tail's, by the formula in float64.
  private static double[] sketch(float[] values, int item, float[] mean, float[] directions) {
    double[] residual = new double[DIM];
    double[] centred = new double[DIM];
    for (int j = 0; j < DIM; j++) {
      centred[j] = (double) values[item * DIM + j] - mean[j];
      residual[j] = centred[j];
    }
    double[] sketch = new double[CODED];
    for (int k = 0; k < HEAD_DIM + TAIL_DIM; k++) {
      double coordinate = 0;
      for (int j = 0; j < DIM; j++) {
        coordinate += directions[k * DIM + j] * centred[j];
      }
      for (int j = 0; j < DIM; j++) {
        residual[j] -= coordinate * directions[k * DIM + j];
      }
      sketch[k < HEAD_DIM ? k : 1 + k] = coordinate;
    }
    double square = 0;
    for (double value : residual) {
      square += value * value;
    }
    sketch[HEAD_DIM] = Math.sqrt(square);
    return sketch;
  }

  @Test
  void what_is_no_table_is_refused_in_words() throws IOException {
    byte[] file = written(values());
    assertThatThrownBy(() -> read(Arrays.copyOf(file, file.length - 1)))
        .isInstanceOf(EOFException.class)
        .hasMessageContaining("1 bytes too early");
    byte[] foreign = file.clone();
    foreign[0] = 'X';
    assertThatThrownBy(() -> read(foreign)).hasMessageContaining("not SLSKETCH");
    byte[] newer = file.clone();
    newer[8] = 5;
    assertThatThrownBy(() -> read(newer))
        .hasMessageContaining("format 5")
        .hasMessageContaining("4");
    byte[] disordered = file.clone();
    int edges = 40 + 4 * (DIM + (HEAD_DIM + TAIL_DIM) * DIM + 2 * CODED);
    ByteBuffer.wrap(disordered).order(ByteOrder.LITTLE_ENDIAN).putFloat(edges, 1e9f);
    assertThatThrownBy(() -> read(disordered)).hasMessageContaining("cell 0 of value 0");
  }

  private static SketchTable read(byte[] file) throws IOException {
    return SketchTable.read(new ByteArrayInputStream(file));
  }

  private static byte[] written(float[] values) throws IOException {
    LatentReader latents = LatentReader.of(values, DIM);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SketchTable.of(Sketcher.fit(latents, HEAD_DIM, TAIL_DIM), latents).write(out);
    return out.toByteArray();
  }

  private static float[] values() {
    float[] values = new float[COUNT * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (Math.sin(i * 1.7 + i / DIM % 13) * (1 + i % DIM));
    }
    return values;
  }

  private static float[] floats(ByteBuffer file, int count) {
    float[] floats = new float[count];
    for (int i = 0; i < count; i++) {
      floats[i] = file.getFloat();
    }
    return floats;
  }
}
