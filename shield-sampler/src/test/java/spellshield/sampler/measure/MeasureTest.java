package spellshield.sampler.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

class MeasureTest {

  @Test
  void measures_equal_the_reference_values() {
    Path file =
        List.of(Path.of("../../shared"), Path.of("../shared")).stream()
            .map(shared -> shared.resolve("fixtures/metrics.json"))
            .filter(Files::exists)
            .findFirst()
            .orElse(Path.of(""));
    assumeTrue(!file.toString().isEmpty(), "the reference values, shared/fixtures, are absent");
    JsonNode root = new ObjectMapper().readTree(file.toFile());
    for (JsonNode example : root.get("cases")) {
      for (String set : List.of("real", "fake")) {
        Latents rows = rows(example.get(set));
        JsonNode values = example.get("values");
        double sigma = example.get("sigma").asDouble();
        String name = example.get("name").asString() + ", " + set;
        requireClose(name, Vendi.cosine(rows), values.get("vendi_cosine_1_" + set));
        requireClose(name, Vendi.rbf(rows, sigma), values.get("vendi_rbf_1_" + set));
        requireClose(
            name, Pairwise.meanDistance(rows), values.get("mean_pairwise_distance_" + set));
      }
    }
  }

  private static void requireClose(String name, double measured, JsonNode expected) {
    // The reference has float64 rows of six decimals; as float32 each is off by 2⁻²⁴ of itself.
    double value = expected.asDouble();
    assertThat(measured).as(name).isCloseTo(value, within(1e-6 * Math.max(1, value)));
  }

  private static Latents rows(JsonNode matrix) {
    int dim = matrix.get(0).size();
    float[] values = new float[matrix.size() * dim];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) matrix.get(i / dim).get(i % dim).asDouble();
    }
    return new Latents(values, matrix.size(), dim);
  }

  @Test
  void equal_rows_count_as_one() {
    Seeds.check(
        20,
        random -> {
          float[] row = new Noise(random.nextLong()).draw(0, 5).values();
          int n = random.nextInt(1, 9);
          Latents rows = Latents.zeros(n, 5);
          for (int i = 0; i < n; i++) {
            System.arraycopy(row, 0, rows.values(), i * 5, 5);
          }
          assertThat(Vendi.cosine(rows)).isCloseTo(1, within(1e-9));
          assertThat(Vendi.rbf(rows, 2)).isCloseTo(1, within(1e-9));
        });
  }

  @Test
  void rows_that_share_nothing_count_as_many() {
    Latents rows = Latents.zeros(6, 6);
    for (int i = 0; i < 6; i++) {
      rows.values()[i * 7] = 1000 * (i + 1);
    }
    assertThat(Vendi.cosine(rows)).isCloseTo(6, within(1e-9));
    assertThat(Vendi.rbf(rows, 1)).isCloseTo(6, within(1e-9));
  }

  @Test
  void the_mean_distance_is_over_unordered_pairs() {
    Latents rows = new Latents(new float[] {0, 0, 3, 4, 0, 8}, 3, 2);
    assertThat(Pairwise.meanDistance(rows)).isCloseTo((5 + 8 + 5) / 3.0, within(1e-12));
  }

  @Test
  void sets_without_a_meaning_are_refused() {
    Latents one = new Latents(new float[] {1, 2}, 1, 2);
    List<Runnable> impossible =
        List.of(
            () -> Vendi.cosine(Latents.zeros(0, 2)),
            () -> Vendi.cosine(Latents.zeros(2, 2)),
            () -> Vendi.cosine(new Latents(new float[] {1, Float.NaN}, 1, 2)),
            () -> Vendi.rbf(new Latents(new float[] {1, Float.NaN}, 2, 1), 1),
            () -> Vendi.rbf(one, Double.NaN),
            () -> Vendi.rbf(one, 0),
            () -> Pairwise.meanDistance(one));
    for (Runnable call : impossible) {
      assertThatIllegalArgumentException().isThrownBy(call::run);
    }
  }
}
