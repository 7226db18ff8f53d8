package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.Precision;
import spellshield.sampler.Latents;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.pipeline.DiffusionPipeline;
import spellshield.sampler.pipeline.Generated;
import spellshield.sampler.pipeline.Protection;
import spellshield.sampler.pipeline.Request;
import spellshield.sampler.pipeline.Timing;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.Resample;

/// What the shield costs an image of a pipeline, beside the network's own time.
///
/// `java --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -cp
/// "benchmarks/target/classes:benchmarks/target/lib/*" spellshield.benchmarks.PipelineOverhead
/// COUNT STEPS PIPELINE...`
///
/// Around each pipeline's own plain outputs, one in four, a set of COUNT latents is put: these, and
/// draws of a Gaussian with the outputs' mean and spread. Medians of 5 runs of 16 images after one
/// to warm up; a line per pipeline, in Markdown.
public final class PipelineOverhead {
  private static final int IMAGES = 16;
  private static final int RUNS = 5;

  private PipelineOverhead() {}

  /// Measures pipelines.
  ///
  /// @param args a folder of PNG pictures, the number of steps, and folders of pipelines
  public static void main(String[] args) throws IOException {
    System.out.println(
        "| pipeline | latents | network ms | shield ms | of it searches | guarantee ms | decode, encode ms"
            + " | shield + guarantee, share of the network | inside, plain | inside |");
    System.out.println("|---|---|---|---|---|---|---|---|---|---|");
    for (String pipeline : Arrays.asList(args).subList(2, args.length)) {
      measure(Path.of(pipeline), Path.of(args[0]), Integer.parseInt(args[1]));
    }
  }

  private static Request request(DiffusionPipeline pipeline, int steps) {
    long[] seeds = LongStream.range(0, IMAGES).toArray();
    int classes = Math.max(1, pipeline.labels().size());
    Request request =
        pipeline.labels().isEmpty()
            ? Request.prompts("a close-up of an apple")
            : Request.labels(
                LongStream.of(seeds).mapToInt(seed -> (int) (seed % classes)).toArray());
    return request.seeds(seeds).steps(steps);
  }

  private static void measure(Path folder, Path pictures, int steps) throws IOException {
    Path temporary = Files.createTempDirectory("overhead");
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(folder)) {
      List<Generated> plain = pipeline.sample(request(pipeline, steps).withoutPictures());
      try (ProtectedSet set = set(temporary.resolve("set"), pipeline, plain, pictures)) {
        double radius = set.radius(0.3);
        Protection protection = Protection.of(set, radius);
        Timing[] timings = new Timing[RUNS + 1];
        int inside = 0;
        for (int run = 0; run <= RUNS; run++) {
          timings[run] = new Timing();
          List<Generated> results =
              pipeline.sample(request(pipeline, steps).timing(timings[run]), protection);
          inside = (int) results.stream().filter(r -> r.sample().failed()).count();
        }
        Timing[] warm = Arrays.copyOfRange(timings, 1, timings.length);
        Arrays.sort(warm, Comparator.comparingDouble(Timing::shieldMillis));
        Timing median = warm[RUNS / 2];
        long insidePlain =
            plain.stream()
                .filter(p ->
                    set.exact()
                        .nearest(p.sample().latent(), 1)
                        .getFirst()
                        .orElseThrow()
                        .isInside(radius))
                .count();
        System.out.printf(
            Locale.ROOT,
            "| %s | %,d of %d values | %.1f | %.3f | %.3f | %.3f | %.1f | %.2f %% | %d of %d | %d of %d |%n",
            folder.getFileName(),
            set.count(),
            set.space().dim(),
            median.networkMillis(),
            median.shieldMillis(),
            median.searchMillis(),
            median.guaranteeMillis(),
            median.codecMillis(),
            100 * (median.shieldMillis() + median.guaranteeMillis()) / median.networkMillis(),
            insidePlain,
            IMAGES,
            inside,
            IMAGES);
      }
    } finally {
      try (Stream<Path> files = Files.walk(temporary)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private static ProtectedSet set(
      Path folder, DiffusionPipeline pipeline, List<Generated> plain, Path pictures)
      throws IOException {
    try (ProtectedSetBuilder builder =
            ProtectedSetBuilder.begin(folder, pipeline.space(), Precision.FLOAT16);
        Stream<Path> files = Files.list(pictures)) {
      for (int i = 0; i < plain.size(); i += 4) {
        builder.add(new Item("own-" + i, "", ""), plain.get(i).sample().latent());
      }
      List<Path> sorted = files.filter(f -> f.toString().endsWith(".png")).sorted().toList();
      int size = pipeline.defaultSize();
      for (int from = 0; from < sorted.size(); from += IMAGES) {
        List<RgbImage> images = new ArrayList<>();
        for (Path file : sorted.subList(from, Math.min(sorted.size(), from + IMAGES))) {
          images.add(Resample.centreCrop(ImageDoor.read(file), size, size));
        }
        Latents latents = pipeline.codec().encode(images);
        for (int i = 0; i < images.size(); i++) {
          builder.add(new Item(sorted.get(from + i).toString(), "", ""), latents.row(i));
        }
      }
      builder.commit(Instant.EPOCH);
    }
    return ProtectedSet.open(folder);
  }
}
