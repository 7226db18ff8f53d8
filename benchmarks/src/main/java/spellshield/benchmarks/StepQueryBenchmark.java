package spellshield.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.benchmarks.latents.BenchmarkSet.Regime;
import spellshield.benchmarks.latents.MakeLatents;
import spellshield.index.search.ExactScan;
import spellshield.index.search.HnswSearch;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.store.LatentReader;
import spellshield.sampler.Condition;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;
import spellshield.sampler.shield.Shield;
import spellshield.sampler.shield.ShieldedDenoiser;

/// `./shield bench StepQuery --cache CACHE`
///
/// What one query of one sampling step costs on one thread: the exact scan, the HNSW walk, a shield
/// with candidate lists, and the peer of all, a brute force over whole latents. Each sample is one
/// call; the calls go through the predictions of the regime in turn, so that p50 and p99 are those
/// of a sampler. The recall of the walk and the searches that the lists need are printed at the
/// setup.
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(value = 3, jvmArgsAppend = BatchBenchmark.ONE_THREAD)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 2)
public class StepQueryBenchmark {

  @Benchmark
  public List<Neighborhood> exact(Exact search, Queries queries) {
    return search.scan.search(queries.next(), 1, queries.radius);
  }

  @Benchmark
  public List<Neighborhood> hnsw(Graph graph, Queries queries) {
    return graph.search.search(queries.next(), 1, queries.radius);
  }

  /// A whole step of the shield: the answer from the candidate list or a search, and the push where
  /// one is due.
  @Benchmark
  public Latents candidateLists(Trajectories trajectories) {
    return trajectories.step();
  }

  /// The peer: float64 distances to all latents, read as the searches read them.
  @Benchmark
  public List<Neighbor> bruteForce(Peer peer) {
    List<Neighbor> inside = new ArrayList<>();
    for (long item = 0; item < peer.latents.count(); item++) {
      double error = peer.latents.read(item, peer.latent);
      Neighbor neighbor = Neighbor.measure(item, peer.query, 0, peer.latent, error, 1);
      if (neighbor.isInside(peer.radius)) {
        inside.add(neighbor);
      }
    }
    return inside;
  }

  /// The exact search.
  @State(Scope.Benchmark)
  public static class Exact {
    ExactScan scan;

    /// Takes the search of the set.
    @Setup
    public void take(OpenSet opened) {
      scan = opened.set.exact();
    }
  }

  /// The search by the graph.
  @State(Scope.Benchmark)
  public static class Graph {
    HnswSearch search;

    /// Loads the graph and prints how many of the pairs of these queries it finds.
    @Setup
    public void load(OpenSet opened, Queries queries) throws IOException {
      search = opened.set.hnsw();
      List<Neighborhood> truth =
          opened.set.exact().search(queries.all, queries.count(), queries.radius);
      List<Neighborhood> answers = search.search(queries.all, queries.count(), queries.radius);
      long pairs = 0;
      long found = 0;
      for (int q = 0; q < truth.size(); q++) {
        Set<Long> items = new HashSet<>();
        answers.get(q).neighbors().forEach(neighbor -> items.add(neighbor.item()));
        for (Neighbor neighbor : truth.get(q).neighbors()) {
          pairs++;
          found += items.contains(neighbor.item()) ? 1 : 0;
        }
      }
      System.out.printf("recall of the graph: %,d of %,d pairs%n", found, pairs);
    }
  }

  /// Trajectories under a shield, whose model says what was recorded whatever it is asked. Only
  /// steps of the regime are timed, but all before them are taken too: they make the lists.
  @State(Scope.Benchmark)
  public static class Trajectories {
    private BenchmarkSet set;
    private Shield shield;
    private Regime regime;
    private Latents xt;
    private ShieldedDenoiser run;
    private int trajectory = -1;
    private int step = MakeLatents.STEPS;

    /// Makes the shield and prints how often a whole trajectory searches.
    @Setup
    public void begin(OpenSet opened, Queries queries) {
      set = opened.set;
      regime = queries.regime;
      shield = Shield.builder().protecting(set.exact(), set.latents(), queries.radius).build();
      xt = new Noise(1).draw(0, set.latents().dim());
      long searches = 0;
      for (int t = 0; t < MakeLatents.TRAJECTORIES; t++) {
        start();
        while (step < MakeLatents.STEPS) {
          step();
        }
        searches += run.activities().getFirst().searches();
      }
      System.out.printf(
          Locale.ROOT,
          "searches a trajectory of %d steps: %.2f%n",
          MakeLatents.STEPS,
          (double) searches / MakeLatents.TRAJECTORIES);
    }

    /// Goes on to the next trajectory where this one has left the regime.
    @Setup(Level.Invocation)
    public void advance() {
      if (step >= regime.to) {
        start();
        while (step < regime.from) {
          step();
        }
      }
    }

    private void start() {
      trajectory = (trajectory + 1) % MakeLatents.TRAJECTORIES;
      step = 0;
      run =
          shield.over(
              (x, sigma, condition) ->
                  new Latents(set.prediction(trajectory, step), 1, set.latents().dim()),
              new Noise(trajectory));
    }

    Latents step() {
      Latents x0hat = run.denoise(xt, 1, Condition.NONE);
      step++;
      return x0hat;
    }
  }

  /// A late query and all latents.
  @State(Scope.Benchmark)
  public static class Peer {
    LatentReader latents;
    float[] query;
    float[] latent;
    double radius;

    /// Takes the last prediction of a trajectory.
    @Setup
    public void take(OpenSet opened) {
      latents = opened.set.latents();
      query = opened.set.prediction(0, MakeLatents.STEPS - 1);
      latent = new float[latents.dim()];
      radius = 0.3 * opened.set.typicalDistance();
    }
  }
}
