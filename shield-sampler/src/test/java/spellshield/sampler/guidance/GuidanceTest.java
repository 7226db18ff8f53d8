package spellshield.sampler.guidance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;
import spellshield.sampler.scheduler.Network;

class GuidanceTest {
  private static final int DIM = 7;

  private static Latents drawn(SplittableRandom random, int batch) {
    float[] values = new float[batch * DIM];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return new Latents(values, batch, DIM);
  }

  private static float answer(float x, int label) {
    return (float) Math.sin(3 * x + label);
  }

  /// A network that every row can be computed of: `sin(3x + label)`.
  private static Latents sine(Latents input, double timestep, Condition condition) {
    int[] labels = ((Condition.Labels) condition).labels();
    assertThat(labels).hasSize(input.batch());
    float[] values = input.values().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] = answer(values[i], labels[i / DIM]);
    }
    return input.with(values);
  }

  private static Condition.Guided guided(int batch) {
    int[] positive = new int[batch];
    int[] negative = new int[batch];
    Arrays.setAll(positive, i -> i + 1);
    Arrays.setAll(negative, i -> -i);
    return new Condition.Guided(new Condition.Labels(positive), new Condition.Labels(negative));
  }

  @ParameterizedTest
  @ValueSource(doubles = {-1.5, 0, 0.25, 1, 1.000001, 7.5})
  void combined_is_negative_and_w_times_the_difference(double w) {
    Seeds.check(
        50,
        random -> {
          int batch = 1 + random.nextInt(5);
          Latents input = drawn(random, batch);
          float[] combined =
              new ClassifierFreeGuidance(GuidanceTest::sine, w)
                  .predict(input, 0.5, guided(batch))
                  .values();
          for (int i = 0; i < combined.length; i++) {
            double positive = answer(input.values()[i], i / DIM + 1);
            double negative = answer(input.values()[i], -(i / DIM));
            assertThat(combined[i]).isEqualTo((float) (negative + w * (positive - negative)));
          }
        });
  }

  @Test
  void scale_one_asks_for_the_positive_half_alone() {
    List<Integer> batches = new ArrayList<>();
    Network watched =
        (input, timestep, condition) -> {
          batches.add(input.batch());
          return sine(input, timestep, condition);
        };
    Latents input = drawn(new SplittableRandom(1), 3);
    new ClassifierFreeGuidance(watched, 1).predict(input, 0.5, guided(3));
    new ClassifierFreeGuidance(watched, 0).predict(input, 0.5, guided(3));
    assertThat(batches).containsExactly(3, 6);
  }

  @Test
  void what_is_not_guided_passes_through() {
    Latents input = drawn(new SplittableRandom(2), 2);
    Condition labels = new Condition.Labels(4, 5);
    assertThat(new ClassifierFreeGuidance(GuidanceTest::sine, 7).predict(input, 1, labels).values())
        .containsExactly(sine(input, 1, labels).values());
  }

  @ParameterizedTest
  @CsvSource({
    "0.999, false",
    "1, false",
    "1.001, true",
    "3, true",
    "5, true",
    "5.001, false",
    "80, false"
  })
  void the_interval_is_open_below_and_closed_above(double sigma, boolean inside) {
    List<String> asked = new ArrayList<>();
    Denoiser guided = (xt, level, condition) -> asked(asked, "guided", xt, condition);
    Denoiser plain = (xt, level, condition) -> asked(asked, "plain", xt, condition);
    new IntervalGuidance(guided, plain, 1, 5)
        .denoise(drawn(new SplittableRandom(3), 2), sigma, guided(2));
    assertThat(asked).containsExactly(inside ? "guided Guided" : "plain Labels");
  }

  private static Latents asked(List<String> asked, String who, Latents xt, Condition condition) {
    asked.add(who + " " + condition.getClass().getSimpleName());
    return xt;
  }

  @Test
  void an_interval_may_begin_at_zero_and_never_end() {
    List<String> asked = new ArrayList<>();
    Denoiser guided = (xt, level, condition) -> asked(asked, "guided", xt, condition);
    IntervalGuidance always = new IntervalGuidance(guided, guided, 0, Double.POSITIVE_INFINITY);
    always.denoise(drawn(new SplittableRandom(4), 1), 1e-9, guided(1));
    always.denoise(drawn(new SplittableRandom(4), 1), 1e9, guided(1));
    assertThat(asked).containsExactly("guided Guided", "guided Guided");
  }

  @Test
  void scales_and_intervals_that_make_no_sense_are_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ClassifierFreeGuidance(GuidanceTest::sine, Double.NaN))
        .withMessage("guidanceScale must be finite, but was NaN");
    Denoiser same = (xt, sigma, condition) -> xt;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new IntervalGuidance(same, same, 2, 2))
        .withMessage("need 0 ≤ sigmaLow < sigmaHigh, but sigmaLow=2.0, sigmaHigh=2.0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new IntervalGuidance(same, same, Double.NaN, 2));
  }

  @Test
  void conditions_of_two_kinds_are_not_guided() {
    Condition.Guided mixed =
        new Condition.Guided(new Condition.Labels(1), new Condition.Texts(List.of()));
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            new ClassifierFreeGuidance(GuidanceTest::sine, 2)
                .predict(drawn(new SplittableRandom(5), 1), 1, mixed))
        .withMessage(
            "guidance needs two conditions of labels or two of texts, but got Texts and Labels");
  }
}
