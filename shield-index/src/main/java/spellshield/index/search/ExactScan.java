package spellshield.index.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ForkJoinPool;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import spellshield.index.kernel.Distance;
import spellshield.index.kernel.Kernels;
import spellshield.index.sketch.Group;
import spellshield.index.sketch.Lookup;
import spellshield.index.sketch.Lookups;
import spellshield.index.sketch.SketchQuery;
import spellshield.index.sketch.SketchTable;
import spellshield.index.store.LatentReader;
import spellshield.index.store.RadiusScales;

/// All protected latents within a radius, none missed; where items have balls of their own, all
/// whose balls hold the query.
///
/// A query goes through four sieves, each finer and dearer than the one before, and each sure to
/// let pass what lies inside: the boxes of 64 blocks at once, the cells of a block's 64 items, the
/// parts of an item's cells (those of a whole block first, where many are left), the latent itself
/// in float64 ([SketchQuery] has the bounds). The slabs of groups are cut into runs for the cores;
/// a run takes every query through a slab while it is in the cache. Neither the runs nor the batch
/// changes what passes, so they do not change the answer.
///
/// Before the first sieve stands the mean μ of the set, where trajectories begin: with every latent
/// at least `s_k·m` from it, `‖q − z_k‖ ≥ s_k·m − ‖q − μ‖`, and a query near it is answered without
/// a sketch.
///
/// A search whose calling thread is interrupted ends within a few milliseconds with a
/// [CancellationException]; the thread stays interrupted.
public final class ExactScan implements NeighborSearch {
  /// From so many queries on the codes come from the cache more often than from memory.
  private static final int MANY_QUERIES = 4;

  /// So many groups of cells, 256 KiB each of which a query reads a part, stay in a core's own
  /// cache while the queries of a batch go through them.
  private static final int CACHED_GROUPS = 4;

  /// After so many second looks of a query, item by item, a run looks at blocks as a whole: fewer
  /// are not worth a table of their own, nor a kernel that the JIT has hardly seen.
  private static final int FEW_LOOKS = 64;

  /// A bar that lets all pass, and where sums stop.
  private static final int MOST = 255;

  /// So often the distance is doubled up to which boxes are measured that nothing else is nearer
  /// than.
  private static final int MOST_DOUBLINGS = 20;

  private final SketchTable table;
  private final LatentReader latents;
  private final double meanClearance;
  private final double latentError;
  private final double leastScale;

  /// Takes a table and the latents that it was made from.
  public ExactScan(SketchTable table, LatentReader latents) {
    this(table, latents, 0);
  }

  /// Takes a table and the latents that it was made from.
  ///
  /// @param meanClearance m: no latent is nearer to the sketcher's mean than its scale times m,
  ///   such as [SetStatistics#meanClearance]
  public ExactScan(SketchTable table, LatentReader latents, double meanClearance) {
    if (table.count() != latents.count() || table.sketcher().dim() != latents.dim()) {
      throw new IllegalArgumentException(
          "the sketches are of %d latents with %d values, but the latents are %d with %d"
              .formatted(table.count(), table.sketcher().dim(), latents.count(), latents.dim()));
    }
    this.table = table;
    this.latents = latents;
    this.meanClearance = meanClearance;
    this.latentError = table.latentError();
    this.leastScale = table.scales().least();
  }

  @Override
  public boolean approximate() {
    return false;
  }

  @Override
  public RadiusScales scales() {
    return table.scales();
  }

  @Override
  public List<Neighborhood> search(float[] queries, double... radii) {
    latents.requireOpen();
    Refiner.check(queries, radii, latents.dim());
    stopIfInterrupted(Thread.currentThread());
    return searchUnlessClear(
        queries,
        radii,
        (some, reaches) -> search(table.queries(some, reaches.length), some, reaches, 0));
  }

  /// Asks a search about the queries that are not known to be clear of the set.
  List<Neighborhood> searchUnlessClear(
      float[] queries, double[] radii, BiFunction<float[], double[], List<Neighborhood>> search) {
    int dim = latents.dim();
    double[] clearances = new double[radii.length];
    int[] due = new int[radii.length];
    int count = 0;
    for (int q = 0; q < radii.length; q++) {
      clearances[q] = clearance(queries, q);
      if (!(clearances[q] > radii[q])) {
        due[count++] = q;
      }
    }
    if (count == radii.length) {
      return search.apply(queries, radii);
    }
    float[] some = new float[count * dim];
    double[] reaches = new double[count];
    for (int i = 0; i < count; i++) {
      System.arraycopy(queries, due[i] * dim, some, i * dim, dim);
      reaches[i] = radii[due[i]];
    }
    List<Neighborhood> found = search.apply(some, reaches);
    List<Neighborhood> answers = new ArrayList<>();
    for (int q = 0, i = 0; q < radii.length; q++) {
      boolean asked = i < count && due[i] == q;
      answers.add(asked ? found.get(i++) : new Neighborhood(List.of(), clearances[q]));
    }
    return answers;
  }

  /// Returns a clearance of a query from all latents, as its distance from the mean tells; not
  /// positive where that tells nothing.
  ///
  /// The lower end of an item's interval is at least `(s_k·m − ‖q − μ‖)·(1 − 2⁻³⁰) − e`, e the most
  /// by which storing moved a latent: a distance is off by less than 2⁻³¹ of itself. Divided by
  /// s_k, that is least for the least scale s: `(m − ‖q − μ‖/s)·(1 − 2⁻³⁰) − e/s`.
  private double clearance(float[] queries, int q) {
    if (!(meanClearance > 0)) {
      return 0;
    }
    int dim = latents.dim();
    double fromMean = Distance.between(queries, q * dim, table.sketcher().mean(), 0, dim);
    double clear = meanClearance - perLeastScale(Distance.upper(fromMean, dim));
    return clear * (1 - 0x1p-30) - perLeastScale(latentError);
  }

  /// Returns a distance over the least scale, not rounded down.
  private double perLeastScale(double distance) {
    return leastScale == 1 ? distance : Math.nextUp(distance / leastScale);
  }

  /// Searches the groups from `firstGroup` on.
  List<Neighborhood> search(
      SketchQuery[] sketched, float[] queries, double[] radii, int firstGroup) {
    if (radii.length == 0) {
      return List.of();
    }
    Thread caller = Thread.currentThread();
    int groups = table.groupCount() - firstGroup;
    int tasks = tasks(groups, radii.length);
    IntStream range = IntStream.range(0, radii.length);
    Lookups[] lookups =
        (radii.length > 1 ? range.parallel() : range)
            .mapToObj(
                q -> new Lookups(sketched[q], largestLimit(sketched[q], radii[q], firstGroup)))
            .toArray(Lookups[]::new);
    IntStream runs = IntStream.range(0, tasks);
    Found[] found =
        (tasks > 1 ? runs.parallel() : runs)
            .mapToObj(task -> {
              Run run = new Run(sketched, lookups, queries, radii, caller);
              run.scan(
                  firstGroup + (int) ((long) groups * task / tasks),
                  firstGroup + (int) ((long) groups * (task + 1) / tasks));
              return run.found;
            })
            .toArray(Found[]::new);
    List<Neighborhood> answers = new ArrayList<>(radii.length);
    for (int q = 0; q < radii.length; q++) {
      answers.add(merge(found, q, sketched[q], lookups[q], radii[q], firstGroup));
    }
    return answers;
  }

  /// Returns the blocks of some groups whose boxes a query may reach into, a bit each.
  private long[] open(SketchQuery query, Lookups lookups, double radius, int from, int to) {
    Lookup widest = lookups.widest();
    byte[] boxSums = new byte[(to - from) * Kernels.BLOCK];
    table.boxes().scan(query, widest, widest.bar(lookups.largest()), from, to, boxSums);
    long[] open = new long[to - from];
    for (int g = 0; g < open.length; g++) {
      Group group = table.group(from + g);
      int bar = widest.bar(query.sumLimit(group, radius));
      open[g] = group.blocks() & Kernels.within(boxSums, g * Kernels.BLOCK, bar);
    }
    return open;
  }

  /// Returns how near the blocks from a group on may be that their boxes exclude; +∞ where there
  /// are none.
  private double boxClearance(SketchQuery query, Lookups lookups, double radius, int from) {
    int to = table.groupCount();
    long[] open = open(query, lookups, radius, from, to);
    byte[] boxSums = new byte[open.length * Kernels.BLOCK];
    double limit = lookups.largest();
    double clearance = Double.POSITIVE_INFINITY;
    boolean found = !anyExcluded(open, from);
    // Up to twice as far, and twice that, until some box is as near.
    for (int doublings = 0; !found && doublings < MOST_DOUBLINGS; doublings++) {
      limit *= 4;
      Lookup lookup = query.lookup(limit);
      table.boxes().scan(query, lookup, MOST, from, to, boxSums);
      clearance = Double.POSITIVE_INFINITY;
      for (int g = 0; g < open.length; g++) {
        Group group = table.group(from + g);
        for (long rest = group.blocks() & ~open[g]; rest != 0; rest &= rest - 1) {
          int sum = boxSums[g * Kernels.BLOCK + Long.numberOfTrailingZeros(rest)] & 0xff;
          found |= sum < MOST;
          double own = Math.max(radius, query.clearance(group, lookup.square(sum)));
          clearance = Math.min(clearance, own);
        }
      }
    }
    return clearance;
  }

  private boolean anyExcluded(long[] open, int from) {
    boolean any = false;
    for (int g = 0; g < open.length; g++) {
      any |= (table.group(from + g).blocks() & ~open[g]) != 0;
    }
    return any;
  }

  /// Returns the largest finite limit of the groups from one on, 0 where there is none.
  private double largestLimit(SketchQuery query, double radius, int firstGroup) {
    double largest = 0;
    for (int g = firstGroup; g < table.groupCount(); g++) {
      double limit = query.sumLimit(table.group(g), radius);
      largest = limit < Double.POSITIVE_INFINITY ? Math.max(largest, limit) : largest;
    }
    return largest;
  }

  /// A few runs a core, so that one that finds much does not keep the others waiting.
  private static int tasks(int groups, int queries) {
    int cores = ForkJoinPool.getCommonPoolParallelism() + 1;
    return (long) groups * queries < 32 ? 1 : Math.min(groups, 4 * cores);
  }

  private Neighborhood merge(
      Found[] found, int q, SketchQuery query, Lookups lookups, double radius, int firstGroup) {
    List<Neighbor> neighbors = new ArrayList<>();
    double clearance = Double.POSITIVE_INFINITY;
    boolean excluded = false;
    for (Found part : found) {
      neighbors.addAll(part.neighbors.get(q));
      clearance = Math.min(clearance, part.clearance[q]);
      excluded |= part.excluded[q];
    }
    // All that is known of what the finer sieves kept out: its balls of the radius are clear.
    double others = excluded ? radius : boxClearance(query, lookups, radius, firstGroup);
    neighbors.sort(Neighbor.NEAREST_FIRST);
    return new Neighborhood(neighbors, Math.min(clearance, others));
  }

  /// Returns the nearest latent of each query; none where the set is empty. Where items have balls
  /// of their own that is the one whose ball comes to the query first as the radius grows, that of
  /// the least `‖q − z_k‖/s_k`: it tells at which radius the query is inside.
  ///
  /// Compared is what was computed ([Neighbor#reachedAt]); of equals the first of the set is
  /// returned.
  public List<Optional<Neighbor>> nearest(float[] queries, int count) {
    latents.requireOpen();
    Refiner.checkQueries(queries, count, latents.dim());
    Thread caller = Thread.currentThread();
    return IntStream.range(0, count)
        .parallel()
        .mapToObj(q -> new NearestRun(queries, q, caller).nearest())
        .toList();
  }

  private static void stopIfInterrupted(Thread caller) {
    if (caller.isInterrupted()) {
      throw new CancellationException("the thread that searches was interrupted");
    }
  }

  /// A pass over some of the groups with all queries.
  private final class Run {
    final Found found;
    private final SketchQuery[] sketched;
    private final double[] radii;
    private final boolean cached;
    private final Refiner[] refiners;
    private final Thread caller;
    private final byte[][] sums = new byte[Group.SLAB][Group.ITEMS];
    private final Lookups[] lookups;
    private final Lookup[] used = new Lookup[Group.SLAB];
    private final int[] bars = new int[Group.SLAB];
    private final long[] left = new long[Group.SLAB];
    private final int[] looked;

    Run(SketchQuery[] sketched, Lookups[] lookups, float[] queries, double[] radii, Thread caller) {
      this.sketched = sketched;
      this.lookups = lookups;
      this.radii = radii;
      this.cached = radii.length >= MANY_QUERIES;
      this.caller = caller;
      this.found = new Found(radii.length);
      this.looked = new int[radii.length];
      this.refiners = new Refiner[radii.length];
      for (int q = 0; q < radii.length; q++) {
        refiners[q] = new Refiner(latents, table.scales(), queries, q);
      }
    }

    void scan(int fromGroup, int toGroup) {
      long[][] open = new long[sketched.length][];
      for (int q = 0; q < sketched.length; q++) {
        stopIfInterrupted(caller);
        open[q] = open(sketched[q], lookups[q], radii[q], fromGroup, toGroup);
      }
      int together = cached ? CACHED_GROUPS : Group.SLAB;
      for (int from = fromGroup; from < toGroup; ) {
        int to = Math.min(toGroup, (from / together + 1) * together);
        for (int q = 0; q < sketched.length; q++) {
          stopIfInterrupted(caller);
          System.arraycopy(open[q], from - fromGroup, left, 0, to - from);
          scan(from, to - from, q);
        }
        from = to;
      }
    }

    /// Scans those blocks of some groups that are left.
    private void scan(int from, int groups, int q) {
      SketchQuery query = sketched[q];
      boolean any = false;
      for (int g = 0; g < groups; g++) {
        if (left[g] != 0) {
          double limit = query.sumLimit(table.group(from + g), radii[q]);
          used[g] = lookups[q].of(limit);
          bars[g] = used[g].bar(limit);
          any = true;
        }
      }
      int whole = cached ? Group.BLOCKS + 1 : Group.WHOLE;
      for (int step = 0; any && step < query.steps(); step++) {
        any = false;
        for (int g = 0; g < groups; g++) {
          if (left[g] != 0) {
            Group group = table.group(from + g);
            long rest = group.scan(step, left[g], whole, query, used[g], bars[g], sums[g]);
            found.excluded[q] |= rest != left[g];
            left[g] = rest;
            any |= rest != 0;
          }
        }
      }
      for (int g = 0; g < groups; g++) {
        Group group = table.group(from + g);
        for (; left[g] != 0; left[g] &= left[g] - 1) {
          int block = Long.numberOfTrailingZeros(left[g]);
          long items = group.items(block, bars[g], sums[g]);
          found.excluded[q] |= items != group.alive(block);
          look(group, block, items, q, used[g]);
        }
      }
    }

    /// Takes the items of a block that the scan let pass through the last two sieves.
    private void look(Group group, int block, long items, int q, Lookup lookup) {
      stopIfInterrupted(caller);
      looked[q] += Long.bitCount(items);
      long near = items;
      if (looked[q] > FEW_LOOKS) {
        near = group.look(block, items, sketched[q], lookup, sketched[q].sumLimit(group, radii[q]));
      }
      near = sketched[q].notExcluded(group, block, near, radii[q]);
      found.excluded[q] |= near != items;
      for (; near != 0; near &= near - 1) {
        stopIfInterrupted(caller); // a latent may have to come from the disk
        int place = block * Group.BLOCKS + Long.numberOfTrailingZeros(near);
        found.add(q, refiners[q].measure(group.item(place)), radii[q]);
      }
    }
  }

  /// What one run found, per query.
  private static final class Found {
    final List<List<Neighbor>> neighbors = new ArrayList<>();
    final double[] clearance; // of those outside that were measured
    final boolean[] excluded;

    Found(int queries) {
      clearance = new double[queries];
      excluded = new boolean[queries];
      for (int q = 0; q < queries; q++) {
        neighbors.add(new ArrayList<>());
        clearance[q] = Double.POSITIVE_INFINITY;
      }
    }

    void add(int q, Neighbor neighbor, double radius) {
      if (neighbor.isInside(radius)) {
        neighbors.get(q).add(neighbor);
      } else {
        clearance[q] = Math.min(clearance[q], neighbor.clearance());
      }
    }
  }

  /// The search for the nearest of one query: the most promising block first, then all that may
  /// hold something nearer.
  private final class NearestRun {
    private final SketchQuery query;
    private final Refiner refiner;
    private final Thread caller;
    private final byte[] sums = new byte[Group.ITEMS];
    private double reach = Double.POSITIVE_INFINITY;
    private @Nullable Lookup lookup; // the last one, which may do for a while
    private @Nullable Neighbor best;

    NearestRun(float[] queries, int q, Thread caller) {
      this.query = table.query(queries, q * latents.dim());
      this.refiner = new Refiner(latents, table.scales(), queries, q);
      this.caller = caller;
    }

    Optional<Neighbor> nearest() {
      int groups = table.groupCount();
      Lookup boxes = query.lookup(query.usualSquare());
      byte[] boxSums = new byte[groups * Kernels.BLOCK];
      table.boxes().scan(query, boxes, MOST, 0, groups, boxSums);
      int nearestGroup = 0;
      int nearestBlock = -1;
      int least = Integer.MAX_VALUE;
      for (int g = 0; g < groups; g++) {
        for (long rest = table.group(g).blocks(); rest != 0; rest &= rest - 1) {
          int block = Long.numberOfTrailingZeros(rest);
          int sum = boxSums[g * Kernels.BLOCK + block] & 0xff;
          if (sum < least) {
            least = sum;
            nearestGroup = g;
            nearestBlock = block;
          }
        }
      }
      if (nearestBlock < 0) {
        return Optional.empty();
      }
      look(table.group(nearestGroup), 1L << nearestBlock);
      boxes =
          query.lookup(
              largestLimit(
                  query, reach, 0)); // finer steps, now that it is known how near something is
      table.boxes().scan(query, boxes, MOST, 0, groups, boxSums);
      for (int g = 0; g < groups; g++) {
        stopIfInterrupted(caller);
        Group group = table.group(g);
        int bar = boxes.bar(query.sumLimit(group, reach));
        long blocks = Kernels.within(boxSums, g * Kernels.BLOCK, bar) & group.blocks();
        look(group, g == nearestGroup ? blocks & ~(1L << nearestBlock) : blocks);
      }
      return Optional.ofNullable(best);
    }

    private void look(Group group, long blocks) {
      double limit = query.sumLimit(group, reach);
      if (lookup == null || !lookup.suits(limit)) {
        lookup = query.lookup(limit);
      }
      long left = group.scan(blocks, query, lookup, lookup.bar(limit), sums);
      for (; left != 0; left &= left - 1) {
        int block = Long.numberOfTrailingZeros(left);
        long items = group.items(block, lookup.bar(query.sumLimit(group, reach)), sums);
        items = query.notExcluded(group, block, items, reach);
        for (; items != 0; items &= items - 1) {
          measure(group.item(block * Group.BLOCKS + Long.numberOfTrailingZeros(items)));
        }
      }
    }

    private void measure(int item) {
      stopIfInterrupted(caller); // a latent may have to come from the disk
      Neighbor neighbor = refiner.measure(item);
      if (best == null || Neighbor.REACHED_FIRST.compare(neighbor, best) < 0) {
        best = neighbor;
        // What is reached as early, as computed, is reached by this radius in truth: the second
        // widening is more than the roundings of two quotients and a product.
        reach = Distance.upper(Distance.upper(neighbor.reachedAt(), latents.dim()), latents.dim());
      }
    }
  }
}
