package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.pipeline.DiffusionPipeline;
import spellshield.sampler.pipeline.Generated;
import spellshield.sampler.pipeline.Protection;
import spellshield.sampler.pipeline.Request;

/// How much memory a pipeline takes, and whether it grows: `java … PipelineMemory MODEL COUNT BATCH
/// SIZE`.
///
/// Samples COUNT pictures of SIZE pixels in batches of BATCH, each through shield, guarantee and
/// file check, and prints the resident memory of the process (VmRSS and VmHWM of
/// `/proc/self/status`, Linux only) and the heap after a collection, about ten times. The set is
/// what the pipeline makes without a shield of the first seeds; the radius is a third of the mean
/// distance between those.
public final class PipelineMemory {
  private static final int STEPS = 10;

  private PipelineMemory() {}

  /// Measures.
  ///
  /// @param args the folder of the pipeline, how many pictures, how many at once, width and height
  public static void main(String[] args) throws IOException {
    Path model = Path.of(args[0]);
    int count = Integer.parseInt(args[1]);
    int batch = Integer.parseInt(args[2]);
    int size = Integer.parseInt(args[3]);
    Path folder = Files.createTempDirectory("pipeline-memory");
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(model)) {
      List<Generated> plain = pipeline.sample(request(pipeline, size, 0, batch).withoutPictures());
      double radius = write(folder, pipeline.codec().space(size, size, Crop.ADM), plain);
      System.out.println("| pictures | failed | resident MiB | peak MiB | heap MiB |");
      System.out.println("|---|---|---|---|---|");
      try (ProtectedSet set = ProtectedSet.open(folder)) {
        Protection protection = Protection.of(set, radius);
        int failed = 0;
        int every = Math.max(batch, count / 10);
        for (int done = 0; done < count; ) {
          int some = Math.min(batch, count - done);
          for (Generated one : pipeline.sample(request(pipeline, size, done, some), protection)) {
            failed += one.picture().isPresent() ? 0 : 1;
          }
          if ((done + some) / every > done / every || done + some == count) {
            report(done + some, failed);
          }
          done += some;
        }
      }
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static Request request(DiffusionPipeline pipeline, int size, int from, int count) {
    Request request =
        pipeline.labels().isEmpty() ? Request.prompts("a lighthouse at dusk") : Request.labels(0);
    long[] seeds = LongStream.range(from, from + count).toArray();
    return request.seeds(seeds).batch(count).steps(STEPS).size(size, size);
  }

  /// Writes the set and returns the radius.
  private static double write(Path folder, LatentSpace space, List<Generated> plain)
      throws IOException {
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder, space, Precision.FLOAT32)) {
      for (Generated one : plain) {
        builder.add(new Item("sample-" + builder.count(), "", ""), one.sample().latent());
      }
      builder.commit(Instant.EPOCH);
    }
    double sum = 0;
    int pairs = 0;
    for (int a = 0; a < plain.size(); a++) {
      for (int b = 0; b < a; b++) {
        sum += distance(plain.get(a).sample().latent(), plain.get(b).sample().latent());
        pairs++;
      }
    }
    return sum / pairs / 3;
  }

  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.pow((double) a[i] - b[i], 2);
    }
    return Math.sqrt(sum);
  }

  private static void report(int done, int failed) throws IOException {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    long heap = (runtime.totalMemory() - runtime.freeMemory()) >> 20;
    System.out.println(
        "| %d | %d | %d | %d | %d |"
            .formatted(done, failed, mebibytes("VmRSS"), mebibytes("VmHWM"), heap));
  }

  private static long mebibytes(String field) throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith(field + ":"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) >> 10)
          .findFirst()
          .orElse(0);
    }
  }
}
