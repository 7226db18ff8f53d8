package spellshield.benchmarks.peers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.store.Directory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.search.ExactScan;
import spellshield.index.search.HnswSearch;
import spellshield.index.search.Neighborhood;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.LatentReader;

/// That the peers are asked the question that ours is asked.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PeersTest {
  private static final int COUNT = 3_000;
  private static final int DIM = 24;
  private static final int QUERIES = 20;
  private static final double RADIUS = 0.8;

  private final float[] values = new float[COUNT * DIM];
  private final LatentReader latents = LatentReader.of(values, DIM);
  private final Directory directory = new ByteBuffersDirectory();
  private final float[][] heads = new float[COUNT][];
  private final SketchTable table;
  private final float[] queries;
  private final List<Neighborhood> exact;

  PeersTest() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() / (1 + i % DIM));
    }
    Sketches sketches = Sketches.of(Sketcher.fit(latents, 8, 4), latents);
    table = SketchTable.of(sketches);
    HnswSearch.build(sketches, directory);
    Arrays.setAll(heads, sketches::head);
    queries = Arrays.copyOf(values, QUERIES * DIM);
    exact = new ExactScan(table, latents).search(queries, QUERIES, RADIUS);
    assertThat(pairs(exact)).isGreaterThan(10 * QUERIES);
  }

  @Test
  void lucene_finds_all_when_it_compares_every_sketch() throws IOException {
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      assertThat(answers(new LuceneSimilarity(reader, 1))).isEqualTo(neighbors(exact));
    }
  }

  @Test
  void lucene_finds_all_when_as_many_are_asked_for_as_there_are() throws IOException {
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      assertThat(answers(new LuceneNearest(reader, COUNT))).isEqualTo(neighbors(exact));
    }
  }

  @Test
  void a_decay_under_one_finds_nothing_else_and_nearly_all() throws IOException {
    try (DirectoryReader reader = DirectoryReader.open(directory)) {
      finds_nothing_else_and_nearly_all(new LuceneSimilarity(reader, 0.95f));
    }
  }

  @Test
  void jvector_finds_nothing_else_and_nearly_all_and_the_same_from_its_file(@TempDir Path folder)
      throws IOException {
    Path file = folder.resolve("graph");
    JVectorGraph built = JVectorGraph.open(file, heads, COUNT);
    finds_nothing_else_and_nearly_all(built);
    assertThat(file).exists();
    assertThat(answers(JVectorGraph.open(file, heads, COUNT))).isEqualTo(answers(built));
  }

  private void finds_nothing_else_and_nearly_all(Candidates candidates) {
    List<Neighborhood> found = refined(candidates).search(queries, QUERIES, RADIUS);
    for (int q = 0; q < QUERIES; q++) {
      assertThat(exact.get(q).neighbors()).containsAll(found.get(q).neighbors());
    }
    assertThat(pairs(found)).isGreaterThan(0.9 * pairs(exact));
  }

  private Refined refined(Candidates candidates) {
    return new Refined(candidates, table, latents);
  }

  private List<?> answers(Candidates candidates) {
    return neighbors(refined(candidates).search(queries, QUERIES, RADIUS));
  }

  private static List<?> neighbors(List<Neighborhood> answers) {
    return answers.stream().map(Neighborhood::neighbors).toList();
  }

  private static double pairs(List<Neighborhood> answers) {
    return answers.stream().mapToInt(answer -> answer.neighbors().size()).sum();
  }
}
