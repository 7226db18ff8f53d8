package spellshield.sampler.shield;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.search.ExactScan;
import spellshield.index.search.Neighbor;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.LatentReader;
import spellshield.index.store.RadiusScales;
import spellshield.index.testing.Seeds;
import spellshield.sampler.ball.Vectors;

class TrajectoryMemoryTest {
  private static final int[] COUNTS = {1, 2, 7, 63, 64, 65, 300};
  private static final int[] DIMS = {1, 2, 3, 8, 17, 33};

  @Test
  void answers_are_those_of_a_fresh_search() {
    Seeds.check(
        400,
        random -> {
          int dim = DIMS[random.nextInt(DIMS.length)];
          boolean grid = random.nextInt(4) == 0; // whole numbers meet radii exactly
          float[] values = values(random, COUNTS[random.nextInt(COUNTS.length)], dim, grid);
          LatentReader latents = LatentReader.of(values, dim);
          if (random.nextInt(4) == 0) {
            latents = rounded(latents, 0.01);
          }
          RadiusScales scales =
              random.nextBoolean() ? RadiusScales.ONES : scales(random, values, dim);
          SketchTable table = SketchTable.of(Sketcher.fit(latents, 4, 4), latents).scaled(scales);
          ExactScan scan = new ExactScan(table, latents);
          double radius = grid ? random.nextInt(1, 6) : radius(random, dim);
          double[] skins = {0, 1e-9, 0.1 * radius, 0.5 * radius, 4 * radius, 1e9};
          double skin = skins[random.nextInt(skins.length)];
          TrajectoryMemory memory = new TrajectoryMemory(latents, scales.least(), radius, skin);
          float[] x = new float[dim];
          for (int step = 0; step < 30; step++) {
            move(random, x, values, radius, grid);
            List<Neighbor> fresh = search(scan, x, radius);
            List<Neighbor> recalled = memory.recall(x);
            if (recalled != null) {
              assertThat(recalled).isEqualTo(fresh);
            } else {
              memory.remember(x, scan.search(x, 1, memory.reach()).getFirst());
              List<Neighbor> again = memory.recall(x);
              assertThat(again == null ? fresh : again).isEqualTo(fresh);
            }
          }
        });
  }

  /// Powers of two, by which whole distances meet balls exactly, or anything, or a few extremes.
  private static RadiusScales scales(SplittableRandom random, float[] values, int dim) {
    float[] scales = new float[values.length / dim];
    int kind = random.nextInt(3);
    for (int item = 0; item < scales.length; item++) {
      scales[item] =
          switch (kind) {
            case 0 -> Math.scalb(1f, random.nextInt(5) - 2);
            case 1 -> (float) Math.exp((2 * random.nextDouble() - 1) * Math.log(4));
            default -> new float[] {1, 1, 1, 1, 1e-3f, 50}[random.nextInt(6)];
          };
    }
    return RadiusScales.from(scales);
  }

  @Test
  void a_ball_of_its_own_is_met_where_its_own_edge_is() {
    // Balls of radius 1 and 1/4 at 100 and −100: the clearance of 0 is 100 of the first, 400 of the
    // second. From 0 the first is met after 99, which is less than 1/4·(100 − 1) of the second.
    LatentReader latents = LatentReader.of(new float[] {100, 0, -100, 0}, 2);
    RadiusScales scales = RadiusScales.from(1, 0.25f);
    ExactScan scan =
        new ExactScan(SketchTable.of(Sketcher.fit(latents, 1, 4), latents).scaled(scales), latents);
    TrajectoryMemory memory = new TrajectoryMemory(latents, scales.least(), 1, 1);
    memory.remember(new float[2], scan.search(new float[2], 1, 90).getFirst());
    assertThat(memory.recall(new float[] {20, 0})).isEmpty();
    assertThat(memory.recall(new float[] {25, 0})).isNull();
    memory.remember(new float[] {-99.5f, 0}, scan.search(new float[] {-99.5f, 0}, 1, 3).getFirst());
    assertThat(memory.recall(new float[] {-99.7f, 0})).isEmpty();
    assertThat(memory.recall(new float[] {-99.75f, 0}))
        .extracting(Neighbor::item)
        .containsExactly(1L);
  }

  @Test
  void a_slow_walk_is_searched_for_rarely() {
    SplittableRandom random = new SplittableRandom(3);
    float[] values = values(random, 500, 16, false);
    LatentReader latents = LatentReader.of(values, 16);
    ExactScan scan = scan(latents);
    double radius = 2;
    TrajectoryMemory memory = new TrajectoryMemory(latents, 1, radius, 1);
    float[] x = new float[16];
    int searches = 0;
    int held = 0;
    for (int step = 0; step < 300; step++) {
      // From far away straight through a latent: 9 in steps of 0.03.
      for (int i = 0; i < 16; i++) {
        x[i] = values[i] + (float) ((6 - 0.03 * step) / 4);
      }
      List<Neighbor> recalled = memory.recall(x);
      if (recalled == null) {
        searches++;
        memory.remember(x, scan.search(x, 1, memory.reach()).getFirst());
      } else {
        assertThat(recalled).isEqualTo(search(scan, x, radius));
        held += recalled.isEmpty() ? 0 : 1;
      }
    }
    assertThat(held).isGreaterThan(100);
    // Each search lasts for a drift of at least the skin, 1: at most 9 over a way of 9, and a few
    // for the rounding.
    assertThat(searches).isBetween(2, 12);
  }

  @Test
  void far_from_everything_one_search_lasts() {
    LatentReader latents = LatentReader.of(new float[] {100, 0, 0, 100}, 2);
    TrajectoryMemory memory = new TrajectoryMemory(latents, 1, 1, 1);
    // Nothing within 99: nothing within 1 while the drift is below 98.
    memory.remember(new float[2], scan(latents).search(new float[2], 1, 99).getFirst());
    assertThat(memory.recall(new float[] {97.9f, 0})).isEmpty();
    assertThat(memory.recall(new float[] {99.5f, 0})).isNull();
    assertThat(memory.recall(new float[] {Float.NaN, 0})).isNull();
  }

  @Test
  void nothing_is_known_before_the_first_search() {
    LatentReader latents = LatentReader.of(new float[] {1, 2}, 2);
    assertThat(new TrajectoryMemory(latents, 1, 1, 1).recall(new float[2])).isNull();
  }

  @Test
  void the_skin_gives_way_to_the_step() {
    LatentReader latents = LatentReader.of(new float[] {100, 0}, 2);
    TrajectoryMemory memory = new TrajectoryMemory(latents, 1, 10, 2);
    assertThat(memory.recall(new float[2])).isNull();
    assertThat(memory.reach()).isEqualTo(12);
    assertThat(memory.recall(new float[] {0.5f, 0})).isNull();
    assertThat(memory.reach()).isEqualTo(11.5);
    assertThat(memory.recall(new float[] {0.5f, 3})).isNull();
    assertThat(memory.reach()).isEqualTo(10.2);
    TrajectoryMemory without = new TrajectoryMemory(latents, 1, 10, 0);
    assertThat(without.recall(new float[2])).isNull();
    assertThat(without.reach()).isEqualTo(10);
  }

  private static ExactScan scan(LatentReader latents) {
    return new ExactScan(SketchTable.of(Sketcher.fit(latents, 4, 4), latents), latents);
  }

  private static List<Neighbor> search(ExactScan scan, float[] x, double radius) {
    return scan.search(x, 1, radius).getFirst().neighbors();
  }

  /// A set whose storing may have moved every latent by up to `error`.
  private static LatentReader rounded(LatentReader latents, double error) {
    return new LatentReader() {
      @Override
      public long count() {
        return latents.count();
      }

      @Override
      public int dim() {
        return latents.dim();
      }

      @Override
      public double read(long item, float[] into) {
        latents.read(item, into);
        return error;
      }
    };
  }

  private static double radius(SplittableRandom random, int dim) {
    return random.nextInt(8) == 0 ? 1e6 : random.nextDouble(0.1, 1.2) * Math.sqrt(2 * dim);
  }

  private static float[] values(SplittableRandom random, int count, int dim, boolean grid) {
    float[] values = new float[count * dim];
    int kind = random.nextInt(3);
    for (int k = 0; k < count; k++) {
      // Spread out, in clusters around the first few, or mostly copies of an earlier one.
      int model = kind == 0 || k < 3 ? -1 : random.nextInt(kind == 1 ? 3 : k);
      double scale = model < 0 ? 1 : kind == 1 ? 0.05 : 0;
      for (int i = 0; i < dim; i++) {
        double value = (model < 0 ? 0 : values[model * dim + i]) + scale * random.nextGaussian();
        values[k * dim + i] = (float) (grid ? Math.rint(4 * value) : value);
      }
    }
    return values;
  }

  /// A tiny step, none at all, a large one, or a jump onto a latent, back to 0, or far away.
  private static void move(
      SplittableRandom random, float[] x, float[] values, double radius, boolean grid) {
    int kind = random.nextInt(12);
    if (kind == 0) {
      int item = random.nextInt(values.length / x.length);
      System.arraycopy(values, item * x.length, x, 0, x.length);
    } else if (kind == 1) {
      x[random.nextInt(x.length)] = 1000;
    } else if (kind == 2) {
      java.util.Arrays.fill(x, 0);
    } else if (grid) {
      x[random.nextInt(x.length)] += random.nextInt(-2, 3);
    } else if (kind > 3) {
      double length = (kind < 6 ? 0.7 : kind < 9 ? 0.05 : 1e-6) * Math.min(radius, 5);
      double[] direction = Vectors.unit(random, x.length);
      for (int i = 0; i < x.length; i++) {
        x[i] += (float) (length * direction[i]);
      }
    }
  }
}
