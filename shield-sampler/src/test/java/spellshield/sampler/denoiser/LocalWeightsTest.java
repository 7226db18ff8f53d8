package spellshield.sampler.denoiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class LocalWeightsTest {

  @Test
  void weights_are_within_a_millionth_of_the_exponential() {
    Seeds.check(
        2000,
        random -> {
          double y = random.nextDouble(random.nextBoolean() ? 1 : 30);
          assertThat(LocalWeights.weight(y))
              .as("y=%s", y)
              .isCloseTo(Math.exp(-y), within(1e-6 * Math.exp(-y) + 1e-12));
        });
  }

  @Test
  void the_tail_is_exactly_zero() {
    for (double y : new double[] {28, 28.0001, 50, 1e3, 1e300, Double.POSITIVE_INFINITY}) {
      assertThat(LocalWeights.weight(y)).isEqualTo(0.0);
    }
    assertThat(LocalWeights.weight(27.99)).isGreaterThan(0);
  }
}
