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
  void the_bound_never_exceeds_the_distance() {
    Pairs pairs = new Pairs();
    int[] dropped = new int[1];
    int[] naive = new int[1];
    Seeds.check(
        60,
        random -> {
          int dim = random.nextInt(2, 300);
          Sketcher sketcher = randomSketcher(random, dim, random.nextInt(1, Math.min(dim, 65) + 1));
          for (int pair = 0; pair < 400; pair++) {
            pairs.draw(random, sketcher);
            double distance = Distance.lower(Distance.between(pairs.q, pairs.z), dim);
            // The radius is the pair's own distance: the item is exactly on the edge.
            if (sum(sketcher, pairs) > limit(sketcher, pairs, distance)) {
              dropped[0]++;
            }
            if (sum(sketcher, pairs) > (float) (distance * distance)) {
              naive[0]++;
            }
            double clearance =
                sketcher.clearance(sum(sketcher, pairs), pairs.queryError, pairs.itemError);
            assertThat(clearance)
                .isLessThanOrEqualTo(Distance.upper(Distance.between(pairs.q, pairs.z), dim));
          }
        });
    assertThat(dropped[0]).isZero();
    // The pairs are hard ones: comparing with r² in float32 loses thousands of them.
    assertThat(naive[0]).isGreaterThan(60 * 400 / 10);
  }

  @Test
  void the_bound_holds_where_every_float32_addition_rounds_up() {
    // Identity directions in 65 dimensions: the sketch is the latent, ρ is 0.
    int dim = 65;
    float[] directions = new float[dim * dim];
    for (int i = 0; i < dim; i++) {
      directions[i * dim + i] = 1;
    }
    Sketcher sketcher = new Sketcher(new float[dim], directions);
    Pairs pairs = new Pairs();
    pairs.q = new float[dim];
    pairs.z = new float[dim];
    pairs.q[0] = 1;
    for (int i = 1; i < dim; i++) {
      pairs.q[i] = (float) Math.sqrt(0x1p-24 * (1 + 0x1p-20));
    }
    pairs.sketch(sketcher);
    double distance = Distance.between(pairs.q, pairs.z);
    float sum = sum(sketcher, pairs);
    assertThat(sum).isGreaterThan((float) (distance * distance));
    assertThat(sum).isLessThanOrEqualTo(limit(sketcher, pairs, distance));
  }

  @Test
  void subnormal_differences_are_not_lost() {
    Sketcher sketcher = new Sketcher(new float[] {0, 0}, new float[] {1, 0});
    Pairs pairs = new Pairs();
    pairs.q = new float[] {1e-30f, 0};
    pairs.z = new float[] {0, 2e-30f};
    pairs.sketch(sketcher);
    double distance = Distance.lower(Distance.between(pairs.q, pairs.z), 2);
    assertThat(sum(sketcher, pairs)).isLessThanOrEqualTo(limit(sketcher, pairs, distance));
    assertThat(sketcher.clearance(sum(sketcher, pairs), pairs.queryError, pairs.itemError))
        .isLessThanOrEqualTo(distance);
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
    Sketcher sketcher = Sketcher.fit(LatentReader.of(values, dim), 2);
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
        Sketcher sketcher = Sketcher.fit(LatentReader.of(values, 20), 64);
        assertThat(sketcher.sketchDim()).isEqualTo(20);
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
      SketchTable table = SketchTable.of(Sketcher.fit(latents, 4), latents);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      table.write(bytes);
      SketchTable back = SketchTable.read(new ByteArrayInputStream(bytes.toByteArray()));
      assertThat(back.count()).isEqualTo(count);
      assertThat(back.sketchError()).isEqualTo(table.sketchError());
      boolean[] seen = new boolean[count];
      for (int block = 0; block < table.blockCount(); block++) {
        for (int lane = 0; lane < table.size(block); lane++) {
          assertThat(back.sketch(block, lane)).isEqualTo(table.sketch(block, lane));
          assertThat(back.item(block, lane)).isEqualTo(table.item(block, lane));
          float[] expected = new float[5];
          table.sketcher().sketch(values, table.item(block, lane) * 10, expected, 0);
          assertThat(back.sketch(block, lane)).isEqualTo(expected);
          seen[back.item(block, lane)] = true;
        }
      }
      for (boolean item : seen) {
        assertThat(item).isTrue();
      }
    }
  }

  private static float sum(Sketcher sketcher, Pairs pairs) {
    float sum = 0;
    for (int i = 0; i < sketcher.length(); i++) {
      float difference = pairs.sketchOfQ[i] - pairs.sketchOfZ[i];
      sum += difference * difference;
    }
    return sum;
  }

  private static float limit(Sketcher sketcher, Pairs pairs, double radius) {
    return sketcher.scanLimit(radius, pairs.queryError, pairs.itemError);
  }

  private static Sketcher randomSketcher(SplittableRandom random, int dim, int sketchDim) {
    int count = 100;
    float[] values = new float[count * dim];
    double shift = random.nextInt(4) == 0 ? 1e4 : 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (shift + random.nextGaussian() / (1 + i % dim));
    }
    return Sketcher.fit(LatentReader.of(values, dim), sketchDim);
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
        for (int k = 0; k < sketcher.sketchDim(); k++) {
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
      for (int k = 0; k < sketcher.sketchDim(); k++) {
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
