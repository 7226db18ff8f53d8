package spellshield.index.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import spellshield.index.kernel.Distance;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.sketch.Sketches;
import spellshield.index.testing.Seeds;

class HnswSearchTest {

  @Test
  void what_it_returns_is_inside_and_measured_exactly() {
    Seeds.check(
        60,
        random -> {
          TestSet drawn = TestSet.draw(random);
          TestSet set = random.nextBoolean() ? drawn : drawn.scaled(random);
          float[] queries = set.queries(random, 4);
          double radius = set.radius(random, queries);
          List<Neighborhood> exact = set.scan().search(queries, 4, radius);
          int most = random.nextBoolean() ? Integer.MAX_VALUE : random.nextInt(2, 500);
          try (Directory directory = graph(set, most);
              DirectoryReader reader = DirectoryReader.open(directory)) {
            HnswSearch search = search(set, reader);
            assertThat(search.approximate()).isTrue();
            List<Neighborhood> answers = search.search(queries, 4, radius);
            for (int q = 0; q < 4; q++) {
              set.assertEqualsBruteForce(exact.get(q), queries, q, radius);
              assertThat(exact.get(q).neighbors()).containsAll(answers.get(q).neighbors());
              assertThat(answers.get(q).neighbors()).doesNotHaveDuplicates();
              assertThat(answers.get(q).neighbors()).isSortedAccordingTo(Neighbor.NEAREST_FIRST);
            }
          }
        });
  }

  @Test
  void a_crowded_ball_is_emptied() throws IOException {
    // 300 of 1,000 latents lie in one small ball: far more than a walk keeps in mind.
    TestSet set = TestSet.clustered(new SplittableRandom(2), 1000, 12);
    for (int i = 0; i < 300 * 12; i++) {
      set.values[i] *= 1e-3f;
    }
    try (Directory directory = graph(set);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      Neighborhood answer = search(set, reader).search(new float[12], 1, 0.1).getFirst();
      assertThat(answer.neighbors().size()).isGreaterThanOrEqualTo(297);
    }
  }

  @Test
  void a_walk_among_more_nodes_than_a_scan_is_worth_gives_up_to_the_scan() throws IOException {
    TestSet set = TestSet.clustered(new SplittableRandom(5), 7_000, 6);
    for (int i = 0; i < 6_500 * 6; i++) {
      set.values[i] *= 1e-3f;
    }
    float[] queries = new float[2 * 6];
    Arrays.fill(queries, 6, 12, 1e6f); // nothing is near the second one
    try (Directory directory = graph(set, 6_000);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      List<Neighborhood> walked = search(set, reader).search(queries, 2, 0.1);
      List<Neighborhood> scanned =
          new ExactScan(set.table(), set.latents()).search(queries, 2, 0.1);
      assertThat(walked.getFirst()).isEqualTo(scanned.getFirst());
      assertThat(walked.getFirst().neighbors()).hasSizeGreaterThan(6_000);
      assertThat(walked.getLast().neighbors()).isEmpty();
    }
  }

  @Test
  void the_recall_on_clustered_latents_is_high_and_counted_against_the_exact_scan()
      throws IOException {
    TestSet set = TestSet.clustered(new SplittableRandom(4), 3000, 40);
    double typical =
        SetStatistics.of(
                SketchTable.of(Sketcher.fit(set.latents(), 8, 4), set.latents()), set.latents())
            .typicalDistance();
    try (Directory directory = graph(set);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      Recall recall =
          Recall.measure(set.scan(), search(set, reader), set.latents(), 0.4 * typical, 100, 5);
      assertThat(recall.pairs()).isGreaterThan(100);
      assertThat(recall.share()).isBetween(0.9, 1.0);
    }
  }

  @Test
  void segments_are_as_few_and_as_equal_as_can_be() throws IOException {
    TestSet set = TestSet.clustered(new SplittableRandom(8), 1000, 5);
    int[][] expected = {{1000}, {500, 500}, {334, 334, 332}};
    int[] most = {1000, 999, 499};
    for (int i = 0; i < most.length; i++) {
      try (Directory directory = graph(set, most[i]);
          DirectoryReader reader = DirectoryReader.open(directory)) {
        assertThat(reader.leaves().stream().mapToInt(leaf -> leaf.reader().maxDoc()))
            .containsExactly(Arrays.stream(expected[i]).boxed().toArray(Integer[]::new));
      }
    }
  }

  @Test
  void of_several_segments_each_is_walked_and_numbers_are_those_of_the_set() throws IOException {
    TestSet set = TestSet.clustered(new SplittableRandom(6), 3000, 40);
    try (Directory directory = graph(set, 700);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      assertThat(reader.leaves()).hasSize(5);
      HnswSearch search = search(set, reader);
      List<Neighborhood> itself = search.search(set.values, 3000, 1e-3);
      for (int item = 0; item < 3000; item++) {
        assertThat(itself.get(item).neighbors())
            .extracting(Neighbor::item)
            .containsExactly((long) item);
      }
      Recall recall = Recall.measure(set.scan(), search, set.latents(), 4, 100, 5);
      assertThat(recall.pairs()).isGreaterThan(1000);
      assertThat(recall.share()).isBetween(0.98, 1.0);
    }
  }

  @Test
  void wide_balls_are_found_from_far_away_and_narrow_ones_only_from_near() throws IOException {
    TestSet plain = TestSet.clustered(new SplittableRandom(7), 2000, 24);
    float[] scales = new float[2000];
    for (int item = 0; item < 2000; item++) {
      scales[item] = item % 50 == 0 ? 4 : item % 2 == 0 ? 1 : 0.25f;
    }
    TestSet set = plain.scaled(scales);
    try (Directory directory = graph(set);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      Recall recall = Recall.measure(set.scan(), search(set, reader), set.latents(), 2, 100, 5);
      Recall ones = Recall.measure(plain.scan(), search(plain, reader), set.latents(), 2, 100, 5);
      assertThat(recall.pairs()).isGreaterThan(200).isNotEqualTo(ones.pairs());
      assertThat(recall.share()).isBetween(0.98, 1.0);
    }
  }

  @Test
  void what_no_edge_leads_to_is_found_all_the_same() throws IOException {
    // Copies link to each other and to nothing else.
    SplittableRandom random = new SplittableRandom(5);
    float[] values = new float[3000 * 30];
    for (int i = 0; i < values.length; i++) {
      values[i] = i < 300 * 30 ? (float) random.nextGaussian() : values[i % (30 * 30)];
    }
    TestSet set = TestSet.of(values, 30);
    try (Directory directory = graph(set);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      int[] unreached = UnreachedNodes.of(reader.leaves().getFirst().reader(), "sketch").nodes();
      assertThat(unreached).isNotEmpty();
      HnswSearch search = search(set, reader);
      for (int i = 0; i < unreached.length; i += 20) {
        int item = unreached[i];
        float[] query = Arrays.copyOfRange(values, item * 30, (item + 1) * 30);
        assertThat(search.search(query, 1, 0.1).getFirst().neighbors())
            .extracting(Neighbor::item)
            .contains((long) item)
            .doesNotHaveDuplicates();
      }
    }
  }

  @Test
  void a_graph_of_another_set_is_refused() throws IOException {
    TestSet set = TestSet.clustered(new SplittableRandom(1), 50, 3);
    TestSet other = TestSet.clustered(new SplittableRandom(1), 51, 3);
    try (Directory directory = graph(other);
        DirectoryReader reader = DirectoryReader.open(directory)) {
      assertThatThrownBy(() -> search(set, reader))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("51 nodes, but the set was built of 50");
    }
  }

  @Test
  void the_statistics_are_those_of_the_definition() {
    Seeds.check(
        20,
        random -> {
          TestSet set = TestSet.clustered(random, 300, 10);
          SketchTable table = SketchTable.of(Sketcher.fit(set.latents(), 4, 4), set.latents());
          SetStatistics statistics = SetStatistics.of(table, set.latents());
          double nearestToMean = Double.POSITIVE_INFINITY;
          double[] distances = new double[300 * 299 / 2];
          int next = 0;
          for (int i = 0; i < 300; i++) {
            nearestToMean =
                Math.min(
                    nearestToMean,
                    Distance.between(set.values, i * 10, table.sketcher().mean(), 0, 10));
            for (int j = 0; j < i; j++) {
              distances[next++] = set.distance(set.values, i, j);
            }
          }
          Arrays.sort(distances);
          // The median of 20,000 draws has a rank of 50 % ± 0.35 %; 2 % is more than five
          // deviations.
          assertThat(statistics.typicalDistance())
              .isBetween(
                  distances[(int) (0.48 * distances.length)],
                  distances[(int) (0.52 * distances.length)]);
          assertThat(statistics.meanClearance())
              .isLessThanOrEqualTo(nearestToMean)
              .isGreaterThan(nearestToMean * 0.999);
        });
  }

  private static Directory graph(TestSet set) throws IOException {
    return graph(set, Integer.MAX_VALUE);
  }

  private static Directory graph(TestSet set, int most) throws IOException {
    Directory directory = new ByteBuffersDirectory();
    Sketches sketches = Sketches.of(Sketcher.fit(set.latents(), 8, 4), set.latents());
    HnswSearch.build(sketches, directory, most);
    return directory;
  }

  private static HnswSearch search(TestSet set, DirectoryReader reader) throws IOException {
    return new HnswSearch(reader, set.table(), set.latents());
  }
}
