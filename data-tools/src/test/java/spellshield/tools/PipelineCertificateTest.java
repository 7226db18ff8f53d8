package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.Precision;
import spellshield.sampler.codec.AutoencoderCodec;
import spellshield.sampler.guarantee.Certificate;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.pipeline.DiffusionPipeline;
import spellshield.sampler.pipeline.Generated;
import spellshield.sampler.pipeline.Protection;
import spellshield.sampler.pipeline.Request;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.Png;

/// From a real pipeline to the bytes of a PNG file and back: latent and file are outside.
///
/// The set is what the pipeline makes without a shield, so that every plain sample is a copy.
class PipelineCertificateTest {
  private static final Path MODEL = Path.of("../shield-sampler/src/test/resources/pipelines/edm");
  private static final int COUNT = 12;
  private static final double RADIUS = 3;

  /// Two sums of 256 squares in float64, in different orders.
  private static final double SUMMED = 1e-9;

  @TempDir private Path temporary = Path.of("");

  private static Request request() {
    return Request.labels(4).seeds(LongStream.range(0, COUNT).toArray()).batch(5);
  }

  private static float[][] latents(List<Generated> results) {
    return results.stream().map(one -> one.sample().latent()).toArray(float[][]::new);
  }

  private ProtectedSet set(DiffusionPipeline pipeline, float[][] latents) throws IOException {
    Path folder = temporary.resolve("set");
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder, pipeline.space(), Precision.FLOAT32)) {
      for (float[] latent : latents) {
        builder.add(new Item("sample-" + builder.count(), "", ""), latent);
      }
      builder.commit(Instant.EPOCH);
    }
    return ProtectedSet.open(folder);
  }

  /// Returns the least distance in float64.
  private static double nearest(float[] latent, float[][] items) {
    double least = Double.POSITIVE_INFINITY;
    for (float[] item : items) {
      double sum = 0;
      for (int i = 0; i < latent.length; i++) {
        sum += Math.pow((double) latent[i] - item[i], 2);
      }
      least = Math.min(least, Math.sqrt(sum));
    }
    return least;
  }

  private static float[] encoded(DiffusionPipeline pipeline, RgbImage image) {
    return pipeline.codec().encode(List.of(image)).values();
  }

  @Test
  void every_copy_ends_outside_and_the_bytes_of_its_file_prove_it() throws Exception {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(MODEL)) {
      List<Generated> plain = pipeline.sample(request());
      float[][] items = latents(plain);
      for (Generated copy : plain) {
        RgbImage picture = copy.picture().orElseThrow();
        assertThat(nearest(encoded(pipeline, picture), items)).isLessThan(RADIUS);
        assertThat(copy.sample().certificate()).isEmpty();
      }
      try (ProtectedSet set = set(pipeline, items)) {
        List<Generated> results = pipeline.sample(request(), Protection.of(set, RADIUS));
        assertThat(results).hasSize(COUNT);
        assertThat(results)
            .anySatisfy(one -> assertThat(one.sample().activity().acted()).isPositive());
        Path folder = Files.createDirectories(temporary.resolve("out"));
        Console console =
            new Console(new PrintWriter(new StringWriter()), new PrintWriter(new StringWriter()));
        SampleWriter writer =
            new SampleWriter(folder, Json.object().putArray("all"), console, false);
        for (Generated one : results) {
          assertThat(one.sample().failure()).isEmpty();
          assertThat(nearest(one.sample().latent(), items)).isGreaterThan(RADIUS);
          writer.write(one.sample(), one.picture().orElseThrow(), one.parameters());
        }
        for (int seed = 0; seed < COUNT; seed++) {
          requireProof(pipeline, set, items, results.get(seed), folder, seed);
        }
      }
    }
  }

  private static void requireProof(
      DiffusionPipeline pipeline,
      ProtectedSet set,
      float[][] items,
      Generated result,
      Path folder,
      int seed)
      throws Exception {
    byte[] bytes = Files.readAllBytes(folder.resolve("sample-%d.png".formatted(seed)));
    RgbImage read = ImageDoor.read(bytes, "sample");
    assertThat(read).isEqualTo(result.picture().orElseThrow());
    float[] again = encoded(pipeline, read);
    assertThat(nearest(again, items)).isGreaterThan(RADIUS + AutoencoderCodec.ENCODER_TOLERANCE);

    SequencedMap<String, String> texts = Png.texts(bytes);
    Certificate certificate = Certificate.parse(texts.getOrDefault(SampleWriter.CERTIFICATE, ""));
    assertThat(certificate).isEqualTo(result.sample().certificate().orElseThrow());
    assertThat(certificate.check(set, result.sample().latent())).isEmpty();
    assertThat(certificate.checkFile(set, again, read.sha256())).isEmpty();
    assertThat(certificate.nearestDistance())
        .isCloseTo(nearest(result.sample().latent(), items), within(SUMMED));
    assertThat(certificate.file().orElseThrow().nearestDistance())
        .isCloseTo(nearest(again, items), within(SUMMED));
    assertThat(texts.get(SampleWriter.PARAMETERS))
        .isEqualTo(
            """
            class e
            Steps: 6, Sampler: heun, CFG scale: 2.0, Seed: %d, Size: 64x64, Model: edm, SpellShield\
             certificate: %s\
            """
                .formatted(seed, certificate.id()));

    byte[] changed = read.samples().clone();
    changed[seed] ^= 1;
    RgbImage other = new RgbImage(read.width(), read.height(), 3, changed);
    assertThat(certificate.checkFile(set, encoded(pipeline, other), other.sha256()))
        .as("a picture with one bit changed")
        .isNotEmpty();
  }

  @Test
  void a_guaranteed_run_does_not_depend_on_the_batch() throws Exception {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(MODEL)) {
      try (ProtectedSet set = set(pipeline, latents(pipeline.sample(request())))) {
        Protection protection = Protection.of(set, RADIUS);
        List<Generated> fives = pipeline.sample(request(), protection);
        List<Generated> alone = pipeline.sample(request().batch(1), protection);
        for (int i = 0; i < COUNT; i++) {
          assertThat(alone.get(i).picture()).isEqualTo(fives.get(i).picture());
          assertThat(alone.get(i).sample().certificate())
              .isEqualTo(fives.get(i).sample().certificate())
              .isPresent();
        }
      }
    }
  }

  @Test
  void a_radius_around_the_whole_space_leaves_no_picture() throws Exception {
    try (DiffusionPipeline pipeline = DiffusionPipeline.load(MODEL)) {
      float[][] zero = new float[1][256];
      try (ProtectedSet set = set(pipeline, zero)) {
        // Latents are clamped by nobody, but no way out is longer than four radii, and none of
        // them survives the 8 bits of a picture.
        List<Generated> results =
            pipeline.sample(Request.labels(4).seeds(1).steps(2), Protection.of(set, 1e6));
        assertThat(results.getFirst().sample().failed()).isTrue();
        assertThat(results.getFirst().picture()).isEmpty();
        assertThat(results.getFirst().sample().attempts()).isEqualTo(8);
      }
    }
  }
}
