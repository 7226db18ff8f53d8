package spellshield.index.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import spellshield.index.kernel.Distance;
import spellshield.index.kernel.Kernels;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.LatentReader;

/// All latents within a radius, none missed: a scan of the sketches, then a look at whole latents.
///
/// The blocks are cut into as many runs as there are cores; a run takes every query through a block
/// while the block is in the cache. A block is left as soon as all of its 64 partial sums are above
/// the limit. Only what the sketches cannot exclude is read from the store and measured in float64.
/// Neither the runs nor the batch changes any sum, so they do not change the answer.
public final class ExactScan implements NeighborSearch {

  /// Below so many block visits a second thread costs more than it saves.
  private static final int VISITS_PER_TASK = 512;

  private final SketchTable table;
  private final LatentReader latents;

  /// Takes a table and the latents that it was made from.
  public ExactScan(SketchTable table, LatentReader latents) {
    if (table.count() != latents.count() || table.sketcher().dim() != latents.dim()) {
      throw new IllegalArgumentException(
          "the sketches are of %d latents with %d values, but the latents are %d with %d"
              .formatted(table.count(), table.sketcher().dim(), latents.count(), latents.dim()));
    }
    this.table = table;
    this.latents = latents;
  }

  @Override
  public boolean approximate() {
    return false;
  }

  @Override
  public List<Neighborhood> search(float[] queries, int count, double radius) {
    latents.requireOpen();
    Refiner.check(queries, count, radius, latents.dim());
    Query[] sketched = sketch(queries, count);
    for (Query query : sketched) {
      query.limit =
          table
              .sketcher()
              .scanLimit(radius + table.latentError(), query.sketchError, table.sketchError());
    }
    int blocks = table.blockCount();
    int tasks = tasks((long) blocks * count);
    Found[] found =
        IntStream.range(0, tasks)
            .parallel()
            .mapToObj(task ->
                scan(
                    sketched,
                    radius,
                    (int) ((long) blocks * task / tasks),
                    (int) ((long) blocks * (task + 1) / tasks)))
            .toArray(Found[]::new);
    List<Neighborhood> answers = new ArrayList<>(count);
    for (int q = 0; q < count; q++) {
      answers.add(merge(sketched[q], found, q));
    }
    return answers;
  }

  /// Returns the nearest latent of each query; none where the set is empty.
  ///
  /// Distances are compared as computed; of equally near latents the first of the set is returned.
  public List<Optional<Neighbor>> nearest(float[] queries, int count) {
    latents.requireOpen();
    Refiner.checkQueries(queries, count, latents.dim());
    Query[] sketched = sketch(queries, count);
    return IntStream.range(0, count).parallel().mapToObj(q -> nearest(sketched[q])).toList();
  }

  private static int tasks(long visits) {
    int cores = ForkJoinPool.getCommonPoolParallelism() + 1;
    return Math.clamp(visits / VISITS_PER_TASK, 1, cores);
  }

  private Query[] sketch(float[] queries, int count) {
    Query[] sketched = new Query[count];
    IntStream range = IntStream.range(0, count);
    (count > 1 ? range.parallel() : range)
        .forEach(q -> sketched[q] = new Query(table.sketcher(), latents, queries, q));
    return sketched;
  }

  private Found scan(Query[] queries, double radius, int fromBlock, int toBlock) {
    Found found = new Found(queries.length);
    Refiner[] refiners = new Refiner[queries.length];
    for (int q = 0; q < queries.length; q++) {
      refiners[q] = queries[q].refiner();
    }
    float[] sums = new float[Kernels.BLOCK];
    int dims = table.sketcher().length();
    for (int block = fromBlock; block < toBlock; block++) {
      float[] chunk = table.chunk(block);
      int offset = table.offset(block);
      int size = table.size(block);
      for (int q = 0; q < queries.length; q++) {
        Query query = queries[q];
        Kernels.scanBlock(chunk, offset, query.sketch, dims, query.limit, sums);
        float nearestSum = found.nearestSum[q];
        for (int lane = 0; lane < size; lane++) {
          float sum = sums[lane];
          if (sum > query.limit) {
            nearestSum = Math.min(nearestSum, sum);
          } else {
            found.add(q, refiners[q].measure(table.item(block, lane)), radius);
          }
        }
        found.nearestSum[q] = nearestSum;
      }
    }
    return found;
  }

  private Neighborhood merge(Query query, Found[] found, int q) {
    List<Neighbor> neighbors = new ArrayList<>();
    double clearance = Double.POSITIVE_INFINITY;
    float nearestSum = Float.POSITIVE_INFINITY;
    for (Found part : found) {
      neighbors.addAll(part.neighbors.get(q));
      clearance = Math.min(clearance, part.nearestOutside[q]);
      nearestSum = Math.min(nearestSum, part.nearestSum[q]);
    }
    neighbors.sort(Neighbor.NEAREST_FIRST);
    if (nearestSum < Float.POSITIVE_INFINITY) {
      double unseen =
          table.sketcher().clearance(nearestSum, query.sketchError, table.sketchError());
      clearance = Math.min(clearance, Math.max(0, Math.nextDown(unseen - table.latentError())));
    }
    return new Neighborhood(neighbors, clearance);
  }

  private Optional<Neighbor> nearest(Query query) {
    Refiner refiner = query.refiner();
    Sketcher sketcher = table.sketcher();
    float[] sums = new float[Kernels.BLOCK];
    int dim = latents.dim();
    @Nullable Neighbor best = null;
    float limit = Float.POSITIVE_INFINITY;
    for (int block = 0; block < table.blockCount(); block++) {
      Kernels.scanBlock(
          table.chunk(block), table.offset(block), query.sketch, sketcher.length(), limit, sums);
      for (int lane = 0; lane < table.size(block); lane++) {
        if (sums[lane] > limit) {
          continue;
        }
        Neighbor neighbor = refiner.measure(table.item(block, lane));
        if (best == null || Neighbor.NEAREST_FIRST.compare(neighbor, best) < 0) {
          best = neighbor;
          limit =
              sketcher.scanLimit(
                  Distance.upper(Distance.upper(neighbor.distance(), dim), dim),
                  query.sketchError,
                  table.sketchError());
        }
      }
    }
    return Optional.ofNullable(best);
  }

  /// One query of a batch: its sketch, and what the scan compares with.
  private static final class Query {
    final float[] queries;
    final int index;
    final LatentReader latents;
    final float[] sketch;
    final double sketchError;
    float limit;

    Query(Sketcher sketcher, LatentReader latents, float[] queries, int index) {
      this.queries = queries;
      this.index = index;
      this.latents = latents;
      this.sketch = new float[sketcher.length()];
      this.sketchError = sketcher.sketch(queries, index * latents.dim(), sketch, 0);
    }

    Refiner refiner() {
      return new Refiner(latents, queries, index);
    }
  }

  /// What one run of blocks found, per query.
  private static final class Found {
    final List<List<Neighbor>> neighbors = new ArrayList<>();
    final float[] nearestSum;
    final double[] nearestOutside;

    Found(int queries) {
      nearestSum = new float[queries];
      nearestOutside = new double[queries];
      for (int q = 0; q < queries; q++) {
        neighbors.add(new ArrayList<>());
        nearestSum[q] = Float.POSITIVE_INFINITY;
        nearestOutside[q] = Double.POSITIVE_INFINITY;
      }
    }

    void add(int q, Neighbor neighbor, double radius) {
      if (neighbor.isInside(radius)) {
        neighbors.get(q).add(neighbor);
      } else {
        nearestOutside[q] = Math.min(nearestOutside[q], neighbor.lower());
      }
    }
  }
}
