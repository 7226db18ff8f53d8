package spellshield.sampler.guidance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Condition;
import spellshield.sampler.Condition.Embedding;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;

class CadsTest {
  private static final int TOKENS = 5;
  private static final int WIDTH = 33;

  private static Embedding embedding(SplittableRandom random, String text) {
    double mean = random.nextDouble(-3, 3);
    double spread = random.nextDouble(0.1, 4);
    float[] tokens = new float[TOKENS * WIDTH];
    float[] pooled = new float[WIDTH];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = (float) (mean + spread * random.nextGaussian());
    }
    for (int i = 0; i < pooled.length; i++) {
      pooled[i] = (float) random.nextGaussian();
    }
    return new Embedding(text, tokens, TOKENS, pooled, new float[] {1, 2, 3, 4, 5, 6});
  }

  private static List<Embedding> rows(int count) {
    SplittableRandom random = new SplittableRandom(count);
    List<Embedding> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(embedding(random, "text " + i));
    }
    return rows;
  }

  /// Anneals in some calls, at t = σ, and returns what the network was told in each.
  private static List<Condition> told(
      Cads.Settings settings, Condition condition, long[] seeds, double... sigmas) {
    List<Condition> told = new ArrayList<>();
    Cads cads =
        new Cads(
            (xt, sigma, seen) -> {
              told.add(seen);
              return xt;
            },
            settings,
            sigma -> sigma,
            new Noise(seeds));
    for (double sigma : sigmas) {
      cads.denoise(Latents.zeros(seeds.length, 3), sigma, condition);
    }
    return told;
  }

  private static List<Embedding> texts(Condition condition) {
    return ((Condition.Texts) condition).embeddings();
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "0.5, 1", "0.6, 1", "0.69999999, 0.66666667", "0.75, 0.5", "0.9, 0", "1, 0"})
  void gamma_is_one_up_to_tau1_and_zero_from_tau2(double t, double gamma) {
    assertThat(new Cads.Settings(0.6, 0.9, 0.1, 1).gamma(t)).isCloseTo(gamma, within(1e-7));
  }

  @Test
  void up_to_tau1_the_condition_is_left_alone() {
    Condition condition = new Condition.Texts(rows(2));
    Cads.Settings settings = new Cads.Settings(0.6, 0.9, 1, 1);
    assertThat(told(settings, condition, new long[] {1, 2}, 0.6, 0))
        .allSatisfy(seen -> assertThat(seen).isSameAs(condition));
  }

  @Test
  void the_formula_holds_at_every_mixing() {
    Seeds.check(
        50,
        random -> {
          double t = random.nextDouble(0.3, 1);
          double psi = random.nextDouble();
          double scale = random.nextDouble(0, 2);
          Embedding y = embedding(random, "text");
          long seed = random.nextLong();
          Condition condition = new Condition.Texts(List.of(y));
          Embedding seen = texts(told(psi, scale, condition, seed, t)).getFirst();
          // With mixing 0 the noisy embedding itself is told: the others are made from it.
          Embedding noisy = texts(told(0, scale, condition, seed, t)).getFirst();
          requireMixed(seen.tokens(), y.tokens(), noisy.tokens(), psi);
          requireMixed(seen.pooled(), y.pooled(), noisy.pooled(), psi);
          assertThat(seen.text()).isEqualTo(y.text());
          assertThat(seen.length()).isEqualTo(y.length());
          assertThat(seen.sizes()).isEqualTo(y.sizes());
        });
  }

  private static Condition told(
      double psi, double scale, Condition condition, long seed, double t) {
    Cads.Settings settings = new Cads.Settings(0.2, 0.9, scale, psi);
    return told(settings, condition, new long[] {seed}, t).getFirst();
  }

  private static void requireMixed(float[] seen, float[] y, float[] noisy, double psi) {
    double stretch = std(y) / std(noisy);
    for (int i = 0; i < seen.length; i++) {
      double rescaled = (noisy[i] - mean(noisy)) * stretch + mean(y);
      double expected = psi * rescaled + (1 - psi) * noisy[i];
      // The noisy values here are rounded to float32; the code's are not yet.
      double rounding = 0x1p-20 * (1 + stretch) * (Math.abs(expected) + std(y) + std(noisy) + 1);
      assertThat((double) seen[i]).isCloseTo(expected, within(rounding));
    }
  }

  private static double mean(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  private static double std(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += Math.pow(value - mean(values), 2);
    }
    return Math.sqrt(sum / values.length);
  }

  @Test
  void mixing_one_restores_mean_and_deviation() {
    for (double t : new double[] {0.7, 0.95}) {
      List<Embedding> before = rows(4);
      Condition seen =
          told(
                  new Cads.Settings(0.6, 0.9, 0.7, 1),
                  new Condition.Texts(before),
                  new long[] {1, 2, 3, 4},
                  t)
              .getFirst();
      for (int row = 0; row < 4; row++) {
        float[] y = before.get(row).tokens();
        float[] annealed = texts(seen).get(row).tokens();
        assertThat(annealed).isNotEqualTo(y);
        assertThat(mean(annealed)).isCloseTo(mean(y), within(1e-5));
        assertThat(std(annealed)).isCloseTo(std(y), within(1e-5));
      }
    }
  }

  @Test
  void from_tau2_on_the_text_is_gone() {
    Cads.Settings settings = new Cads.Settings(0.6, 0.9, 1, 0);
    List<Condition> seen = new ArrayList<>();
    for (Embedding y : rows(2)) {
      seen.addAll(told(settings, new Condition.Texts(List.of(y)), new long[] {9}, 0.9));
    }
    // Two texts, one seed, one call: the same noise is all there is.
    assertThat(texts(seen.get(0)).getFirst().tokens())
        .containsExactly(texts(seen.get(1)).getFirst().tokens());
  }

  @Test
  void the_noise_is_standard_normal_times_the_scale() {
    Cads.Settings settings = new Cads.Settings(0, 0.5, 3, 0);
    long[] seeds = {1, 2, 3, 4, 5, 6, 7, 8};
    List<Embedding> seen =
        texts(told(settings, new Condition.Texts(rows(8)), seeds, 1.0).getFirst());
    double sum = 0;
    double squares = 0;
    int count = 8 * TOKENS * WIDTH;
    for (Embedding row : seen) {
      for (float value : row.tokens()) {
        sum += value / 3;
        squares += Math.pow(value / 3, 2);
      }
    }
    // 1,320 fixed draws; 4 standard deviations of the mean and of the variance, p = 1e-4.
    assertThat(sum / count).isCloseTo(0, within(4 / Math.sqrt(count)));
    assertThat(squares / count).isCloseTo(1, within(4 * Math.sqrt(2.0 / count)));
  }

  @Test
  void noise_belongs_to_seed_and_call_and_not_to_the_batch() {
    Cads.Settings settings = new Cads.Settings(0.2, 0.9, 0.5, 0.7);
    List<Embedding> three = rows(3);
    List<Condition> together =
        told(settings, new Condition.Texts(three), new long[] {5, 6, 7}, 0.8, 0.5, 0.5);
    List<Condition> alone =
        told(settings, new Condition.Texts(List.of(three.get(2))), new long[] {7}, 0.8, 0.5, 0.5);
    for (int call = 0; call < 3; call++) {
      assertThat(texts(alone.get(call)).getFirst().tokens())
          .containsExactly(texts(together.get(call)).get(2).tokens());
    }
    assertThat(texts(alone.get(1)).getFirst().tokens())
        .as("the next call at the same level")
        .isNotEqualTo(texts(alone.get(2)).getFirst().tokens());
  }

  @Test
  void the_negative_condition_is_left_alone() {
    Condition negative = new Condition.Texts(rows(2));
    Condition positive = new Condition.Texts(rows(2));
    Condition seen =
        told(
                new Cads.Settings(0.2, 0.9, 0.5, 1),
                new Condition.Guided(positive, negative),
                new long[] {1, 2},
                0.8)
            .getFirst();
    Condition.Guided guided = (Condition.Guided) seen;
    assertThat(guided.negative()).isSameAs(negative);
    assertThat(texts(guided.positive()).getFirst().tokens())
        .isNotEqualTo(texts(positive).getFirst().tokens());
  }

  @Test
  void a_constant_embedding_without_noise_stays_what_it_is() {
    float[] ones = {1, 1, 1, 1};
    Embedding y = new Embedding("", ones, 2, new float[0], new float[0]);
    Condition seen =
        told(new Cads.Settings(0, 1, 0, 1), new Condition.Texts(List.of(y)), new long[] {1}, 0.5)
            .getFirst();
    assertThat(texts(seen).getFirst().tokens()).containsExactly(ones);
  }

  @Test
  void labels_cannot_be_annealed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            told(new Cads.Settings(0.2, 0.9, 0.5, 1), new Condition.Labels(1), new long[] {1}, 0.8))
        .withMessageContaining("CADS needs the embedding of a text");
  }

  @ParameterizedTest
  @CsvSource({
    "0.9, 0.6, 0.1, 1", "-0.1, 0.6, 0.1, 1", "0.5, 0.5, 0.1, 1", "0.5, 1.1, 0.1, 1",
    "0.5, 0.6, -1, 1", "0.5, 0.6, NaN, 1", "0.5, 0.6, 0.1, 1.1", "NaN, 0.6, 0.1, 1"
  })
  void settings_that_make_no_sense_are_refused(double tau1, double tau2, double s, double psi) {
    assertThatIllegalArgumentException().isThrownBy(() -> new Cads.Settings(tau1, tau2, s, psi));
  }
}
