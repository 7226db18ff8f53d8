package spellshield.index.sketch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
  private static final int COUNT = 4_170; // two groups, the second with two blocks, one not full

  @Test
  void the_file_is_what_the_format_page_says() throws IOException {
    float[] values = values();
    ByteBuffer file = ByteBuffer.wrap(written(values)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[8];
    file.get(magic);
    assertThat(new String(magic, StandardCharsets.US_ASCII)).isEqualTo("SLSKETCH");
    assertThat(file.getInt()).isEqualTo(2);
    assertThat(file.getInt()).isEqualTo(DIM);
    assertThat(file.getInt()).isEqualTo(HEAD_DIM);
    assertThat(file.getInt()).isEqualTo(HEAD_DIM + TAIL_DIM);
    assertThat(file.getLong()).isEqualTo(COUNT);
    float headStep = file.getFloat();
    float tailStep = file.getFloat();
    assertThat(file.getDouble()).isBetween(1e-12, 0.1);
    float[] mean = floats(file, DIM);
    float[] directions = floats(file, (HEAD_DIM + TAIL_DIM) * DIM);
    float[] headLow = floats(file, HEAD_DIM + 1);
    float[] tailLow = floats(file, TAIL_DIM + 1);
    boolean[] seen = new boolean[COUNT];
    for (int size : new int[] {4096, COUNT - 4096}) {
      float[] errors = floats(file, 3);
      assertThat(errors[2]).isZero();
      int[] items = new int[size];
      for (int i = 0; i < size; i++) {
        items[i] = file.getInt();
        assertThat(seen[items[i]]).isFalse();
        seen[items[i]] = true;
      }
      int blocks = (size + 63) / 64;
      byte[] heads = new byte[blocks * 64 * 4]; // three columns, and one of zeros
      byte[] tails = new byte[size * (TAIL_DIM + 1)];
      file.get(heads);
      file.get(tails);
      for (int place = 0; place < size; place++) {
        double[] sketch = sketch(values, items[place], mean, directions);
        double headError = 0;
        double tailError = 0;
        for (int i = 0; i <= HEAD_DIM; i++) {
          byte code = heads[(place / 64 * 4 + i) * 64 + place % 64];
          double error = headLow[i] + (double) headStep * (code & 0xff) - sketch[i];
          headError += error * error;
          tailError += i == 0 ? 0 : error * error;
        }
        for (int i = 0; i <= TAIL_DIM; i++) {
          byte code = tails[place * (TAIL_DIM + 1) + i];
          double error = tailLow[i] + (double) tailStep * (code & 0xff) - sketch[HEAD_DIM + 1 + i];
          tailError += error * error;
        }
        assertThat(Math.sqrt(headError)).isLessThanOrEqualTo(errors[0]);
        assertThat(Math.sqrt(tailError)).isLessThanOrEqualTo(errors[1]);
        assertThat(errors[0]).isLessThan(3 * headStep);
        assertThat(errors[1]).isLessThan(3 * (headStep + tailStep));
      }
    }
    assertThat(file.hasRemaining()).isFalse();
  }

  /// ρ, the head's coordinates, ρ′, the tail's, by the formula in float64.
  private static double[] sketch(float[] values, int item, float[] mean, float[] directions) {
    double[] residual = new double[DIM];
    double[] centred = new double[DIM];
    for (int j = 0; j < DIM; j++) {
      centred[j] = (double) values[item * DIM + j] - mean[j];
      residual[j] = centred[j];
    }
    double[] sketch = new double[HEAD_DIM + TAIL_DIM + 2];
    for (int k = 0; k < HEAD_DIM + TAIL_DIM; k++) {
      double coordinate = 0;
      for (int j = 0; j < DIM; j++) {
        coordinate += directions[k * DIM + j] * centred[j];
      }
      for (int j = 0; j < DIM; j++) {
        residual[j] -= coordinate * directions[k * DIM + j];
      }
      sketch[k < HEAD_DIM ? 1 + k : 2 + k] = coordinate;
      double square = 0;
      for (double value : residual) {
        square += value * value;
      }
      sketch[k < HEAD_DIM ? 0 : HEAD_DIM + 1] = Math.sqrt(square);
    }
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
    newer[8] = 3;
    assertThatThrownBy(() -> read(newer))
        .hasMessageContaining("format 3")
        .hasMessageContaining("2");
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
