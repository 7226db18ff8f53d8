package spellshield.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import spellshield.index.search.ExactScan;
import spellshield.index.search.HnswSearch;
import spellshield.index.search.Neighborhood;
import spellshield.index.search.Recall;
import spellshield.index.search.SetStatistics;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.LatentReader;

/// `mvn -q -pl benchmarks -am -Dmaven.test.skip=true package && java
/// --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp
/// "benchmarks/target/classes:benchmarks/target/lib/*" org.openjdk.jmh.Main SearchBenchmark`
///
/// The exact scan, the HNSW walk, and a brute force over whole latents in the same run: ratios
/// carry the claim. The latents are Gaussian with a decaying spectrum, 512 values each; queries lie
/// at a random point of the ball around a latent. The recall of the graph is printed at the setup.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 3,
    jvmArgsAppend = {"--add-modules=jdk.incubator.vector", "-Xmx3g"})
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 3)
public class SearchBenchmark {
  private static final int DIM = 512;
  private static final int QUERIES = 16;

  @Param({"10000", "50000"})
  int count;

  @Param({"0.2", "0.3"})
  double share;

  private final ByteBuffersDirectory directory = new ByteBuffersDirectory();
  private float[] values = {};
  private float[] queries = {};
  private double radius;
  private ExactScan exact;
  private HnswSearch hnsw;
  private DirectoryReader reader;

  /// Draws the latents, builds both searches, prints the recall of the graph.
  @Setup
  public void build() throws IOException {
    SplittableRandom random = new SplittableRandom(7);
    values = new float[count * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextGaussian() / Math.sqrt(1 + i % DIM / 8.0));
    }
    LatentReader latents = LatentReader.of(values, DIM);
    Sketches sketches = Sketches.of(Sketcher.fit(latents, 64, 64), latents);
    SketchTable table = SketchTable.of(sketches);
    radius = share * SetStatistics.of(table, latents).typicalDistance();
    exact = new ExactScan(table, latents);
    HnswSearch.build(sketches, directory);
    reader = DirectoryReader.open(directory);
    hnsw = new HnswSearch(reader, table, latents);
    queries = new float[QUERIES * DIM];
    for (int q = 0; q < QUERIES; q++) {
      int item = random.nextInt(count);
      double step = radius * random.nextDouble() / Math.sqrt(DIM);
      for (int i = 0; i < DIM; i++) {
        queries[q * DIM + i] = (float) (values[item * DIM + i] + step * random.nextGaussian());
      }
    }
    System.out.println(
        "recall of the graph: " + Recall.measure(exact, hnsw, latents, radius, 200, 1));
  }

  /// Closes the graph.
  @TearDown
  public void close() throws IOException {
    reader.close();
  }

  @Benchmark
  public List<Neighborhood> exactSingle() {
    return exact.search(queries, 1, radius);
  }

  @Benchmark
  public List<Neighborhood> exactBatchOf16() {
    return exact.search(queries, QUERIES, radius);
  }

  @Benchmark
  public List<Neighborhood> hnswSingle() {
    return hnsw.search(queries, 1, radius);
  }

  /// The peer: float32 distances to every latent, as a flat index computes them.
  @Benchmark
  public List<Integer> bruteForceSingle() {
    List<Integer> inside = new ArrayList<>();
    float limit = (float) (radius * radius);
    for (int item = 0; item < count; item++) {
      float s0 = 0;
      float s1 = 0;
      float s2 = 0;
      float s3 = 0;
      int row = item * DIM;
      for (int i = 0; i < DIM; i += 4) {
        float d0 = queries[i] - values[row + i];
        float d1 = queries[i + 1] - values[row + i + 1];
        float d2 = queries[i + 2] - values[row + i + 2];
        float d3 = queries[i + 3] - values[row + i + 3];
        s0 += d0 * d0;
        s1 += d1 * d1;
        s2 += d2 * d2;
        s3 += d3 * d3;
      }
      if (s0 + s1 + s2 + s3 <= limit) {
        inside.add(item);
      }
    }
    return inside;
  }
}
