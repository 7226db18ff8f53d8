package spellshield.sampler.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.index.Coverage;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetEditor;
import spellshield.index.store.Item;
import spellshield.index.store.Precision;
import spellshield.index.store.RadiusScales;
import spellshield.sampler.Condition;
import spellshield.sampler.Euler;
import spellshield.sampler.Latents;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.shield.Shield;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class CertificateTest {
  private static final int DIM = 12;
  private static final float[] VALUES = Plain.gaussian(new SplittableRandom(1), 100, DIM);
  private static final JsonMapper MAPPER = new JsonMapper();

  @TempDir private Path folder;

  private ProtectedSet set(String name, float[] values) throws Exception {
    return TestSets.build(folder.resolve(name), values, DIM, Precision.FLOAT16);
  }

  private static Sample sample(ProtectedSet set) {
    try (EmpiricalDenoiser denoiser =
        EmpiricalDenoiser.of(new Latents(VALUES, VALUES.length / DIM, DIM))) {
      return new ShieldedSampler(
              denoiser,
              new Euler(),
              new NoiseSchedule.Karras(0.01, 20, 7),
              8,
              Shield.builder().build(),
              DIM)
          .guaranteeing(set, 1)
          .sample(new long[] {5}, Condition.NONE)
          .getFirst();
    }
  }

  @Test
  void a_certificate_reads_back_and_holds() throws Exception {
    try (ProtectedSet set = set("set", VALUES)) {
      Sample sample = sample(set);
      Certificate certificate = sample.certificate().orElseThrow();
      assertThat(Certificate.parse(certificate.toJson())).isEqualTo(certificate);
      assertThat(certificate.check(set, sample.latent())).isEmpty();
      assertThat(certificate.nearestLower()).isGreaterThan(1);
      assertThat(Plain.nearest(sample.latent(), VALUES))
          .isGreaterThanOrEqualTo(certificate.nearestLower());
    }
  }

  @Test
  void a_certificate_of_balls_of_their_own_says_so_and_holds_for_each() throws Exception {
    RadiusScales scales = Plain.scales(new SplittableRandom(3), VALUES.length / DIM);
    Path path = folder.resolve("scaled");
    try (ProtectedSet set = TestSets.build(path, VALUES, DIM, Precision.FLOAT16, scales);
        ProtectedSet ones = set("ones", VALUES)) {
      Sample sample = sample(set);
      Certificate certificate = sample.certificate().orElseThrow();
      assertThat(certificate.statement()).isEqualTo(Certificate.SCALED_STATEMENT);
      assertThat(Certificate.parse(certificate.toJson())).isEqualTo(certificate);
      assertThat(certificate.check(set, sample.latent())).isEmpty();
      assertThat(certificate.check(ones, sample.latent())).isNotEmpty();
      double least = Plain.nearest(sample.latent(), VALUES, scales);
      assertThat(certificate.nearestLower()).isGreaterThan(1).isLessThanOrEqualTo(least);
      Certificate.Scales stated = certificate.scales().orElseThrow();
      assertThat(stated.least()).isEqualTo(scales.least());
      assertThat(stated.largest()).isEqualTo(scales.largest());
      int nearest = Integer.parseInt(certificate.nearestId().substring("id-".length()));
      assertThat(stated.ofNearest()).isEqualTo(scales.of(nearest));

      ObjectNode json = tree(sample);
      for (String field : List.of("least", "largest", "ofNearest")) {
        ObjectNode changed = json.deepCopy();
        ObjectNode inside = (ObjectNode) changed.get("scales");
        inside.put(field, inside.get(field).asDouble() + 0.5);
        assertThat(Certificate.parse(changed.toString()).check(set, sample.latent())).isNotEmpty();
        inside.remove(field);
        assertNone(changed.toString());
      }
      ObjectNode without = json.deepCopy();
      without.remove("scales");
      assertThat(Certificate.parse(without.toString()).check(set, sample.latent())).isNotEmpty();
      without.put("statement", Certificate.STATEMENT);
      assertThat(Certificate.parse(without.toString()).check(set, sample.latent())).isNotEmpty();
      for (String field : List.of("radius", "nearestId", "nearestDistance", "nearestLower")) {
        ObjectNode changed = json.deepCopy();
        if (changed.get(field).isString()) {
          changed.put(field, "x");
        } else {
          changed.put(field, changed.get(field).asDouble() + 1);
        }
        assertThat(Certificate.parse(changed.toString()).check(set, sample.latent())).isNotEmpty();
      }
    }
  }

  @Test
  void a_certificate_without_balls_of_their_own_is_written_as_before_there_were_any()
      throws Exception {
    try (ProtectedSet set = set("set", VALUES)) {
      Sample sample = sample(set);
      assertThat(tree(sample).propertyNames())
          .containsExactly(
              "statement",
              "setId",
              "setGeneration",
              "setCount",
              "space",
              "spaceFingerprint",
              "radius",
              "nearestId",
              "nearestDistance",
              "nearestLower",
              "arithmetic",
              "search",
              "latentSha256",
              "file",
              "seed",
              "requestedSeed",
              "attempts",
              "sampler",
              "steps",
              "shieldSearches",
              "shieldActed",
              "finalSearches",
              "moved");
      assertThat(sample.certificate().orElseThrow().statement()).isEqualTo(Certificate.STATEMENT);
    }
  }

  @Test
  void a_certificate_of_a_changed_set_is_about_what_is_protected_now() throws Exception {
    set("changed", VALUES).close();
    Path path = folder.resolve("changed");
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(path, TestSets.space(DIM))) {
      for (int item = 0; item < 40; item++) {
        editor.remove("id-" + item);
      }
      editor.add(new Item("new", "", ""), Arrays.copyOf(VALUES, DIM));
      editor.commit(Instant.EPOCH, "40 out, one in again");
    }
    try (ProtectedSet set = ProtectedSet.open(path)) {
      Sample sample = sample(set);
      Certificate certificate = sample.certificate().orElseThrow();
      assertThat(certificate.setCount()).isEqualTo(61);
      assertThat(certificate.check(set, sample.latent())).isEmpty();
    }
  }

  @Test
  void a_certificate_of_an_empty_set_reads_back_and_holds() throws Exception {
    try (ProtectedSet set = set("empty", new float[0])) {
      Sample sample = sample(set);
      Certificate certificate = sample.certificate().orElseThrow();
      assertThat(certificate.nearestDistance()).isInfinite();
      assertThat(Certificate.parse(certificate.toJson())).isEqualTo(certificate);
      assertThat(certificate.check(set, sample.latent())).isEmpty();
    }
  }

  private static final Coverage COVERAGE =
      new Coverage(1, 0.7, 0.2, List.of(new Coverage.Edit("jpeg:75", 50, 49, true)), 400, 10);

  private ProtectedSet measured(Coverage coverage) throws Exception {
    set("measured", VALUES).close();
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder.resolve("measured"))) {
      editor.cover(coverage);
      editor.commit(Instant.EPOCH, "calibrated");
    }
    return ProtectedSet.open(folder.resolve("measured"));
  }

  @Test
  void what_was_measured_of_the_radius_is_quoted_and_a_wider_one_warned_of() throws Exception {
    try (ProtectedSet set = measured(COVERAGE)) {
      Sample sample = sample(set); // of radius 1
      Certificate certificate = sample.certificate().orElseThrow();
      Certificate.Measured measured = certificate.measured().orElseThrow();
      assertThat(measured.coverage()).isEqualTo(COVERAGE);
      assertThat(measured.statement())
          .isEqualTo(
              "at 0.20 of typical (0.7000) jpeg:75 98.0 % (89.4–99.9); 2.5 % (1.2–4.5) of 400 other"
                  + " items blocked; measured at epoch 1");
      assertThat(measured.warning())
          .startsWith("the radius 1.0000 is wider than the recommended 0.7000");
      assertThat(Certificate.parse(certificate.toJson())).isEqualTo(certificate);
      assertThat(certificate.check(set, sample.latent())).isEmpty();
    }
    Coverage wider = new Coverage(1, 1, 0.3, COVERAGE.edits(), 400, 10);
    try (ProtectedSet set = measured(wider)) {
      assertThat(sample(set).certificate().orElseThrow().measured().orElseThrow().warning())
          .isEmpty();
    }
  }

  @Test
  void a_changed_measurement_is_noticed_and_a_missing_one_is_that_of_an_earlier_version()
      throws Exception {
    try (ProtectedSet set = measured(COVERAGE)) {
      Sample sample = sample(set);
      for (String field : List.of("statement", "warning", "radius", "blocked", "epoch")) {
        ObjectNode json = tree(sample);
        ObjectNode quoted = (ObjectNode) json.get("measured");
        switch (field) {
          case "statement", "warning" -> quoted.put(field, "all is well");
          case "radius" -> ((ObjectNode) quoted.get("coverage")).put(field, 2.5);
          default -> ((ObjectNode) quoted.get("coverage")).put(field, 9);
        }
        assertThat(Certificate.parse(json.toString()).check(set, sample.latent()))
            .as(field)
            .containsExactly("what it says was measured is not what the set says");
      }
      ObjectNode impossible = tree(sample);
      ((ObjectNode) impossible.get("measured").get("coverage")).put("blocked", 401);
      assertNone(impossible.toString());
      ObjectNode earlier = tree(sample);
      earlier.remove("measured");
      assertThat(Certificate.parse(earlier.toString()).check(set, sample.latent())).isEmpty();
    }
    try (ProtectedSet set = set("set", VALUES)) {
      assertThat(sample(set).certificate().orElseThrow().measured()).isEmpty();
    }
  }

  /// Everything that the set and the latent decide; how the sample was made they cannot tell.
  @ParameterizedTest
  @ValueSource(
      strings = {
        "statement",
        "setId",
        "setGeneration",
        "setCount",
        "space",
        "spaceFingerprint",
        "radius",
        "nearestId",
        "nearestDistance",
        "nearestLower",
        "arithmetic",
        "search",
        "latentSha256"
      })
  void a_changed_field_is_noticed(String field) throws Exception {
    try (ProtectedSet set = set("set", VALUES)) {
      Sample sample = sample(set);
      ObjectNode json = tree(sample);
      JsonNode value = json.get(field);
      if (value.isString()) {
        json.put(field, value.asString() + "x");
      } else if (value.isIntegralNumber()) {
        json.put(field, value.asLong() + 1);
      } else {
        json.put(field, value.asDouble() + 1);
      }
      assertThat(Certificate.parse(json.toString()).check(set, sample.latent())).isNotEmpty();
    }
  }

  @Test
  void a_lower_bound_that_is_too_high_by_a_hair_is_noticed() throws Exception {
    try (ProtectedSet set = set("set", VALUES)) {
      Sample sample = sample(set);
      ObjectNode json = tree(sample);
      // Stored as float16, the nearest latent may lie nearer than the distance to what is stored.
      json.put("nearestLower", json.get("nearestDistance").asDouble());
      assertThat(Certificate.parse(json.toString()).check(set, sample.latent())).isNotEmpty();
    }
  }

  @Test
  void another_latent_or_another_set_is_noticed() throws Exception {
    float[] others = Plain.gaussian(new SplittableRandom(2), 100, DIM);
    try (ProtectedSet set = set("set", VALUES);
        ProtectedSet other = set("other", others);
        ProtectedSet narrow =
            TestSets.build(folder.resolve("narrow"), new float[9], 3, Precision.FLOAT32)) {
      Sample sample = sample(set);
      Certificate certificate = sample.certificate().orElseThrow();
      float[] nudged = sample.latent().clone();
      nudged[3] = Math.nextUp(nudged[3]);
      for (float[] latent :
          List.of(nudged, new float[DIM], new float[DIM - 1], new float[DIM + 1])) {
        assertThat(certificate.check(set, latent)).isNotEmpty();
      }
      assertThat(certificate.check(other, sample.latent())).isNotEmpty();
      assertThat(certificate.check(narrow, sample.latent())).isNotEmpty();
    }
  }

  @Test
  void a_text_that_lacks_or_adds_a_field_is_no_certificate() throws Exception {
    try (ProtectedSet set = set("set", VALUES)) {
      ObjectNode whole = tree(sample(set));
      for (String field : whole.propertyNames()) {
        if (field.equals("file") || field.equals("measured")) {
          continue; // nothing claimed of a file, nothing measured
        }
        ObjectNode part = whole.deepCopy();
        part.remove(field);
        assertNone(part.toString());
        part.putNull(field);
        assertNone(part.toString());
      }
      assertNone(whole.deepCopy().put("likeness", 0).toString());
      assertNone("");
      assertNone("{}");
      assertNone("null");
    }
  }

  private static void assertNone(String json) {
    assertThatIllegalArgumentException()
        .as(json)
        .isThrownBy(() -> Certificate.parse(json))
        .withMessageStartingWith("no certificate: ");
  }

  private static ObjectNode tree(Sample sample) {
    return (ObjectNode) MAPPER.readTree(sample.certificate().orElseThrow().toJson());
  }
}
