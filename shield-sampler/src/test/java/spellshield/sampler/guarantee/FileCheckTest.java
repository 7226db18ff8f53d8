package spellshield.sampler.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.index.ProtectedSet;
import spellshield.index.store.Precision;
import spellshield.index.store.RadiusScales;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Condition;
import spellshield.sampler.Euler;
import spellshield.sampler.Latents;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.shield.Shield;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Latent and file, where the file holds another latent: both end outside, and say so apart.
class FileCheckTest {
  private static final int DIM = 24;
  private static final int COUNT = 60;
  private static final double RADIUS = 1.2;
  private static final float[] VALUES = values();

  @TempDir private Path folder = Path.of("");

  private static float[] values() {
    SplittableRandom random = new SplittableRandom(11);
    float[] values = new float[COUNT * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /// An autoencoder as bad as they come: it draws a tenth of the way to the nearest protected
  /// latent, and rounds to sixteenths.
  private static float[] squeezed(float[] latent) {
    int nearest = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int item = 0; item < COUNT; item++) {
      double sum = 0;
      for (int i = 0; i < DIM; i++) {
        sum += Math.pow((double) latent[i] - VALUES[item * DIM + i], 2);
      }
      if (sum < least) {
        least = sum;
        nearest = item;
      }
    }
    float[] out = new float[DIM];
    for (int i = 0; i < DIM; i++) {
      double drawn = latent[i] + 0.1 * (VALUES[nearest * DIM + i] - latent[i]);
      out[i] = (float) (Math.rint(drawn * 16) / 16);
    }
    return out;
  }

  /// Returns the latent's bits as samples: another latent is another picture.
  private static RgbImage picture(float[] latent) {
    ByteBuffer bits = ByteBuffer.allocate(4 * latent.length);
    bits.asFloatBuffer().put(latent);
    return new RgbImage(bits.capacity(), 1, 1, bits.array());
  }

  private static final FileCheck SQUEEZE =
      new FileCheck() {
        @Override
        public Encoded encode(float[] latent) {
          float[] file = squeezed(latent);
          return new Encoded(file, picture(file));
        }

        @Override
        public double tolerance() {
          return 1e-3;
        }
      };

  private ProtectedSet set(String name) throws Exception {
    return TestSets.build(folder.resolve(name), VALUES, DIM, Precision.FLOAT32);
  }

  @Test
  void both_the_latent_and_its_file_end_outside() throws Exception {
    int[] again = new int[1];
    try (ProtectedSet set = set("set")) {
      Guarantee guarantee = Guarantee.of(set.exact(), set.latents(), RADIUS).checking(SQUEEZE);
      Seeds.check(
          200,
          random -> {
            float[] sample = new float[DIM];
            int item = random.nextInt(COUNT);
            double spread = 2 * RADIUS * random.nextDouble() / Math.sqrt(DIM);
            for (int i = 0; i < DIM; i++) {
              sample[i] = (float) (VALUES[item * DIM + i] + spread * random.nextGaussian());
            }
            Guarantee.Verdict.Outside outside =
                (Guarantee.Verdict.Outside) guarantee.settle(sample, List.of(), 3);
            float[] file = outside.file().orElseThrow().encoded().latent();
            assertThat(file).containsExactly(squeezed(outside.latent()));
            assertThat(Plain.nearest(outside.latent(), VALUES)).isGreaterThan(RADIUS);
            assertThat(Plain.nearest(file, VALUES)).isGreaterThan(RADIUS + 1e-3);
            if (outside.rounds() > 2) {
              again[0]++;
            }
            boolean bothWereOutside =
                Plain.nearest(sample, VALUES) > RADIUS
                    && Plain.nearest(squeezed(sample), VALUES) > RADIUS + 1e-3;
            if (bothWereOutside) {
              assertThat(outside.latent()).containsExactly(sample);
              assertThat(outside.rounds()).isEqualTo(1);
            }
          });
    }
    assertThat(again[0]).as("files that were inside though their latents were not").isPositive();
  }

  @Test
  void with_balls_of_their_own_both_end_outside_and_keep_the_tolerance_from_each()
      throws Exception {
    RadiusScales scales = Plain.scales(new SplittableRandom(12), COUNT);
    try (ProtectedSet set = scaled("scaled", scales)) {
      Guarantee guarantee = Guarantee.of(set.exact(), set.latents(), RADIUS / 2).checking(SQUEEZE);
      int[] moved = new int[1];
      Seeds.check(
          100,
          random -> {
            float[] sample = new float[DIM];
            int item = random.nextInt(COUNT);
            double spread = scales.of(item) * RADIUS * random.nextDouble() / Math.sqrt(DIM);
            for (int i = 0; i < DIM; i++) {
              sample[i] = (float) (VALUES[item * DIM + i] + spread * random.nextGaussian());
            }
            if (guarantee.settle(sample, List.of(), 3)
                instanceof Guarantee.Verdict.Outside outside) {
              Guarantee.OutsideFile file = outside.file().orElseThrow();
              float[] latent = file.encoded().latent();
              assertThat(latent).containsExactly(squeezed(outside.latent()));
              assertThat(Plain.nearest(outside.latent(), VALUES, scales)).isGreaterThan(RADIUS / 2);
              for (int k = 0; k < COUNT; k++) {
                float[] other = Arrays.copyOfRange(VALUES, k * DIM, (k + 1) * DIM);
                assertThat(Plain.nearest(latent, other))
                    .isGreaterThan(scales.of(k) * RADIUS / 2 + 1e-3);
              }
              double least = Plain.nearest(latent, VALUES, scales);
              assertThat(file.nearest().orElseThrow().lower())
                  .isGreaterThan(RADIUS / 2)
                  .isLessThanOrEqualTo(least);
              moved[0] += outside.moved() > 0 ? 1 : 0;
            }
          });
      assertThat(moved[0]).isGreaterThan(30);
    }
  }

  @Test
  void a_certificate_of_balls_of_their_own_claims_them_for_the_file_too() throws Exception {
    RadiusScales scales = Plain.scales(new SplittableRandom(13), COUNT);
    try (ProtectedSet set = scaled("scaled", scales);
        ProtectedSet ones = set("ones")) {
      Sample sample = sample(set);
      Certificate certificate = sample.certificate().orElseThrow();
      assertThat(Certificate.parse(certificate.toJson())).isEqualTo(certificate);
      assertThat(certificate.check(set, sample.latent())).isEmpty();
      assertThat(checkFile(certificate, set, sample)).isEmpty();
      assertThat(checkFile(certificate, ones, sample)).isNotEmpty();
      float[] elsewhere = squeezed(sample.latent());
      String picture = sample.picture().orElseThrow().sha256();
      elsewhere[0] += 9e-4f;
      assertThat(certificate.checkFile(set, elsewhere, picture)).isEmpty();
      elsewhere[0] += 1;
      assertThat(certificate.checkFile(set, elsewhere, picture)).isNotEmpty();
    }
  }

  private ProtectedSet scaled(String name, RadiusScales scales) throws Exception {
    return TestSets.build(folder.resolve(name), VALUES, DIM, Precision.FLOAT32, scales);
  }

  private static Sample sample(ProtectedSet set) {
    Shield shield = Shield.builder().protecting(set.exact(), set.latents(), RADIUS).build();
    Latents data = new Latents(VALUES, COUNT, DIM);
    return new ShieldedSampler(
            EmpiricalDenoiser.of(data), new Euler(), NoiseSchedule.Karras.edm(), 12, shield, DIM)
        .guaranteeing(set, RADIUS)
        .checking(SQUEEZE)
        .sample(new long[] {5}, Condition.NONE)
        .getFirst();
  }

  private static List<String> checkFile(Certificate certificate, ProtectedSet set, Sample sample) {
    float[] file = squeezed(sample.latent());
    return certificate.checkFile(set, file, picture(file).sha256());
  }

  @Test
  void a_certificate_claims_latent_and_file_apart() throws Exception {
    try (ProtectedSet set = set("set")) {
      Sample sample = sample(set);
      Certificate certificate = sample.certificate().orElseThrow();
      assertThat(Certificate.parse(certificate.toJson())).isEqualTo(certificate);
      assertThat(certificate.check(set, sample.latent())).isEmpty();
      assertThat(checkFile(certificate, set, sample)).isEmpty();
      assertThat(sample.picture().orElseThrow().samples())
          .isEqualTo(picture(squeezed(sample.latent())).samples());
      // The file's latent is not the certified one.
      assertThat(certificate.check(set, squeezed(sample.latent()))).isNotEmpty();
    }
  }

  @Test
  void an_encoding_on_another_machine_is_let_pass_within_the_tolerance_alone() throws Exception {
    try (ProtectedSet set = set("set")) {
      Sample sample = sample(set);
      Certificate certificate = sample.certificate().orElseThrow();
      float[] file = squeezed(sample.latent());
      String picture = picture(file).sha256();
      List<Boolean> passed = new ArrayList<>();
      for (float off : new float[] {1e-5f, 1}) {
        float[] elsewhere = file.clone();
        for (int i = 0; i < DIM; i++) {
          elsewhere[i] += (float) (off / Math.sqrt(DIM));
        }
        passed.add(certificate.checkFile(set, elsewhere, picture).isEmpty());
      }
      assertThat(passed).containsExactly(true, false);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "statement",
        "pictureSha256",
        "nearestId",
        "nearestDistance",
        "nearestLower",
        "encoderTolerance"
      })
  void a_changed_field_of_the_file_is_noticed(String field) throws Exception {
    try (ProtectedSet set = set("set")) {
      Sample sample = sample(set);
      JsonMapper mapper = new JsonMapper();
      ObjectNode json = (ObjectNode) mapper.readTree(sample.certificate().orElseThrow().toJson());
      ObjectNode file = (ObjectNode) json.get("file");
      if (file.get(field).isString()) {
        file.put(field, file.get(field).asString() + "x");
      } else {
        file.put(field, file.get(field).asDouble() + 1);
      }
      assertThat(checkFile(Certificate.parse(json.toString()), set, sample)).isNotEmpty();
    }
  }
}
