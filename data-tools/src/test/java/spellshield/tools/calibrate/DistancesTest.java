package spellshield.tools.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import spellshield.index.Proportion;
import spellshield.index.testing.Seeds;

class DistancesTest {
  @Test
  void a_quantile_is_the_least_distance_that_enough_do_not_exceed() {
    Seeds.check(
        300,
        random -> {
          int count = new int[] {1, 2, 7, 63, 100, 500}[random.nextInt(6)];
          double[] values = random.doubles(count, 0, 5).map(v -> Math.rint(v * 20) / 20).toArray();
          int percent = random.nextInt(1, 101);
          double expected =
              Arrays.stream(values)
                  .filter(v -> 100L * below(values, v) >= (long) percent * count)
                  .min()
                  .orElseThrow();
          assertThat(Distances.of(values).quantile(percent / 100.0)).isEqualTo(expected);
        });
  }

  @Test
  void within_counts_what_does_not_exceed_the_radius() {
    Seeds.check(
        100,
        random -> {
          double[] values = random.doubles(random.nextInt(1, 80), 0, 5).map(Math::rint).toArray();
          double radius = random.nextInt(6);
          assertThat(Distances.of(values).within(radius))
              .isEqualTo(new Proportion(below(values, radius), values.length));
        });
  }

  private static long below(double[] values, double most) {
    return Arrays.stream(values).filter(v -> v <= most).count();
  }

  @Test
  void no_distances_negative_ones_and_nan_are_refused() {
    assertThatIllegalArgumentException().isThrownBy(Distances::of);
    assertThatIllegalArgumentException().isThrownBy(() -> Distances.of(1, -1));
    assertThatIllegalArgumentException().isThrownBy(() -> Distances.of(1, Double.NaN));
    assertThatIllegalArgumentException().isThrownBy(() -> Distances.of(1).quantile(0));
  }
}
