package spellshield.index.sketch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.kernel.Distance;
import spellshield.index.store.LatentReader;
import spellshield.index.testing.Seeds;

class SketcherTest {

  @Test
  void head_and_tail_are_never_farther_apart_than_the_latents() {
    Pairs pairs = new Pairs();
    int[] naive = new int[1];
    Seeds.check(
        60,
        random -> {
          int dim = random.nextInt(2, 300);
          Sketcher sketcher = randomSketcher(random, dim, random.nextInt(1, Math.min(dim, 65) + 1));
          for (int pair = 0; pair < 400; pair++) {
            pairs.draw(random, sketcher);
            double most =
                (1 + sketcher.epsilon()) * Distance.upper(Distance.between(pairs.q, pairs.z), dim);
            double slack = pairs.queryError + pairs.itemError;
            assertThat(distance(pairs, 0, sketcher.headLength())).isLessThanOrEqualTo(most + slack);
            assertThat(tailDistance(pairs, sketcher)).isLessThanOrEqualTo(most + slack);
            naive[0] += distance(pairs, 0, sketcher.headLength()) > most ? 1 : 0;
          }
        });
    // The pairs are hard ones: without the error thousands of them would be lost.
    assertThat(naive[0]).isGreaterThan(60 * 400 / 20);
  }

  @Test
  void the_stated_error_holds_against_float64() {
    Pairs pairs = new Pairs();
    Seeds.check(
        40,
        random -> {
          int dim = random.nextInt(2, 300);
          Sketcher sketcher = randomSketcher(random, dim, random.nextInt(1, Math.min(dim, 65) + 1));
          for (int pair = 0; pair < 50; pair++) {
            pairs.draw(random, sketcher);
            double[] exact = exactSketch(sketcher, pairs.z);
            double head = 0;
            double tail = 0;
            for (int i = 0; i < exact.length; i++) {
              double square = Math.pow(exact[i] - pairs.sketchOfZ[i], 2);
              head += i < sketcher.headLength() ? square : 0;
              tail += i > 0 ? square : 0;
            }
            assertThat(Math.sqrt(head)).isLessThanOrEqualTo(pairs.itemError);
            if (sketcher.tailLength() > 0) {
              assertThat(Math.sqrt(tail)).isLessThanOrEqualTo(pairs.itemError);
            }
          }
        });
  }

  @Test
  void subnormal_and_huge_values_have_an_error_that_covers_them() {
    Sketcher sketcher = new Sketcher(new float[] {0, 0}, new float[] {1, 0}, 1);
    for (float scale : new float[] {1e-40f, 1e-30f, 1e-20f, 1e18f, 1e30f, 3e38f}) {
      float[] row = new float[2];
      double error = sketcher.sketch(new float[] {scale, scale / 2}, 0, row, 0);
      // Where float32 has no room for the sum of squares the error says so.
      double off = Math.hypot(row[0] - (double) (scale / 2), row[1] - (double) scale);
      assertThat(error == Double.POSITIVE_INFINITY || off <= error).isTrue();
    }
  }

  @Test
  void the_leading_directions_keep_most_of_the_variance() {
    // Variances 100, 25, 4, 1, 1, …: two directions must find the first two axes.
    SplittableRandom random = new SplittableRandom(3);
    int dim = 40;
    float[] values = new float[2000 * dim];
    for (int i = 0; i < values.length; i++) {
      double scale = i % dim == 7 ? 10 : i % dim == 11 ? 5 : i % dim == 2 ? 2 : 1;
      values[i] = (float) (3 + scale * random.nextGaussian());
    }
    Sketcher sketcher = Sketcher.fit(LatentReader.of(values, dim), 2, 0);
    assertThat(Math.abs(sketcher.directions()[7])).isGreaterThan(0.99f);
    assertThat(Math.abs(sketcher.directions()[dim + 11])).isGreaterThan(0.99f);
    assertThat(sketcher.epsilon()).isLessThan(1e-6);
  }

  @Test
  void a_fit_to_few_equal_or_no_latents_still_gives_orthonormal_directions() {
    for (int count : new int[] {0, 1, 2, 5}) {
      for (boolean equal : new boolean[] {true, false}) {
        float[] values = new float[count * 20];
        for (int i = 0; i < values.length; i++) {
          values[i] = equal ? 0.5f : (i * 31 % 17);
        }
        Sketcher sketcher = Sketcher.fit(LatentReader.of(values, 20), 64, 64);
        assertThat(sketcher.headDim()).isEqualTo(20);
        assertThat(sketcher.tailLength()).isZero();
        assertThat(sketcher.epsilon()).isLessThan(1e-5);
      }
    }
  }

  @Test
  void a_table_written_and_read_back_is_the_same() throws Exception {
    SplittableRandom random = new SplittableRandom(5);
    for (int count : new int[] {0, 1, 63, 64, 65, 1000}) {
      float[] values = new float[count * 10];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      LatentReader latents = LatentReader.of(values, 10);
      SketchTable table = SketchTable.of(Sketcher.fit(latents, 4, 4), latents);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      table.write(bytes);
      SketchTable back = SketchTable.read(new ByteArrayInputStream(bytes.toByteArray()));
      assertThat(back.count()).isEqualTo(count);
      ByteArrayOutputStream again = new ByteArrayOutputStream();
      back.write(again);
      assertThat(again.toByteArray()).isEqualTo(bytes.toByteArray());
      boolean[] seen = new boolean[count];
      for (int g = 0; g < back.groupCount(); g++) {
        for (int block = 0; block < back.group(g).blockCount(); block++) {
          for (long items = back.group(g).alive(block); items != 0; items &= items - 1) {
            seen[back.group(g).item(64 * block + Long.numberOfTrailingZeros(items))] = true;
          }
        }
      }
      for (boolean item : seen) {
        assertThat(item).isTrue();
      }
    }
  }

  private static double distance(Pairs pairs, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += Math.pow((double) pairs.sketchOfQ[i] - pairs.sketchOfZ[i], 2);
    }
    return Math.sqrt(sum);
  }

  /// ρ′ and all coordinates; ρ takes no part.
  private static double tailDistance(Pairs pairs, Sketcher sketcher) {
    return sketcher.tailLength() == 0 ? 0 : distance(pairs, 1, sketcher.length());
  }

  private static double[] exactSketch(Sketcher sketcher, float[] latent) {
    int dim = sketcher.dim();
    double[] sketch = new double[sketcher.length()];
    double[] residual = new double[dim];
    for (int j = 0; j < dim; j++) {
      residual[j] = (double) latent[j] - sketcher.mean()[j];
    }
    double[] centred = residual.clone();
    for (int k = 0; k < sketcher.directionCount(); k++) {
      double coordinate = 0;
      for (int j = 0; j < dim; j++) {
        coordinate += sketcher.directions()[k * dim + j] * centred[j];
      }
      for (int j = 0; j < dim; j++) {
        residual[j] -= coordinate * sketcher.directions()[k * dim + j];
      }
      boolean head = k < sketcher.headDim();
      sketch[head ? 1 + k : 2 + k] = coordinate;
      double square = 0;
      for (double value : residual) {
        square += value * value;
      }
      sketch[head ? 0 : sketcher.headLength()] = Math.sqrt(square);
    }
    return sketch;
  }

  private static Sketcher randomSketcher(SplittableRandom random, int dim, int sketchDim) {
    int count = 100;
    float[] values = new float[count * dim];
    double shift = random.nextInt(4) == 0 ? 1e4 : 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (shift + random.nextGaussian() / (1 + i % dim));
    }
    return Sketcher.fit(LatentReader.of(values, dim), sketchDim, random.nextInt(20));
  }

  /// Pairs of latents that sit on the edge of what the sketch can tell apart.
  private static final class Pairs {
    float[] q = {};
    float[] z = {};
    float[] sketchOfQ = {};
    float[] sketchOfZ = {};
    double queryError;
    double itemError;

    void draw(SplittableRandom random, Sketcher sketcher) {
      int dim = sketcher.dim();
      z = new float[dim];
      q = new float[dim];
      double far = random.nextInt(8) == 0 ? 1e6 : 1;
      double[] inSpan = inSpan(random, sketcher);
      for (int i = 0; i < dim; i++) {
        z[i] =
            random.nextInt(16) == 0
                ? sketcher.mean()[i]
                : (float) (sketcher.mean()[i] + far * random.nextGaussian());
      }
      if (random.nextInt(6) == 0) {
        for (int i = 0; i < dim; i++) {
          z[i] = (float) (sketcher.mean()[i] + inSpan[i]);
        }
      }
      double s = 15.6 * Math.pow(10, -5 * random.nextDouble());
      int kind = random.nextInt(5);
      float[] row = new float[sketcher.length()];
      sketcher.sketch(z, 0, row, 0);
      for (int i = 0; i < dim; i++) {
        double residual = z[i] - sketcher.mean()[i];
        for (int k = 0; k < sketcher.headDim(); k++) {
          residual -= row[k + 1] * (double) sketcher.directions()[k * dim + i];
        }
        double along = row[0] > 0 ? residual / row[0] : 0;
        q[i] =
            (float)
                switch (kind) {
                  case 0 -> random.nextGaussian() * far;
                  case 1 -> z[i] + s * inSpan[i];
                  case 2 -> z[i] + s * along;
                  case 3 -> z[i] + s * (along + inSpan[i]);
                  default -> z[i];
                };
      }
      sketch(sketcher);
    }

    void sketch(Sketcher sketcher) {
      sketchOfQ = new float[sketcher.length()];
      sketchOfZ = new float[sketcher.length()];
      queryError = sketcher.sketch(q, 0, sketchOfQ, 0);
      itemError = sketcher.sketch(z, 0, sketchOfZ, 0);
    }

    private static double[] inSpan(SplittableRandom random, Sketcher sketcher) {
      double[] direction = new double[sketcher.dim()];
      double norm = 0;
      for (int k = 0; k < sketcher.directionCount(); k++) {
        double weight = random.nextGaussian();
        norm += weight * weight;
        for (int i = 0; i < direction.length; i++) {
          direction[i] += weight * sketcher.directions()[k * sketcher.dim() + i];
        }
      }
      for (int i = 0; i < direction.length; i++) {
        direction[i] /= Math.sqrt(norm);
      }
      return direction;
    }
  }
}
