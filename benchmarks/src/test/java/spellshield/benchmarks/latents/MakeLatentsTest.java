package spellshield.benchmarks.latents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.benchmarks.latents.BenchmarkSet.Regime;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.store.LatentReader;

class MakeLatentsTest {
  private static final int COUNT = 2_000;

  @TempDir private Path folder;

  @Test
  void the_gaussian_has_the_spectrum_of_real_latents() {
    LatentReader latents = new GaussianLatents(COUNT);
    double[] squares = new double[latents.dim()];
    float[] latent = new float[latents.dim()];
    for (int item = 0; item < COUNT; item++) {
      latents.read(item, latent);
      for (int i = 0; i < latent.length; i++) {
        squares[i] += (double) latent[i] * latent[i] / COUNT;
      }
    }
    // Measured on 40,000 real ones: their variances add up to half the square of the typical
    // distance 52.1, and the leading directions hold these shares. A variance of n draws is off by
    // √(2/n) = 3 %, a sum of 16 like it by less than 1 %.
    double all = sum(squares, squares.length);
    assertThat(Math.sqrt(2 * all)).isCloseTo(52.1, within(0.5));
    assertThat(sum(squares, 16) / all).isCloseTo(0.188, within(0.008));
    assertThat(sum(squares, 64) / all).isCloseTo(0.380, within(0.008));
    assertThat(sum(squares, 256) / all).isCloseTo(0.613, within(0.008));
    assertThat(sum(squares, 1024) / all).isCloseTo(0.859, within(0.008));
  }

  @Test
  void a_shorter_set_is_the_beginning_of_a_longer_one() {
    LatentReader shorter = new GaussianLatents(10);
    LatentReader longer = new GaussianLatents(1_000_000);
    float[] a = new float[shorter.dim()];
    float[] b = new float[longer.dim()];
    for (int item = 0; item < 10; item++) {
      shorter.read(item, a);
      longer.read(item, b);
      assertThat(a).isEqualTo(b);
    }
  }

  @Test
  void the_same_call_writes_the_same_bytes_and_a_second_one_nothing() throws IOException {
    List<String> told = new ArrayList<>();
    for (String name : List.of("one", "two", "one")) {
      MakeLatents.standIn(folder.resolve(name), 300, told::add);
    }
    assertThat(told).hasSize(4); // the latents and the queries, twice
    List<Path> files = files(folder.resolve("one"));
    assertThat(files).hasSizeGreaterThanOrEqualTo(6);
    for (Path file : files) {
      Path other = folder.resolve("two").resolve(folder.resolve("one").relativize(file));
      assertThat(other).hasSameBinaryContentAs(file);
    }
  }

  @Test
  void a_set_that_was_begun_and_not_finished_is_made() throws IOException {
    Files.createDirectories(folder.resolve("latents"));
    Files.createDirectories(folder.resolve("queries"));
    MakeLatents.standIn(folder, 300, line -> {});
    try (BenchmarkSet set = BenchmarkSet.open(folder, 300)) {
      assertThat(set.latents().count()).isEqualTo(300);
    }
  }

  @Test
  void trajectories_end_on_latents_and_both_searches_find_them() throws IOException {
    MakeLatents.standIn(folder, COUNT, line -> {});
    try (BenchmarkSet set = BenchmarkSet.open(folder, COUNT)) {
      int dim = set.latents().dim();
      double radius = 0.3 * set.typicalDistance();
      float[] late = set.queries(Regime.LATE);
      List<Neighborhood> exact = set.exact().search(late, late.length / dim, radius);
      List<Neighborhood> walked = set.hnsw().search(late, late.length / dim, radius);
      Set<Long> ends = new HashSet<>();
      int found = 0;
      for (int t = 0; t < MakeLatents.TRAJECTORIES; t++) {
        Neighborhood end = exact.get(exact.size() - MakeLatents.TRAJECTORIES + t);
        assertThat(end.neighbors()).hasSize(1);
        Neighbor neighbor = end.neighbors().getFirst();
        // The memoriser's x̂0 is the latent but for rounding to float32 and to float16.
        assertThat(neighbor.distance()).isLessThan(0.01 * set.typicalDistance());
        ends.add(neighbor.item());
        Neighborhood walk = walked.get(walked.size() - MakeLatents.TRAJECTORIES + t);
        found += walk.neighbors().contains(neighbor) ? 1 : 0;
      }
      assertThat(ends).hasSizeGreaterThan(MakeLatents.TRAJECTORIES / 2);
      assertThat(found).isGreaterThanOrEqualTo(MakeLatents.TRAJECTORIES - 1);
      float[] early = set.queries(Regime.EARLY);
      for (Neighborhood start : set.exact().search(early, early.length / dim, radius)) {
        assertThat(start.neighbors()).isEmpty();
      }
    }
  }

  private static double sum(double[] values, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += values[i];
    }
    return sum;
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      return all.filter(Files::isRegularFile).toList();
    }
  }
}
