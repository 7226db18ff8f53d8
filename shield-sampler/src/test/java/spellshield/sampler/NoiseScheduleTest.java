package spellshield.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class NoiseScheduleTest {

  @Test
  void levels_decrease_strictly_down_to_exactly_zero() {
    Seeds.check(
        200,
        random -> {
          int steps = random.nextInt(1, 200);
          for (NoiseSchedule schedule : drawn(random)) {
            double[] sigmas = schedule.sigmas(steps);
            assertThat(sigmas).hasSize(steps + 1);
            assertThat(sigmas[steps]).isEqualTo(0.0);
            for (int i = 0; i < steps; i++) {
              assertThat(sigmas[i]).as("%s, level %d", schedule, i).isGreaterThan(sigmas[i + 1]);
            }
          }
        });
  }

  @Test
  void karras_goes_from_the_highest_level_to_the_lowest() {
    double[] sigmas = NoiseSchedule.Karras.edm().sigmas(18);
    assertThat(sigmas[0]).isCloseTo(80, within(1e-11));
    // Equation 5 at i = 1 of 18 by hand: (80^(1/7) + (0.002^(1/7) − 80^(1/7))/17)^7
    assertThat(sigmas[1]).isCloseTo(57.5860, within(1e-3));
    assertThat(sigmas[17]).isCloseTo(0.002, within(1e-14));
  }

  @Test
  void exponential_levels_have_a_constant_ratio() {
    double[] sigmas = new NoiseSchedule.Exponential(0.1, 100).sigmas(4);
    assertThat(sigmas).containsExactly(new double[] {100, 10, 1, 0.1, 0}, within(1e-12));
  }

  @Test
  void vp_levels_are_the_noise_to_signal_ratio_of_the_integrated_beta() {
    Seeds.check(
        50,
        random -> {
          NoiseSchedule.Vp vp = NoiseSchedule.Vp.standard();
          double u = random.nextDouble();
          double t = 1 + u * (1e-3 - 1);
          int cells = 10_000; // the midpoint rule is exact for a linear β
          double integral = 0;
          for (int i = 0; i < cells; i++) {
            integral += (0.1 + 19.9 * t * (i + 0.5) / cells) * t / cells;
          }
          double alpha = Math.exp(-0.5 * integral);
          double sigma = Math.sqrt(1 - alpha * alpha) / alpha;
          assertThat(vp.sigma(u)).isCloseTo(sigma, within(1e-9 * sigma));
          assertThat(vp.alpha(sigma)).isCloseTo(alpha, within(1e-12));
        });
  }

  @Test
  void flow_levels_are_the_noise_to_signal_ratio_of_the_shifted_time() {
    Seeds.check(
        200,
        random -> {
          double shift = random.nextDouble(0.2, 8);
          NoiseSchedule.Flow flow = NoiseSchedule.Flow.of(shift);
          double u = random.nextDouble();
          double tau = 0.999 + u * (0.001 - 0.999);
          double t = shift * tau / (1 + (shift - 1) * tau);
          double sigma = flow.sigma(u);
          assertThat(sigma).isCloseTo(t / (1 - t), within(1e-9 * sigma));
          assertThat(flow.alpha(sigma)).isCloseTo(1 - t, within(1e-12));
        });
  }

  @Test
  void networks_of_exploding_variance_see_the_latents_as_they_are() {
    assertThat(NoiseSchedule.Karras.edm().alpha(80)).isEqualTo(1);
    assertThat(new NoiseSchedule.Exponential(1, 2).alpha(1.5)).isEqualTo(1);
  }

  @Test
  void impossible_schedules_are_refused() {
    double nan = Double.NaN;
    List<Runnable> impossible =
        List.of(
            () -> new NoiseSchedule.Karras(0, 80, 7),
            () -> new NoiseSchedule.Karras(1, 1, 7),
            () -> new NoiseSchedule.Karras(nan, 80, 7),
            () -> new NoiseSchedule.Karras(1, Double.POSITIVE_INFINITY, 7),
            () -> new NoiseSchedule.Karras(1, 2, nan),
            () -> new NoiseSchedule.Karras(1, 2, 0),
            () -> new NoiseSchedule.Exponential(2, 1),
            () -> new NoiseSchedule.Exponential(1, nan),
            () -> new NoiseSchedule.Vp(0, 0.1, 1e-3),
            () -> new NoiseSchedule.Vp(19.9, -1, 1e-3),
            () -> new NoiseSchedule.Vp(19.9, nan, 1e-3),
            () -> new NoiseSchedule.Vp(1500, 0.1, 1e-3),
            () -> new NoiseSchedule.Vp(19.9, 0.1, 1),
            () -> new NoiseSchedule.Vp(19.9, 0.1, nan),
            () -> new NoiseSchedule.Flow(0, 0.001, 0.999),
            () -> new NoiseSchedule.Flow(nan, 0.001, 0.999),
            () -> new NoiseSchedule.Flow(1, 0, 0.999),
            () -> new NoiseSchedule.Flow(1, 0.001, 1),
            () -> new NoiseSchedule.Flow(1, nan, 0.9),
            () -> NoiseSchedule.Karras.edm().sigmas(0));
    for (Runnable construction : impossible) {
      assertThatIllegalArgumentException().isThrownBy(construction::run);
    }
  }

  private static List<NoiseSchedule> drawn(SplittableRandom random) {
    double low = random.nextDouble(1e-3, 1);
    return List.of(
        new NoiseSchedule.Karras(low, low * random.nextDouble(1.1, 1e5), random.nextDouble(1, 9)),
        new NoiseSchedule.Exponential(low, low * random.nextDouble(1.1, 1e5)),
        new NoiseSchedule.Vp(random.nextDouble(0.1, 30), random.nextDouble(0, 2), 1e-3),
        NoiseSchedule.Flow.of(random.nextDouble(0.1, 10)));
  }
}
