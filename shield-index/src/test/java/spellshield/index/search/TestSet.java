package spellshield.index.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.LatentReader;
import spellshield.index.store.RadiusScales;

/// A set in memory and the brute force that judges searches over it.
final class TestSet {
  private static final int[] COUNTS = {0, 1, 2, 7, 63, 64, 65, 129, 400, 1021};

  final float[] values;
  final int dim;
  final RadiusScales scales;

  private TestSet(float[] values, int dim, RadiusScales scales) {
    this.values = values;
    this.dim = dim;
    this.scales = scales;
  }

  static TestSet of(float[] values, int dim) {
    return new TestSet(values, dim, RadiusScales.ONES);
  }

  /// Returns the same latents with balls of their own.
  TestSet scaled(float... others) {
    return new TestSet(values, dim, RadiusScales.from(others));
  }

  /// Returns the same latents with drawn balls; often powers of two, by which an edge is met
  /// exactly.
  TestSet scaled(SplittableRandom random) {
    return scaled(drawScales(random, count()));
  }

  private static float[] drawScales(SplittableRandom random, int count) {
    float[] extremes = {1e-6f, 1e-3f, 1e3f, 1e6f, Float.MIN_VALUE, Float.MAX_VALUE};
    float[] drawn = new float[count];
    int kind = random.nextInt(4);
    for (int item = 0; item < count; item++) {
      drawn[item] =
          switch (kind) {
            case 0 -> Math.scalb(1f, random.nextInt(5) - 2);
            case 1 -> (float) Math.exp((2 * random.nextDouble() - 1) * Math.log(4));
            case 2 -> 0.25f + 0.5f * (float) random.nextDouble();
            default -> random.nextInt(20) > 0 ? 1 : extremes[random.nextInt(extremes.length)];
          };
    }
    return drawn;
  }

  /// Draws a random, clustered, duplicated, far-off or lattice set.
  static TestSet draw(SplittableRandom random) {
    int count = COUNTS[random.nextInt(COUNTS.length)];
    int dim = random.nextInt(1, 90);
    TestSet set = clustered(random, count, dim);
    switch (random.nextInt(5)) {
      case 0 -> { // duplicates
        for (int item = 1; item < count; item++) {
          int original = random.nextInt(item);
          System.arraycopy(set.values, original * dim, set.values, item * dim, dim);
        }
      }
      case 1 -> { // a lattice: many equal distances
        for (int i = 0; i < set.values.length; i++) {
          set.values[i] = Math.round(set.values[i]);
        }
      }
      case 2 -> { // far from the origin, with outliers
        for (int i = 0; i < set.values.length; i++) {
          set.values[i] += i % (dim * 13) < dim ? 1e6f : 1e3f;
        }
      }
      default -> {}
    }
    return set;
  }

  static TestSet clustered(SplittableRandom random, int count, int dim) {
    int clusters = random.nextInt(1, 20);
    float[] centres = new float[clusters * dim];
    for (int i = 0; i < centres.length; i++) {
      centres[i] = (float) (2 * random.nextGaussian());
    }
    float[] values = new float[count * dim];
    for (int item = 0; item < count; item++) {
      int centre = random.nextInt(clusters) * dim;
      for (int i = 0; i < dim; i++) {
        values[item * dim + i] = centres[centre + i] + (float) (0.5 * random.nextGaussian());
      }
    }
    return of(values, dim);
  }

  /// Draws a set around a query: at `radius·(1 ± 2⁻ᵏ)` in every direction, on the query and again,
  /// and so far away that the codes of the others all but coincide or stop at their ends.
  ///
  /// @param own whether items have balls of their own, around whose edges they lie
  static TestSet around(SplittableRandom random, float[] query, double radius, boolean own) {
    int dim = query.length;
    int count = 130;
    float[] values = new float[count * dim];
    double[] direction = new double[dim];
    boolean outliers = random.nextBoolean();
    float[] scales = own ? drawScales(random, count) : new float[0];
    for (int item = 0; item < count; item++) {
      double square = 0;
      for (int i = 0; i < dim; i++) {
        direction[i] = random.nextGaussian();
        square += direction[i] * direction[i];
      }
      double ball = own ? Math.min(1e15, scales[item] * radius) : radius;
      double edge = ball * (1 + (item % 2 == 0 ? 1 : -1) * Math.scalb(1, -(item / 2 % 30)));
      double distance = item < 100 ? edge : item < 110 ? 0 : outliers ? 1e5 : 3 * radius;
      for (int i = 0; i < dim; i++) {
        values[item * dim + i] = (float) (query[i] + distance * direction[i] / Math.sqrt(square));
      }
    }
    return of(values, dim).scaled(scales);
  }

  int count() {
    return values.length / dim;
  }

  LatentReader latents() {
    return LatentReader.of(values, dim);
  }

  SketchTable table() {
    return SketchTable.of(Sketcher.fit(latents(), 8, 4), latents()).scaled(scales);
  }

  /// Returns the scan as a set has it, which knows how far its mean is from all latents.
  ExactScan scan() {
    SketchTable table = table();
    double clear = new SetStatistics(0, 0).measuredAnew(table, latents()).meanClearance();
    return new ExactScan(table, latents(), count() == 0 ? 0 : clear);
  }

  /// Draws queries: on items, near them, between them, and anywhere.
  float[] queries(SplittableRandom random, int count) {
    float[] queries = new float[count * dim];
    for (int q = 0; q < count; q++) {
      int a = count() == 0 ? 0 : random.nextInt(count());
      int b = count() == 0 ? 0 : random.nextInt(count());
      int kind = count() == 0 ? 3 : random.nextInt(4);
      for (int i = 0; i < dim; i++) {
        float noise = (float) random.nextGaussian();
        queries[q * dim + i] =
            switch (kind) {
              case 0 -> values[a * dim + i];
              case 1 -> values[a * dim + i] + 0.1f * noise;
              case 2 -> 0.5f * (values[a * dim + i] + values[b * dim + i]);
              default -> 2 * noise;
            };
      }
    }
    return queries;
  }

  /// Draws a radius; often exactly the one at which the ball of an item meets a query.
  double radius(SplittableRandom random, float[] queries) {
    if (count() > 0 && random.nextInt(3) > 0) {
      int q = random.nextInt(queries.length / dim);
      int item = random.nextInt(count());
      double edge = distance(queries, q, item) / scales.of(item);
      if (edge > 0) {
        return edge;
      }
    }
    return 0.1 + 5 * random.nextDouble();
  }

  double distance(float[] queries, int q, int item) {
    double sum = 0;
    for (int i = 0; i < dim; i++) {
      double difference = (double) queries[q * dim + i] - values[item * dim + i];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }

  void assertEqualsBruteForce(Neighborhood answer, float[] queries, int q, double radius) {
    // A sum of D squares in float64 is within (D + 3)·2⁻⁵³ of the true one: what lies closer to the
    // edge
    // than that may be on either side, and the engine must then say inside.
    double margin = (dim + 8) * 0x1p-53;
    List<Long> surelyInside = new ArrayList<>();
    List<Long> perhapsInside = new ArrayList<>();
    double nearestOther = Double.POSITIVE_INFINITY;
    List<Long> found = answer.neighbors().stream().map(Neighbor::item).toList();
    for (int item = 0; item < count(); item++) {
      double distance = distance(queries, q, item);
      double scale = scales.of(item);
      if (distance <= scale * radius) {
        surelyInside.add((long) item);
      }
      if (distance <= scale * radius * (1 + 2 * margin)) {
        perhapsInside.add((long) item);
      }
      if (!found.contains((long) item)) {
        nearestOther = Math.min(nearestOther, distance / scale);
      }
    }
    assertThat(found).containsAll(surelyInside).doesNotHaveDuplicates();
    assertThat(perhapsInside).containsAll(found);
    assertThat(answer.neighbors()).isSortedAccordingTo(Neighbor.NEAREST_FIRST);
    for (Neighbor neighbor : answer.neighbors()) {
      double distance = distance(queries, q, (int) neighbor.item());
      assertThat(Math.abs(neighbor.distance() - distance)).isLessThanOrEqualTo(margin * distance);
      assertThat(neighbor.lower()).isLessThanOrEqualTo(distance * (1 + margin));
      assertThat(neighbor.scale()).isEqualTo(scales.of(neighbor.item()));
    }
    assertThat(answer.clearance()).isLessThanOrEqualTo(nearestOther * (1 + margin));
    // The clearance is of use: it reaches to the radius, less the margin of the sketches.
    if (answer.clearance() < Double.POSITIVE_INFINITY) {
      assertThat(answer.clearance()).isGreaterThan(radius - 1e-3 * (1 + radius) - 1.0);
    }
  }
}
