package spellshield.sampler.shield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import spellshield.index.search.ExactScan;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.LatentReader;

class ShieldTest {
  private static final double[] NOT_POSITIVE_AND_FINITE = {
    0, -1, Double.NaN, Double.POSITIVE_INFINITY
  };

  private final LatentReader latents = LatentReader.of(new float[] {1, 2}, 2);
  private final ExactScan search =
      new ExactScan(SketchTable.of(Sketcher.fit(latents, 1, 4), latents), latents);

  @Test
  void a_radius_that_is_not_positive_and_finite_is_refused() {
    History history = new History(2);
    for (double radius : NOT_POSITIVE_AND_FINITE) {
      String message = "radius must be positive and finite, but was " + radius;
      assertRefused(() -> Shield.builder().intraBatch(radius), message);
      assertRefused(() -> Shield.builder().history(history, radius), message);
      assertRefused(() -> Shield.builder().protecting(search, latents, radius, 1), message);
    }
  }

  @Test
  void the_short_form_blames_the_radius_and_not_the_skin() {
    for (double radius : NOT_POSITIVE_AND_FINITE) {
      assertRefused(
          () -> Shield.builder().protecting(search, latents, radius),
          "radius must be positive and finite, but was " + radius);
    }
  }

  @Test
  void a_skin_that_is_negative_or_not_finite_is_refused() {
    for (double skin : new double[] {-1e-9, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertRefused(
          () -> Shield.builder().protecting(search, latents, 1, skin),
          "skin must be finite and not negative, but was " + skin);
    }
  }

  @Test
  void an_overcompensation_that_is_not_positive_and_finite_is_refused() {
    for (double overcompensation : NOT_POSITIVE_AND_FINITE) {
      assertRefused(
          () -> Shield.builder().overcompensation(overcompensation),
          "overcompensation must be positive and finite, but was " + overcompensation);
    }
  }

  @Test
  void a_window_that_is_no_interval_is_refused() {
    for (double[] window : new double[][] {{-1, 1}, {2, 1}, {Double.NaN, 1}, {0, Double.NaN}}) {
      assertRefused(
          () -> Shield.builder().window(window[0], window[1]),
          "need 0 <= sigmaLow <= sigmaHigh, but sigmaLow=%s, sigmaHigh=%s"
              .formatted(window[0], window[1]));
    }
  }

  @Test
  void a_number_of_balls_below_one_is_refused() {
    assertRefused(() -> Shield.builder().mostBalls(0), "mostBalls must be at least 1, but was 0");
  }

  @Test
  void a_shield_without_sources_has_none() {
    Shield shield = Shield.builder().build();
    assertThat(shield.protectedSet()).isEmpty();
    assertThat(shield.history()).isEmpty();
    assertThat(shield.batchRadius()).isZero();
    assertThat(shield.overcompensation()).isEqualTo(1.6);
  }

  private static void assertRefused(ThrowingCallable call, String message) {
    assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessage(message);
  }
}
