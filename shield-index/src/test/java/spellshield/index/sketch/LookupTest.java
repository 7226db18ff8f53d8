package spellshield.index.sketch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.kernel.Kernels;
import spellshield.index.testing.Seeds;

/// Cells and lookups: what a scan sums up is never above what it stands for.
class LookupTest {

  @Test
  void a_value_is_in_its_cell_and_the_distance_to_the_cell_is_not_above_that_to_the_value() {
    Seeds.check(
        2_000,
        random -> {
          Cells cells = cells(random, 1);
          for (int draw = 0; draw < 50; draw++) {
            float value = value(random, cells, 0);
            float query = value(random, cells, 0);
            int code = cells.code(value, 0);
            assertThat(value).isBetween(cells.low(0, code), cells.high(0, code));
            double distance = (double) query - value;
            double toPart = cells.squaredDistance(query, 0, code);
            double toCell = cells.squaredDistanceToCell(query, 0, code >> 4);
            double toQuarter = cells.squaredDistanceToQuarter(query, 0, code >> 2);
            assertThat(toCell).isLessThanOrEqualTo(toQuarter);
            assertThat(toQuarter).isLessThanOrEqualTo(toPart);
            assertThat(toPart).isLessThanOrEqualTo(distance * distance);
            if (code > 0 && code < 255) {
              float width = cells.high(0, code) - cells.low(0, code);
              assertThat(Math.sqrt(toPart))
                  .isGreaterThanOrEqualTo(Math.abs(distance) - 1.001 * width);
            }
          }
        });
  }

  @Test
  void what_is_within_a_limit_has_a_sum_within_the_bar() {
    Seeds.check(
        3_000,
        random -> {
          int length = random.nextInt(1, 40);
          Cells cells = cells(random, length);
          int first = random.nextInt(2);
          float[] sketch = new float[first + length];
          double[] gains = new double[Math.ceilDiv(length, Kernels.CHUNK) * Kernels.CHUNK];
          float[] value = new float[length];
          double square = 0;
          double coarse = 0;
          for (int i = 0; i < length; i++) {
            sketch[first + i] = value(random, cells, i);
            value[i] = random.nextInt(3) == 0 ? sketch[first + i] : value(random, cells, i);
            double difference = (double) sketch[first + i] - value[i];
            square += difference * difference;
            coarse +=
                cells.squaredDistanceToCell(sketch[first + i], i, cells.code(value[i], i) >> 4);
            gains[i] = random.nextBoolean() ? 0 : difference * difference; // never more than advice
          }
          // Exactly the square of the distance, exactly what the cells add up to, or more.
          double limit =
              switch (random.nextInt(3)) {
                case 0 -> square * (1 + 0x1p-30);
                case 1 -> coarse * (1 + 0x1p-30);
                default -> square * (1 + random.nextDouble());
              };
          double made = limit * (random.nextBoolean() ? 1 : 1 + 3 * random.nextDouble());
          Lookup lookup = new Lookup(cells, sketch, first, gains, made);
          assertThat(sum(lookup, cells, value)).isLessThanOrEqualTo(lookup.bar(limit));
          // What the cells alone leave open, quarters may exclude.
          assertThat(isNear(lookup, cells, value, Math.max(limit, square * (1 + 0x1p-30))))
              .isTrue();
          assertThat(boxSum(random, lookup, cells, value)).isLessThanOrEqualTo(lookup.bar(limit));
          assertThat(lookup.suits(made)).isEqualTo(made < Double.POSITIVE_INFINITY);
        });
  }

  @Test
  void what_is_clearly_outside_has_a_sum_above_the_bar() {
    Seeds.check(
        300,
        random -> {
          int length = 32;
          float[] edges = new float[length * Cells.EDGES];
          for (int i = 0; i < edges.length; i++) {
            edges[i] = i % Cells.EDGES - 8;
          }
          Cells cells = new Cells(edges);
          float[] sketch = new float[length];
          double[] gains = new double[length];
          Arrays.fill(gains, 43); // of two numbers that are anywhere from −8 to 8
          float[] value = new float[length];
          double coarse = 0;
          for (int i = 0; i < length; i++) {
            sketch[i] = (float) random.nextDouble(-8, 8);
            value[i] = (float) random.nextDouble(-8, 8);
            coarse += cells.squaredDistanceToCell(sketch[i], i, cells.code(value[i], i) >> 4);
          }
          // Rounding loses less than one of 254 for a value.
          Lookup lookup = new Lookup(cells, sketch, 0, gains, coarse / 1.3);
          assertThat(sum(lookup, cells, value)).isGreaterThan(lookup.bar(coarse / 1.3));
          // Two values add no more than an eighth.
          assertThat(isNear(lookup, cells, value, coarse / 4)).isFalse();
        });
  }

  @Test
  void limits_that_are_none_let_all_pass() {
    Cells cells = cells(new SplittableRandom(1), 3);
    double[] gains = new double[Kernels.CHUNK];
    float[] sketch = new float[3];
    for (double limit : new double[] {Double.POSITIVE_INFINITY, Double.NaN, Double.MAX_VALUE}) {
      Lookup lookup = new Lookup(cells, sketch, 0, gains, limit);
      int sum = sum(lookup, cells, new float[] {1, 2, -3});
      assertThat(sum).isLessThanOrEqualTo(lookup.bar(limit));
      assertThat(isNear(lookup, cells, new float[] {1, 2, -3}, limit)).isTrue();
    }
    Lookup lookup = new Lookup(cells, sketch, 0, gains, 0);
    assertThat(sum(lookup, cells, sketch)).isLessThanOrEqualTo(lookup.bar(0));
    assertThat(isNear(lookup, cells, sketch, 0)).isTrue();
    assertThat(lookup.bar(Double.POSITIVE_INFINITY)).isEqualTo(255);
  }

  @Test
  void cells_that_are_not_in_order_are_refused_with_their_ends() {
    float[] edges = new float[2 * Cells.EDGES];
    edges[20] = 1;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Cells(edges))
        .withMessage("cell 3 of value 1 would reach from 1.0 to 0.0");
    edges[20] = Float.NaN;
    assertThatIllegalArgumentException().isThrownBy(() -> new Cells(edges));
  }

  /// What boxes that hold the value add up to.
  private static int boxSum(SplittableRandom random, Lookup lookup, Cells cells, float[] value) {
    int sum = 0;
    for (int i = 0; i < value.length; i++) {
      int cell = cells.code(value[i], i) >> 4;
      int least = random.nextInt(cell + 1);
      int greatest = random.nextInt(cell, Cells.COUNT);
      sum += lookup.boxTable[2 * i * Kernels.BLOCK + least] & 0xff;
      sum += lookup.boxTable[(2 * i + 1) * Kernels.BLOCK + greatest] & 0xff;
    }
    return Math.min(255, sum);
  }

  /// The sum of a scan of one block, in which the item is anywhere.
  private static int sum(Lookup lookup, Cells cells, float[] value) {
    int chunks = lookup.shifts.length;
    int bytes = Kernels.LINES * Kernels.BLOCK;
    byte[] codes = new byte[chunks * bytes];
    int lane = 37;
    for (int i = 0; i < value.length; i++) {
      int at = i / Kernels.CHUNK * bytes + i % Kernels.CHUNK / 2 * Kernels.BLOCK + lane;
      codes[at] |= (byte) ((cells.code(value[i], i) >> 4) << (4 * (i % 2)));
    }
    byte[] sums = new byte[Kernels.BLOCK * Kernels.BLOCK];
    for (int chunk = 0; chunk < chunks; chunk++) {
      int dim = chunk * Kernels.CHUNK;
      int shift = lookup.shifts[chunk];
      Kernels.scanChunk(codes, chunk * bytes, 1, lookup.table, dim, shift, chunk == 0, 255, sums);
    }
    return sums[lane] & 0xff;
  }

  /// Whether the quarters of cells that an item is in leave it open that it is within a limit.
  private static boolean isNear(Lookup lookup, Cells cells, float[] value, double limit) {
    int sum = 0;
    for (int i = 0; i < value.length; i += 2) {
      int term = quarter(lookup, cells, value, i);
      term += i + 1 < value.length ? quarter(lookup, cells, value, i + 1) : 0;
      sum += Math.min(term, 255);
    }
    return sum <= lookup.quarterBar(limit);
  }

  private static int quarter(Lookup lookup, Cells cells, float[] value, int i) {
    return lookup.quarters()[i * Kernels.BLOCK + cells.code(value[i], i) / 4] & 0xff;
  }

  /// Ends in order: regular, random, with empty cells, all the same, or huge.
  private static Cells cells(SplittableRandom random, int length) {
    float[] edges = new float[length * Cells.EDGES];
    for (int i = 0; i < length; i++) {
      int kind = random.nextInt(5);
      int at = i * Cells.EDGES;
      for (int k = 0; k < Cells.EDGES; k++) {
        edges[at + k] =
            (float)
                switch (kind) {
                  case 0 -> k - 8;
                  case 1 -> random.nextGaussian();
                  case 2 -> random.nextInt(4);
                  case 3 -> 7;
                  default -> random.nextGaussian() * 1e18;
                };
      }
      Arrays.sort(edges, at, at + Cells.EDGES);
    }
    return new Cells(edges);
  }

  /// Often exactly where a cell begins, or its neighbour among the floats; sometimes far outside.
  private static float value(SplittableRandom random, Cells cells, int i) {
    float edge = cells.edges()[i * Cells.EDGES + random.nextInt(Cells.EDGES)];
    return switch (random.nextInt(6)) {
      case 0 -> edge;
      case 1 -> Math.nextUp(edge);
      case 2 -> Math.nextDown(edge);
      case 3 -> (float) (edge + random.nextGaussian() * 1e6);
      default -> (float) (edge + random.nextGaussian());
    };
  }
}
