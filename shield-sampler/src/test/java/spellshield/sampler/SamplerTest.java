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
          new DpmSolver2M());

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
            case DpmSolver2M solver -> false;
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

  @Test
  void dpm_solver_takes_the_steps_of_its_paper() {
    double[] sigmas = {20, 7, 3, 2, 0.5, 0};
    Noise noise = new Noise(3);
    List<float[]> states = new ArrayList<>();
    List<float[]> answers = new ArrayList<>();
    Denoiser recording =
        (xt, sigma, condition) -> {
          Latents x0hat = ROW_WISE.denoise(xt, sigma, condition);
          states.add(xt.values().clone());
          answers.add(x0hat.values().clone());
          return x0hat;
        };
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
        .withMessageContaining("euler, heun, ancestral, ddim, dpm++2m")
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
