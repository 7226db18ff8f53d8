package spellshield.index.sketch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.store.LatentReader;
import spellshield.index.testing.Seeds;

class AddedSketchesTest {
  private static final int DIM = 5;
  private static final int BUILT = 100;
  private static final int ADDED = 70; // two blocks, one not full

  @Test
  void the_file_is_what_the_format_page_says_and_cells_hold_what_is_unlike_the_build() {
    Seeds.check(
        30,
        random -> {
          float scale = new float[] {1, 3, 100, 1e6f}[random.nextInt(4)]; // of what is added
          float[] values = values(random, scale);
          SketchTable table = table(values);
          ByteBuffer file = ByteBuffer.wrap(written(values, table)).order(ByteOrder.LITTLE_ENDIAN);
          byte[] magic = new byte[8];
          file.get(magic);
          assertThat(new String(magic, StandardCharsets.US_ASCII)).isEqualTo("SLSKMORE");
          assertThat(file.getInt()).isEqualTo(3);
          assertThat(file.getInt()).isEqualTo(DIM);
          assertThat(file.getInt()).isEqualTo(2);
          assertThat(file.getInt()).isEqualTo(3);
          assertThat(file.getLong()).isEqualTo(BUILT);
          assertThat(file.getLong()).isEqualTo(ADDED);
          float error = file.getFloat();
          assertThat(file.getFloat()).isZero();
          int[] items = new int[ADDED];
          boolean[] seen = new boolean[ADDED];
          for (int place = 0; place < ADDED; place++) {
            items[place] = file.getInt();
            assertThat(seen[items[place] - BUILT]).isFalse();
            seen[items[place] - BUILT] = true;
          }
          byte[] cells = new byte[2 * 64 * 4];
          byte[] parts = new byte[cells.length];
          file.get(cells);
          file.get(parts);
          assertThat(file.hasRemaining()).isFalse();
          boolean outside = false;
          for (int place = 0; place < ADDED; place++) {
            double[] sketch = sketch(values, items[place], table.sketcher());
            for (int i = 0; i < 4; i++) {
              int cell = (cells[(place / 64 * 4 + i / 2) * 64 + place % 64] >> (4 * (i % 2))) & 15;
              int part = (parts[(place / 64 * 4 + i / 2) * 64 + place % 64] >> (4 * (i % 2))) & 15;
              double low = table.cells().low(i, 16 * cell + part);
              double high = table.cells().high(i, 16 * cell + part);
              assertThat(sketch[i]).isBetween(low - error, high + error);
              outside |= Double.isInfinite(low) || Double.isInfinite(high);
            }
          }
          if (scale > 10) {
            assertThat(outside).isTrue();
          }
        });
  }

  @Test
  void what_was_added_reads_back_and_a_table_takes_it_without_a_gap_only() throws IOException {
    float[] values = values(new SplittableRandom(1), 1);
    SketchTable table = table(values);
    byte[] file = written(values, table);
    AddedSketches read = AddedSketches.read(new ByteArrayInputStream(file), table);
    assertThat(read.first()).isEqualTo(BUILT);
    assertThat(read.count()).isEqualTo(ADDED);
    ByteArrayOutputStream again = new ByteArrayOutputStream();
    read.write(again);
    assertThat(again.toByteArray()).isEqualTo(file);
    SketchTable more = table.with(List.of(read));
    assertThat(more.count()).isEqualTo(BUILT + ADDED);
    assertThat(more.builtCount()).isEqualTo(BUILT);
    assertThat(more.groupCount()).isEqualTo(2);
    assertThat(more.builtGroups()).isEqualTo(1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> table.with(List.of(read, read)))
        .withMessageContaining("begin with item 100, but should with 170");
  }

  @Test
  void what_is_no_such_file_is_refused_in_words() throws IOException {
    float[] values = values(new SplittableRandom(2), 1);
    SketchTable table = table(values);
    byte[] file = written(values, table);
    assertThatThrownBy(() -> read(Arrays.copyOf(file, file.length - 1), table))
        .isInstanceOf(EOFException.class)
        .hasMessageContaining("1 bytes too early");
    byte[] foreign = file.clone();
    foreign[0] = 'X';
    assertThatThrownBy(() -> read(foreign, table)).hasMessageContaining("not SLSKMORE");
    byte[] newer = file.clone();
    newer[8] = 4;
    assertThatThrownBy(() -> read(newer, table)).hasMessageContaining("format 4");
    byte[] other = file.clone();
    other[12] = 6;
    assertThatThrownBy(() -> read(other, table)).hasMessageContaining("are not of this set");
  }

  private static AddedSketches read(byte[] file, SketchTable table) throws IOException {
    return AddedSketches.read(new ByteArrayInputStream(file), table);
  }

  private static byte[] written(float[] values, SketchTable table) throws IOException {
    Sketches sketches = Sketches.of(table.sketcher(), LatentReader.of(values, DIM), BUILT);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    AddedSketches.of(table, sketches).write(out);
    return out.toByteArray();
  }

  private static SketchTable table(float[] values) {
    LatentReader built = LatentReader.of(Arrays.copyOf(values, BUILT * DIM), DIM);
    return SketchTable.of(Sketcher.fit(built, 2, 1), built);
  }

  private static float[] values(SplittableRandom random, float scale) {
    float[] values = new float[(BUILT + ADDED) * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * (i < BUILT * DIM ? 1 : scale);
    }
    return values;
  }

  /// What is coded: the head's coordinates, ρ′, the tail's, by the formula in float64.
  private static double[] sketch(float[] values, int item, Sketcher sketcher) {
    double[] centred = new double[DIM];
    for (int j = 0; j < DIM; j++) {
      centred[j] = (double) values[item * DIM + j] - sketcher.mean()[j];
    }
    double[] residual = centred.clone();
    double[] sketch = new double[4];
    for (int k = 0; k < 3; k++) {
      double coordinate = 0;
      for (int j = 0; j < DIM; j++) {
        coordinate += sketcher.directions()[k * DIM + j] * centred[j];
      }
      for (int j = 0; j < DIM; j++) {
        residual[j] -= coordinate * sketcher.directions()[k * DIM + j];
      }
      sketch[k < 2 ? k : 1 + k] = coordinate;
    }
    double square = 0;
    for (double value : residual) {
      square += value * value;
    }
    sketch[2] = Math.sqrt(square);
    return sketch;
  }
}
