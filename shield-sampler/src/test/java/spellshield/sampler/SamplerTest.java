package spellshield.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class SamplerTest {
  private static final List<Sampler> ALL =
      List.of(
          new Euler(),
          Heun.deterministic(),
          new Heun(40, 0.05, 50, 1.003),
          new Ancestral(1),
          new Ancestral(0.3),
          new Ddim(0),
          new Ddim(1),
          new FlowHeun(),
          new DpmSolver2M(),
          new DpmSolver2M(1, true),
          new DpmSolver2M(0.5, false));

  /// Treats rows alone, but mixes the dimensions of a row and is not linear.
  private static final Denoiser ROW_WISE =
      (xt, sigma, condition) -> {
        Latents x0hat = xt.copy();
        int dim = xt.dim();
        for (int i = 0; i < x0hat.values().length; i++) {
          float neighbour = xt.values()[i / dim * dim + (i + 1) % dim];
          x0hat.values()[i] = (float) Math.sin(xt.values()[i] / (1 + sigma) + 0.3 * neighbour);
        }
        return x0hat;
      };

  @Test
  void a_row_does_not_depend_on_its_batch() {
    Seeds.check(
        20,
        random -> {
          double[] sigmas = NoiseSchedule.Karras.edm().sigmas(random.nextInt(1, 12));
          long[] seeds = random.longs(7).toArray();
          int[] order = {3, 0, 6, 2, 5, 1, 4};
          long[] permuted = new long[7];
          for (int i = 0; i < 7; i++) {
            permuted[i] = seeds[order[i]];
          }
          for (Sampler sampler : ALL) {
            Latents together = run(sampler, ROW_WISE, sigmas, seeds, 3, 2, 2);
            Latents mixed = run(sampler, ROW_WISE, sigmas, permuted, 3, 2, 2);
            for (int i = 0; i < 7; i++) {
              float[] alone =
                  run(sampler, ROW_WISE, sigmas, new long[] {seeds[order[i]]}, 3, 2, 2).values();
              assertThat(mixed.row(i)).as("%s", sampler).isEqualTo(alone);
              assertThat(together.row(order[i])).as("%s", sampler).isEqualTo(alone);
            }
          }
        });
  }

  @Test
  void the_answer_is_the_last_prediction_bit_for_bit() {
    Seeds.check(
        20,
        random -> {
          double[] sigmas = NoiseSchedule.Flow.of(3).sigmas(random.nextInt(1, 9));
          for (Sampler sampler : ALL) {
            List<Latents> answers = new ArrayList<>();
            Denoiser recording =
                (xt, sigma, condition) -> {
                  Latents x0hat = ROW_WISE.denoise(xt, sigma, condition);
                  x0hat.values()[0] = -0f; // a zero's sign is a bit too
                  answers.add(x0hat.copy());
                  return x0hat;
                };
            Latents out = run(sampler, recording, sigmas, random.longs(2).toArray(), 5);
            // isEqualTo tells −0 from 0
            assertThat(out.values()).as("%s", sampler).isEqualTo(answers.getLast().values());
          }
        });
  }

  @Test
  void the_start_is_not_changed() {
    for (Sampler sampler : ALL) {
      double[] sigmas = NoiseSchedule.Karras.edm().sigmas(4);
      Noise noise = new Noise(1, 2);
      Latents start = noise.draw(0, 3);
      Latents before = start.copy();
      sampler.sample(ROW_WISE, sigmas, start, noise, Condition.NONE);
      assertThat(start.values()).isEqualTo(before.values());
    }
  }

  @Test
  void the_denoiser_sees_the_levels_and_the_condition() {
    double[] sigmas = {10, 3, 1, 0};
    Condition.Labels labels = new Condition.Labels(5);
    for (Sampler sampler : ALL) {
      List<Double> seen = new ArrayList<>();
      Denoiser recording =
          (xt, sigma, condition) -> {
            assertThat(condition).isSameAs(labels);
            seen.add(sigma);
            return ROW_WISE.denoise(xt, sigma, condition);
          };
      Noise noise = new Noise(1);
      sampler.sample(recording, sigmas, noise.draw(0, 3), noise, labels);
      double up = 1 + Math.min(40.0 / 3, Math.sqrt(2) - 1);
      List<Double> expected =
          switch (sampler) {
            case Heun heun when heun.churn() > 0 -> List.of(10 * up, 3.0, 3 * up, 1.0, up);
            case Heun heun -> List.of(10.0, 3.0, 3.0, 1.0, 1.0);
            case FlowHeun heun -> List.of(10.0, 3.0, 3.0, 1.0, 1.0);
            default -> List.of(10.0, 3.0, 1.0);
          };
      assertThat(seen).as("%s", sampler).isEqualTo(expected);
    }
  }

  @Test
  void noise_that_is_not_needed_makes_no_difference() {
    double[] sigmas = NoiseSchedule.Karras.edm().sigmas(6);
    Latents start = new Noise(1).draw(0, 4);
    for (Sampler sampler : ALL) {
      float[] one = sampler.sample(ROW_WISE, sigmas, start, new Noise(1), Condition.NONE).values();
      float[] two = sampler.sample(ROW_WISE, sigmas, start, new Noise(2), Condition.NONE).values();
      boolean stochastic =
          switch (sampler) {
            case Euler euler -> false;
            case Heun heun -> heun.churn() > 0;
            case Ancestral ancestral -> ancestral.eta() > 0;
            case Ddim ddim -> ddim.eta() > 0;
            case FlowHeun heun -> false;
            case DpmSolver2M solver -> solver.eta() > 0;
          };
      assertThat(java.util.Arrays.equals(one, two)).as("%s", sampler).isEqualTo(!stochastic);
    }
  }

  @Test
  void ancestral_without_noise_is_euler_bit_for_bit() {
    Seeds.check(
        20,
        random -> {
          double[] sigmas = NoiseSchedule.Vp.standard().sigmas(9);
          long[] seeds = random.longs(3).toArray();
          assertThat(run(new Ancestral(0), ROW_WISE, sigmas, seeds, 4).values())
              .isEqualTo(run(new Euler(), ROW_WISE, sigmas, seeds, 4).values());
        });
  }

  @Test
  void ddim_takes_the_steps_of_its_paper() {
    Seeds.check(
        100,
        random -> {
          double eta = random.nextDouble();
          double[] sigmas = NoiseSchedule.Vp.standard().sigmas(random.nextInt(2, 12));
          Noise noise = new Noise(random.nextLong());
          double[] x0 = {random.nextGaussian(), random.nextGaussian(), 0};
          // Against a constant prediction the paper's steps can be taken in float64 alone.
          Denoiser constant =
              (xt, sigma, condition) ->
                  xt.with(new float[] {(float) x0[0], (float) x0[1], (float) x0[2]});
          List<float[]> states = new ArrayList<>();
          Denoiser recording =
              (xt, sigma, condition) -> {
                states.add(xt.values().clone());
                return constant.denoise(xt, sigma, condition);
              };
          Latents start = noise.draw(0, 3);
          new Ddim(eta).sample(recording, sigmas, start, noise, Condition.NONE);
          for (int i = 0; i + 2 < sigmas.length; i++) {
            double bar = 1 / (1 + sigmas[i] * sigmas[i]); // ᾱ, and the next one
            double barNext = 1 / (1 + sigmas[i + 1] * sigmas[i + 1]);
            double s = eta * Math.sqrt((1 - barNext) / (1 - bar)) * Math.sqrt(1 - bar / barNext);
            float[] fresh = noise.draw(i + 1, 3).values();
            for (int l = 0; l < 3; l++) {
              double y = Math.sqrt(bar) * states.get(i)[l];
              double x0hat = (float) x0[l];
              double epsilon = (y - Math.sqrt(bar) * x0hat) / Math.sqrt(1 - bar);
              double yNext =
                  Math.sqrt(barNext) * x0hat
                      + Math.sqrt(1 - barNext - s * s) * epsilon
                      + s * fresh[l];
              double expected = yNext / Math.sqrt(barNext);
              // The step is rounded to float32 twice, at most at the size of x_t and of its noise.
              double size = Math.abs(states.get(i)[l]) + sigmas[i] * 4 + Math.abs(x0hat);
              assertThat((double) states.get(i + 1)[l]).isCloseTo(expected, within(size * 0x1p-22));
            }
          }
        });
  }

  /// A denoiser that writes down what it is asked and what it answers.
  private static Denoiser recording(List<float[]> states, List<float[]> answers) {
    return (xt, sigma, condition) -> {
      Latents x0hat = ROW_WISE.denoise(xt, sigma, condition);
      states.add(xt.values().clone());
      answers.add(x0hat.values().clone());
      return x0hat;
    };
  }

  @Test
  void dpm_solver_takes_the_steps_of_its_paper() {
    double[] sigmas = {20, 7, 3, 2, 0.5, 0};
    Noise noise = new Noise(3);
    List<float[]> states = new ArrayList<>();
    List<float[]> answers = new ArrayList<>();
    Denoiser recording = recording(states, answers);
    new DpmSolver2M().sample(recording, sigmas, noise.draw(0, 6), noise, Condition.NONE);
    for (int i = 0; i < 4; i++) {
      double h = Math.log(sigmas[i]) - Math.log(sigmas[i + 1]);
      double r =
          i == 0 ? Double.POSITIVE_INFINITY : (Math.log(sigmas[i - 1]) - Math.log(sigmas[i])) / h;
      for (int l = 0; l < 6; l++) {
        double d =
            (1 + 1 / (2 * r)) * answers.get(i)[l]
                - 1 / (2 * r) * answers.get(Math.max(0, i - 1))[l];
        double expected = sigmas[i + 1] / sigmas[i] * states.get(i)[l] - Math.expm1(-h) * d;
        assertThat((double) states.get(i + 1)[l]).isCloseTo(expected, within(1e-6));
      }
    }
  }

  @Test
  void the_stochastic_dpm_solver_takes_the_steps_of_its_paper() {
    double[] sigmas = {20, 7, 3, 2, 0.5, 0};
    Noise noise = new Noise(3);
    List<float[]> states = new ArrayList<>();
    List<float[]> answers = new ArrayList<>();
    Denoiser recording = recording(states, answers);
    Latents start = noise.draw(0, 6);
    new DpmSolver2M(1, true).sample(recording, sigmas, start, noise, Condition.NONE);
    for (int i = 0; i < 4; i++) {
      double h = Math.log(sigmas[i]) - Math.log(sigmas[i + 1]);
      double r =
          i == 0 ? Double.POSITIVE_INFINITY : (Math.log(sigmas[i - 1]) - Math.log(sigmas[i])) / h;
      float[] fresh = noise.draw(i + 1, 6).values();
      for (int l = 0; l < 6; l++) {
        double change = (answers.get(i)[l] - answers.get(Math.max(0, i - 1))[l]) / r;
        double expected =
            sigmas[i + 1] / sigmas[i] * Math.exp(-h) * states.get(i)[l]
                - Math.expm1(-2 * h) * answers.get(i)[l]
                - 0.5 * Math.expm1(-2 * h) * change
                + sigmas[i + 1] * Math.sqrt(-Math.expm1(-2 * h)) * fresh[l];
        // Three roundings to float32, each of a number below 32.
        assertThat((double) states.get(i + 1)[l]).isCloseTo(expected, within(3 * 0x1p-20));
      }
    }
  }

  @Test
  void flow_heun_is_the_trapezoidal_rule_over_the_time() {
    Seeds.check(
        50,
        random -> {
          double[] sigmas = NoiseSchedule.Flow.of(3).sigmas(random.nextInt(2, 9));
          Noise noise = new Noise(random.nextLong());
          List<float[]> states = new ArrayList<>();
          List<float[]> answers = new ArrayList<>();
          Denoiser recording = recording(states, answers);
          new FlowHeun().sample(recording, sigmas, noise.draw(0, 3), noise, Condition.NONE);
          for (int i = 0; i + 2 < sigmas.length; i++) {
            double t = sigmas[i] / (1 + sigmas[i]);
            double tNext = sigmas[i + 1] / (1 + sigmas[i + 1]);
            for (int l = 0; l < 3; l++) {
              double y = (1 - t) * states.get(2 * i)[l];
              double v = (y - answers.get(2 * i)[l]) / t;
              double predicted = y + (tNext - t) * v;
              double vNext = (predicted - answers.get(2 * i + 1)[l]) / tNext;
              double yNext = y + (tNext - t) * (v + vNext) / 2;
              // x_t is rounded to float32 twice; the y's are those of α·x_t, at most 1 - t of it.
              double size = Math.abs(states.get(2 * i)[l]) + 2;
              assertThat((1 - t) * states.get(2 * i + 1)[l] * (1 - tNext) / (1 - t))
                  .isCloseTo(predicted, within(size * 0x1p-23));
              assertThat((1 - tNext) * states.get(2 * i + 2)[l])
                  .isCloseTo(yNext, within(size * 0x1p-22));
            }
          }
        });
  }

  @Test
  void levels_that_stop_above_zero_hand_out_a_mixture() {
    double[] landings = {3, 1, 0.5};
    double[] gains = {1, 2, 0.25};
    Levels levels = new Levels(new double[] {10, 3, 1}, landings, gains, 10);
    Denoiser constant = (xt, sigma, condition) -> xt.with(new float[] {1, -2});
    for (Sampler sampler : ALL) {
      if (sampler instanceof Heun heun && heun.churn() > 0) {
        continue; // starts higher
      }
      Noise noise = new Noise(4);
      // With a constant x̂0, x_t − x̂0 only shrinks by the ratio of the levels, and noise is added.
      double variance = eta(sampler) > 0 ? 1 : 0;
      Latents out = sampler.sample(constant, levels, levels.start(noise, 2), noise, Condition.NONE);
      double[] expected = new double[2];
      for (int l = 0; l < 2; l++) {
        double x0 = l == 0 ? 1 : -2;
        double x = 10.0 * noise.draw(0, 2).values()[l];
        for (int i = 0; i < 3; i++) {
          double sigma = levels.sigmas()[i];
          double up =
              variance
                  * eta(sampler)
                  * landings[i]
                  * Math.sqrt(1 - Math.pow(landings[i] / sigma, 2));
          double down = Math.sqrt(landings[i] * landings[i] - up * up);
          double fresh = noise.draw(i + 1, 2).values()[l];
          x = gains[i] * (x0 + down / sigma * (x - x0) + up * fresh);
        }
        expected[l] = x;
      }
      for (int l = 0; l < 2; l++) {
        assertThat((double) out.values()[l]).as("%s", sampler).isCloseTo(expected[l], within(1e-5));
      }
    }
  }

  private static double eta(Sampler sampler) {
    return switch (sampler) {
      case Euler euler -> 0;
      case Heun heun -> 0;
      case FlowHeun heun -> 0;
      case Ancestral ancestral -> ancestral.eta();
      case Ddim ddim -> ddim.eta();
      case DpmSolver2M solver -> solver.eta();
    };
  }

  @Test
  void impossible_levels_are_refused() {
    double nan = Double.NaN;
    List<Runnable> impossible =
        List.of(
            () -> new Levels(new double[0], new double[0], new double[0], 1),
            () -> new Levels(new double[] {2, 1}, new double[] {1}, new double[] {1, 1}, 2),
            () -> new Levels(new double[] {2, 1}, new double[] {1, 0}, new double[] {1}, 2),
            () -> new Levels(new double[] {2, 2}, new double[] {1, 0}, new double[] {1, 1}, 2),
            () -> new Levels(new double[] {2, 1}, new double[] {3, 0}, new double[] {1, 1}, 2),
            () -> new Levels(new double[] {2, 1}, new double[] {1, -1}, new double[] {1, 1}, 2),
            () -> new Levels(new double[] {2, 1}, new double[] {1, nan}, new double[] {1, 1}, 2),
            () -> new Levels(new double[] {2, 1}, new double[] {1, 0}, new double[] {0, 1}, 2),
            () -> new Levels(new double[] {2, 1}, new double[] {1, 0}, new double[] {1, nan}, 2),
            () -> new Levels(new double[] {2, 1}, new double[] {1, 0}, new double[] {1, 1}, nan));
    for (Runnable construction : impossible) {
      assertThatIllegalArgumentException().isThrownBy(construction::run);
    }
  }

  @Test
  void an_empty_batch_stays_empty() {
    for (Sampler sampler : ALL) {
      Latents out = run(sampler, ROW_WISE, new double[] {2, 1, 0}, new long[0], 3, 4);
      assertThat(out.batch()).isEqualTo(0);
      assertThat(out.shape()).containsExactly(3, 4);
    }
  }

  @Test
  void every_sampler_is_found_by_its_name() {
    for (Sampler sampler : ALL) {
      assertThat(Sampler.parse(sampler.name())).hasSameClassAs(sampler);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Sampler.parse("plms"))
        .withMessageContaining("euler, heun, flow-heun, ancestral, ddim, dpm++2m, dpm++2m-sde")
        .withMessageContaining("'plms'");
  }

  @Test
  void impossible_runs_are_refused() {
    double[][] impossible = {
      {},
      {0},
      {1},
      {2, 1},
      {1, 1, 0},
      {1, 2, 0},
      {Double.NaN, 0},
      {2, Double.NaN, 0},
      {Double.POSITIVE_INFINITY, 1, 0},
      {1, -1, 0},
      {-1, 0}
    };
    for (Sampler sampler : ALL) {
      for (double[] sigmas : impossible) {
        assertThatIllegalArgumentException()
            .as("%s of %s", sampler, sigmas)
            .isThrownBy(() -> run(sampler, ROW_WISE, sigmas, new long[] {1}, 2))
            .withMessageContaining("sigmas");
      }
      assertThatIllegalArgumentException()
          .isThrownBy(() ->
              sampler.sample(
                  ROW_WISE, new double[] {1, 0}, Latents.zeros(2, 3), new Noise(1), Condition.NONE))
          .withMessageContaining("1 seeds for 2 rows");
      assertThatIllegalArgumentException()
          .isThrownBy(() ->
              run(sampler, (xt, s, c) -> Latents.zeros(1, 9), new double[] {1, 0}, new long[1], 2))
          .withMessageContaining("[1, 9]");
    }
  }

  @Test
  void impossible_parameters_are_refused() {
    double nan = Double.NaN;
    List<Runnable> impossible =
        List.of(
            () -> new Ancestral(-0.1),
            () -> new Ancestral(1.1),
            () -> new Ancestral(nan),
            () -> new Ddim(nan),
            () -> new Ddim(2),
            () -> new DpmSolver2M(-1, true),
            () -> new DpmSolver2M(nan, true),
            () -> new Heun(-1, 0, 1, 1),
            () -> new Heun(nan, 0, 1, 1),
            () -> new Heun(1, 2, 1, 1),
            () -> new Heun(1, nan, 1, 1),
            () -> new Heun(1, 0, 1, 0),
            () -> new Heun(1, 0, 1, nan));
    for (Runnable construction : impossible) {
      assertThatIllegalArgumentException().isThrownBy(construction::run);
    }
  }

  private static Latents run(
      Sampler sampler, Denoiser denoiser, double[] sigmas, long[] seeds, int... shape) {
    Noise noise = new Noise(seeds);
    Latents start = noise.draw(0, shape);
    for (int i = 0; sigmas.length > 0 && i < start.values().length; i++) {
      start.values()[i] *= (float) sigmas[0];
    }
    return sampler.sample(denoiser, sigmas, start, noise, Condition.NONE);
  }
}
