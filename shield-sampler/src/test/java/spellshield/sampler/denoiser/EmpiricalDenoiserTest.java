package spellshield.sampler.denoiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Condition;
import spellshield.sampler.Latents;

class EmpiricalDenoiserTest {

  @Test
  void the_answer_is_the_posterior_mean() {
    Seeds.check(
        60,
        random -> {
          int count = random.nextInt(1, 2500);
          Latents data = gaussian(random, 1, count, random.nextInt(1, 65));
          try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data)) {
            for (double sigma : new double[] {80, 20, 5, 1, 0.3, 0.05, 0.002}) {
              Latents xt = noisy(random, data, sigma, 5);
              requirePosteriorMean(data, xt, sigma, IntStream.range(0, count).toArray(), denoiser);
            }
          }
        });
  }

  private static void requirePosteriorMean(
      Latents data, Latents xt, double sigma, int[] items, EmpiricalDenoiser denoiser) {
    Latents x0hat = denoiser.denoise(xt, sigma, Condition.NONE);
    for (int row = 0; row < xt.batch(); row++) {
      double[] expected = Posterior.mean(data, xt.row(row), sigma, items);
      // One rounding to float32. In float64, an item that carries weight has ‖x − z‖² of at most
      // about (D + 64)·σ², off by D·2⁻⁵³ of itself, so that exponents are off by 10⁻¹²; and 2,500
      // weights below e⁻³² were left out.
      for (int j = 0; j < xt.dim(); j++) {
        assertThat((double) x0hat.row(row)[j])
            .as("K=%d, D=%d, σ=%s", items.length, xt.dim(), sigma)
            .isCloseTo(expected[j], within(Math.abs(expected[j]) * 0x1p-24 + 1e-9));
      }
    }
  }

  @Test
  void a_class_averages_its_own_items_only() {
    Seeds.check(
        20,
        random -> {
          int count = random.nextInt(3, 400);
          Latents data = gaussian(random, 1, count, 12);
          int[] labels = new int[count];
          for (int k = 0; k < count; k++) {
            labels[k] = k < 3 ? 7 * k - 2 : 7 * random.nextInt(3) - 2;
          }
          int[] asked = {12, -2, 12, 5};
          double sigma = random.nextDouble(0.1, 4);
          Latents xt = noisy(random, data, sigma, 4);
          try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data, labels)) {
            Latents x0hat = denoiser.denoise(xt, sigma, new Condition.Labels(asked));
            for (int row = 0; row < 4; row++) {
              int label = asked[row];
              int[] items = IntStream.range(0, count).filter(k -> labels[k] == label).toArray();
              double[] expected = Posterior.mean(data, xt.row(row), sigma, items);
              for (int j = 0; j < 12; j++) {
                assertThat((double) x0hat.row(row)[j]).isCloseTo(expected[j], within(1e-5));
              }
            }
            requirePosteriorMean(data, xt, sigma, IntStream.range(0, count).toArray(), denoiser);
          }
        });
  }

  @Test
  void a_posterior_of_one_item_is_that_item_bit_for_bit() {
    Seeds.check(
        30,
        random -> {
          Latents data = gaussian(random, 1, random.nextInt(1, 300), 30);
          data.values()[3] = -0f;
          try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data)) {
            int item = random.nextInt(data.batch());
            Latents xt = new Latents(data.row(item), 1, 30);
            for (int j = 0; j < 30; j++) {
              xt.values()[j] += (float) (0.002 * random.nextGaussian());
            }
            assertThat(denoiser.denoise(xt, 0.002, Condition.NONE).values())
                .isEqualTo(data.row(item));
          }
        });
  }

  @Test
  void items_too_close_for_float32_are_told_apart() {
    // Two items 10⁻³ apart at a norm of 300: float32 products know their squared distances to ±0.1.
    int dim = 100;
    Latents data = Latents.zeros(2, dim);
    for (int j = 0; j < dim; j++) {
      data.values()[j] = 30;
      data.values()[dim + j] = 30;
    }
    data.values()[0] = 30.001f;
    try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data)) {
      for (int k = 0; k < 2; k++) {
        Latents xt = new Latents(data.row(k), 1, dim);
        assertThat(denoiser.denoise(xt, 1e-4, Condition.NONE).values()).isEqualTo(data.row(k));
      }
    }
  }

  @Test
  void a_row_does_not_depend_on_its_batch() {
    Seeds.check(
        4,
        random -> {
          int count = random.nextInt(300, 2500);
          int dim = new int[] {17, 64, 100, 196}[random.nextInt(4)];
          Latents data = gaussian(random, 1, count, dim);
          int[] labels = IntStream.range(0, count).map(k -> k % 3).toArray();
          try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(data, labels)) {
            for (double sigma : new double[] {100, 3, 0.1}) {
              Latents xt = noisy(random, data, sigma, 40);
              int[] asked = random.ints(40, 0, 3).toArray();
              for (boolean conditional : new boolean[] {false, true}) {
                requireBatchless(denoiser, random, xt, sigma, conditional ? asked : null);
              }
            }
          }
        });
  }

  private static void requireBatchless(
      EmpiricalDenoiser denoiser,
      SplittableRandom random,
      Latents xt,
      double sigma,
      int @Nullable [] asked) {
    float[][] alone = new float[xt.batch()][];
    for (int size : new int[] {1, 7, 33, 40}) {
      int[] rows = IntStream.range(0, xt.batch()).toArray();
      if (size > 1) {
        shuffle(random, rows);
      }
      // Groups ask at the same time: neither may the threads matter.
      IntStream.range(0, (rows.length + size - 1) / size)
          .parallel()
          .forEach(group -> {
            int from = group * size;
            int[] some = Arrays.copyOfRange(rows, from, Math.min(rows.length, from + size));
            Latents question = Latents.zeros(some.length, xt.shape());
            for (int i = 0; i < some.length; i++) {
              System.arraycopy(xt.row(some[i]), 0, question.values(), i * xt.dim(), xt.dim());
            }
            Condition condition =
                asked == null
                    ? Condition.NONE
                    : new Condition.Labels(IntStream.of(some).map(i -> asked[i]).toArray());
            Latents answer = denoiser.denoise(question, sigma, condition);
            for (int i = 0; i < some.length; i++) {
              if (size == 1) {
                alone[some[i]] = answer.row(i);
              } else {
                assertThat(answer.row(i))
                    .as("row %d of %d, σ=%s, D=%d", i, some.length, sigma, xt.dim())
                    .isEqualTo(alone[some[i]]);
              }
            }
          });
    }
  }

  @Test
  void senseless_questions_are_refused() {
    Latents data = gaussian(new SplittableRandom(1), 1, 4, 3);
    Latents xt = Latents.zeros(1, 3);
    try (EmpiricalDenoiser plain = EmpiricalDenoiser.of(data);
        EmpiricalDenoiser labelled = EmpiricalDenoiser.of(data, 1, 1, 2, 2)) {
      List<Runnable> impossible =
          List.of(
              () -> EmpiricalDenoiser.of(Latents.zeros(0, 3)).close(),
              () -> EmpiricalDenoiser.of(data, 1, 2).close(),
              () -> EmpiricalDenoiser.of(new Latents(new float[] {Float.NaN}, 1, 1)).close(),
              () -> plain.denoise(Latents.zeros(1, 1, 3), 1, Condition.NONE),
              () -> plain.denoise(xt, 0, Condition.NONE),
              () -> plain.denoise(xt, Double.NaN, Condition.NONE),
              () -> plain.denoise(xt, 1, new Condition.Labels(1)),
              () -> plain.denoise(xt.with(new float[] {0, Float.NaN, 0}), 1, Condition.NONE),
              () -> labelled.denoise(xt, 1, new Condition.Labels(3)),
              () -> labelled.denoise(xt, 1, new Condition.Labels(1, 2)));
      for (Runnable call : impossible) {
        assertThatIllegalArgumentException().isThrownBy(call::run);
      }
      assertThat(plain.denoise(Latents.zeros(0, 3), 1, Condition.NONE).batch()).isEqualTo(0);
    }
  }

  static void shuffle(SplittableRandom random, int[] values) {
    for (int i = values.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swap = values[i];
      values[i] = values[j];
      values[j] = swap;
    }
  }

  static Latents gaussian(SplittableRandom random, double scale, int count, int... shape) {
    Latents out = Latents.zeros(count, shape);
    for (int i = 0; i < out.values().length; i++) {
      out.values()[i] = (float) (scale * random.nextGaussian());
    }
    return out;
  }

  /// Rows that items may have become, `z_k + σ·ε`.
  static Latents noisy(SplittableRandom random, Latents data, double sigma, int rows) {
    Latents xt = gaussian(random, sigma, rows, data.shape());
    int dim = data.dim();
    for (int i = 0; i < rows; i++) {
      int item = random.nextInt(data.batch());
      for (int j = 0; j < dim; j++) {
        xt.values()[i * dim + j] += data.values()[item * dim + j];
      }
    }
    return xt;
  }
}
