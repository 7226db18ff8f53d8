package spellshield.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class ProportionTest {

  /// Returns `P(Bin(n, p) ≥ k)`, the terms in float64.
  private static double atLeast(int k, int n, double p) {
    double tail = 0;
    for (int i = k; i <= n; i++) {
      double log = i * Math.log(p) + (n - i) * Math.log1p(-p);
      for (int j = 1; j <= i; j++) {
        log += Math.log(n - i + j) - Math.log(j);
      }
      tail += Math.exp(log);
    }
    return tail;
  }

  /// Returns the p at which a growing tail is 0.025.
  private static double bisect(DoubleUnaryOperator tail) {
    double low = 0;
    double high = 1;
    for (int i = 0; i < 60; i++) {
      double middle = (low + high) / 2;
      if (tail.applyAsDouble(middle) < 0.025) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Test
  void the_bounds_are_those_of_the_binomial_tails() {
    Seeds.check(
        60,
        random -> {
          int n = random.nextInt(1, 200);
          int k = random.nextInt(n + 1);
          Proportion proportion = new Proportion(k, n);
          double lower = k == 0 ? 0 : bisect(p -> atLeast(k, n, p));
          // P(Bin(n, p) ≤ k) = P(Bin(n, 1 − p) ≥ n − k)
          double upper = k == n ? 1 : 1 - bisect(q -> atLeast(n - k, n, q));
          // The solver behind the beta distribution stops at 1e-9.
          assertThat(proportion.lower()).isCloseTo(lower, within(1e-8));
          assertThat(proportion.upper()).isCloseTo(upper, within(1e-8));
          assertThat(proportion.lower()).isLessThanOrEqualTo(proportion.share());
          assertThat(proportion.upper()).isGreaterThanOrEqualTo(proportion.share());
        });
  }

  @Test
  void so_many_trials_show_a_share_and_one_less_does_not() {
    for (double share : new double[] {0.5, 0.9, 0.95, 0.99, 0.999}) {
      long enough = Proportion.trialsToShow(share);
      assertThat(new Proportion(enough, enough).lower()).isGreaterThanOrEqualTo(share);
      assertThat(new Proportion(enough - 1, enough - 1).lower()).isLessThan(share);
    }
    assertThat(Proportion.trialsToShow(0.99)).isEqualTo(368);
  }

  @Test
  void it_reads_in_percent_and_refuses_what_cannot_be() {
    assertThat(new Proportion(497, 500)).hasToString("99.4 % (98.3–99.9)");
    assertThatIllegalArgumentException().isThrownBy(() -> new Proportion(2, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Proportion(0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Proportion(-1, 3));
  }
}
