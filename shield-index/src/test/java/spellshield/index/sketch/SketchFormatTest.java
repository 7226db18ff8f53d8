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
  private static final int SKETCH_DIM = 3;
  private static final int COUNT = 70;

  @Test
  void the_file_is_what_the_format_page_says() throws IOException {
    float[] values = values();
    ByteBuffer file = ByteBuffer.wrap(written(values)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] magic = new byte[8];
    file.get(magic);
    assertThat(new String(magic, StandardCharsets.US_ASCII)).isEqualTo("SLSKETCH");
    assertThat(file.getInt()).isEqualTo(1);
    assertThat(file.getInt()).isEqualTo(DIM);
    assertThat(file.getInt()).isEqualTo(SKETCH_DIM);
    assertThat(file.getInt()).isZero();
    assertThat(file.getLong()).isEqualTo(COUNT);
    assertThat(file.getDouble()).isBetween(1e-12, 1e-4);
    assertThat(file.getDouble()).isZero();
    float[] mean = floats(file, DIM);
    float[] directions = floats(file, SKETCH_DIM * DIM);
    float[] blocks = floats(file, 2 * (SKETCH_DIM + 1) * 64);
    boolean[] seen = new boolean[COUNT];
    for (int place = 0; place < 128; place++) {
      int at = place / 64 * (SKETCH_DIM + 1) * 64 + place % 64;
      if (place >= COUNT) {
        assertThat(blocks[at]).isEqualTo(1e15f);
        continue;
      }
      int item = file.getInt();
      assertThat(seen[item]).isFalse();
      seen[item] = true;
      double square = 0;
      double kept = 0;
      for (int j = 0; j < DIM; j++) {
        square += Math.pow((double) values[item * DIM + j] - mean[j], 2);
      }
      for (int i = 0; i < SKETCH_DIM; i++) {
        double coordinate = 0;
        for (int j = 0; j < DIM; j++) {
          coordinate += directions[i * DIM + j] * ((double) values[item * DIM + j] - mean[j]);
        }
        kept += coordinate * coordinate;
        assertThat(blocks[at + (i + 1) * 64]).isEqualTo((float) coordinate);
      }
      // ρ² is the rest, up to the departure of P from orthonormal and the rounding of the
      // difference.
      assertThat((double) blocks[at] * blocks[at])
          .isBetween(square - kept - 1e-4, square - kept + 1e-4);
    }
    assertThat(file.hasRemaining()).isFalse();
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
    newer[8] = 2;
    assertThatThrownBy(() -> read(newer))
        .hasMessageContaining("format 2")
        .hasMessageContaining("1");
  }

  private static SketchTable read(byte[] file) throws IOException {
    return SketchTable.read(new ByteArrayInputStream(file));
  }

  private static byte[] written(float[] values) throws IOException {
    LatentReader latents = LatentReader.of(values, DIM);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    SketchTable.of(Sketcher.fit(latents, SKETCH_DIM), latents).write(out);
    return out.toByteArray();
  }

  private static float[] values() {
    float[] values = new float[COUNT * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i * 1.7) * (1 + i % DIM);
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
