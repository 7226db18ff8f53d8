package spellshield.sampler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// How fast the deterministic samplers approach a path that is known in closed form.
class ConvergenceTest {
  private static final GaussianDenoiser GAUSSIAN =
      new GaussianDenoiser(new double[] {0, 1, -2, 0.5}, new double[] {0.3, 0.7, 1.5, 3});

  private static final List<NoiseSchedule> SCHEDULES =
      List.of(
          new NoiseSchedule.Karras(0.1, 10, 7),
          new NoiseSchedule.Karras(0.1, 10, 3),
          new NoiseSchedule.Exponential(0.1, 10),
          new NoiseSchedule.Vp(6, 0.1, 0.1),
          new NoiseSchedule.Flow(1, 0.1, 0.9),
          new NoiseSchedule.Flow(2, 0.1, 0.9));

  @Test
  void euler_and_ddim_converge_with_order_one() {
    for (NoiseSchedule schedule : SCHEDULES) {
      assertThat(order(new Euler(), schedule)).as("%s", schedule).isBetween(0.8, 1.2);
      assertThat(order(new Ddim(0), schedule)).as("%s", schedule).isBetween(0.8, 1.2);
    }
  }

  @Test
  void heun_converges_with_order_two() {
    for (NoiseSchedule schedule : SCHEDULES) {
      assertThat(order(Heun.deterministic(), schedule)).as("%s", schedule).isBetween(1.7, 2.4);
    }
  }

  @Test
  void flow_heun_converges_with_order_two() {
    for (NoiseSchedule schedule : SCHEDULES) {
      assertThat(order(new FlowHeun(), schedule)).as("%s", schedule).isBetween(1.7, 2.4);
    }
  }

  @Test
  void dpm_solver_2m_converges_with_order_two() {
    for (NoiseSchedule schedule : SCHEDULES) {
      assertThat(order(new DpmSolver2M(), schedule)).as("%s", schedule).isBetween(1.7, 2.4);
    }
  }

  /// Fits the slope of log error against log steps over 8, 16, … 128 steps.
  private static double order(Sampler sampler, NoiseSchedule schedule) {
    int n = 5;
    double[] error = new double[n];
    double meanLog = 0;
    for (int i = 0; i < n; i++) {
      error[i] = Math.log(error(sampler, schedule, 8 << i)) / Math.log(2);
      meanLog += error[i] / n;
    }
    double slope = 0;
    for (int i = 0; i < n; i++) {
      slope += (i - 2) * (error[i] - meanLog) / 10; // Σ (i − 2)² = 10
    }
    return -slope;
  }

  /// The root mean square error of x_t at the lowest level above 0.
  ///
  /// The step from there to σ = 0 returns x̂0 and has, by design, an error that no number of steps
  /// removes: the state before it is what can converge, and is what the last call is asked about.
  private static double error(Sampler sampler, NoiseSchedule schedule, int steps) {
    double[] sigmas = schedule.sigmas(steps + 1);
    Noise noise = new Noise(1, 2, 3, 4, 5, 6, 7, 8);
    Latents start = noise.draw(0, 4);
    for (int i = 0; i < start.values().length; i++) {
      start.values()[i] *= (float) sigmas[0];
    }
    List<Latents> states = new ArrayList<>();
    Denoiser recording =
        (xt, sigma, condition) -> {
          states.add(xt.copy());
          return GAUSSIAN.denoise(xt, sigma, condition);
        };
    sampler.sample(recording, sigmas, start, noise, Condition.NONE);
    double sum = 0;
    for (int i = 0; i < start.values().length; i++) {
      double exact = GAUSSIAN.path(start.values()[i], i % 4, sigmas[0], sigmas[steps]);
      double difference = states.getLast().values()[i] - exact;
      sum += difference * difference;
    }
    return Math.sqrt(sum / start.values().length);
  }
}
