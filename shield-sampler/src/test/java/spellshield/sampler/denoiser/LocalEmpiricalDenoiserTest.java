package spellshield.sampler.denoiser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Condition;
import spellshield.sampler.Latents;

class LocalEmpiricalDenoiserTest {

  @Test
  void every_position_averages_by_its_own_window() {
    Seeds.check(
        60,
        random -> {
          int[] shape = {random.nextInt(1, 4), random.nextInt(1, 12), random.nextInt(1, 12)};
          Latents data = EmpiricalDenoiserTest.gaussian(random, 1, random.nextInt(1, 40), shape);
          int halfWidth = random.nextInt(0, 6);
          LocalEmpiricalDenoiser denoiser = LocalEmpiricalDenoiser.of(data, halfWidth);
          for (double sigma : new double[] {80, 3, 0.7, 0.1, 0.002}) {
            Latents xt = EmpiricalDenoiserTest.noisy(random, data, sigma, 2);
            Latents x0hat = denoiser.denoise(xt, sigma, Condition.NONE);
            for (int row = 0; row < 2; row++) {
              double[] expected = localMean(data, xt.row(row), sigma, halfWidth);
              for (int j = 0; j < expected.length; j++) {
                // Weights are good to 10⁻⁶ each, values at most about 4.
                assertThat((double) x0hat.row(row)[j])
                    .as("h=%d, σ=%s", halfWidth, sigma)
                    .isCloseTo(expected[j], within(1e-5));
              }
            }
          }
        });
  }

  /// The definition, position by position, through the oracle of whole vectors.
  private static double[] localMean(Latents data, float[] x, double sigma, int h) {
    int channels = data.shape()[0];
    int height = data.shape()[1];
    int width = data.shape()[2];
    int[] all = IntStream.range(0, data.batch()).toArray();
    double[] mean = new double[x.length];
    for (int y = 0; y < height; y++) {
      for (int c = 0; c < width; c++) {
        int row = y;
        int column = c;
        int[] window =
            IntStream.range(0, x.length)
                .filter(j ->
                    Math.abs(j / width % height - row) <= h && Math.abs(j % width - column) <= h)
                .toArray();
        Latents windows = Latents.zeros(data.batch(), window.length);
        float[] xWindow = new float[window.length];
        for (int i = 0; i < window.length; i++) {
          xWindow[i] = x[window[i]];
          for (int k = 0; k < data.batch(); k++) {
            windows.values()[k * window.length + i] = data.values()[k * x.length + window[i]];
          }
        }
        double[] windowMean = Posterior.mean(windows, xWindow, sigma, all);
        for (int i = 0; i < window.length; i++) {
          if (window[i] % (height * width) == row * width + column) {
            mean[window[i]] = windowMean[i];
          }
        }
      }
    }
    assertThat(channels * height * width).isEqualTo(mean.length);
    return mean;
  }

  @Test
  void a_window_as_large_as_the_image_is_the_whole_posterior() {
    Seeds.check(
        20,
        random -> {
          int[] shape = {2, random.nextInt(1, 9), random.nextInt(1, 9)};
          int count = random.nextInt(1, 100);
          Latents data = EmpiricalDenoiserTest.gaussian(random, 1, count, shape);
          int[] labels = IntStream.range(0, count).map(k -> k % 2).toArray();
          int extent = Math.max(shape[1], shape[2]);
          int halfWidth = random.nextBoolean() ? extent : 1_000_000_000;
          LocalEmpiricalDenoiser local = LocalEmpiricalDenoiser.of(data, halfWidth, labels);
          try (EmpiricalDenoiser whole = EmpiricalDenoiser.of(data, labels)) {
            for (double sigma : new double[] {20, 1, 0.01}) {
              Latents xt = EmpiricalDenoiserTest.noisy(random, data, sigma, 3);
              for (Condition condition :
                  List.of(Condition.NONE, new Condition.Labels(0, (count - 1) % 2, 0))) {
                assertThat(local.denoise(xt, sigma, condition).values())
                    .containsExactly(whole.denoise(xt, sigma, condition).values(), within(1e-5f));
              }
            }
          }
        });
  }

  @Test
  void a_position_that_one_item_explains_gets_its_exact_value() {
    Seeds.check(
        20,
        random -> {
          Latents data = EmpiricalDenoiserTest.gaussian(random, 1, random.nextInt(2, 60), 3, 8, 8);
          LocalEmpiricalDenoiser denoiser = LocalEmpiricalDenoiser.of(data, 1);
          // The left half of one item beside the right half of another; zeros would show any rest.
          int left = random.nextInt(data.batch());
          int right = random.nextInt(data.batch());
          data.values()[left * 192 + 8] = 0;
          Latents xt = new Latents(data.row(left), 1, 3, 8, 8);
          for (int j = 0; j < 192; j++) {
            float z = data.values()[(j % 8 < 4 ? left : right) * 192 + j];
            xt.values()[j] = (float) (z + 0.002 * random.nextGaussian());
          }
          float[] x0hat = denoiser.denoise(xt, 0.002, Condition.NONE).values();
          for (int j = 0; j < 192; j++) {
            if (j % 8 < 3 || j % 8 > 4) { // windows beside the seam
              assertThat(x0hat[j]).isEqualTo(data.values()[(j % 8 < 4 ? left : right) * 192 + j]);
            }
          }
        });
  }

  @Test
  void a_row_does_not_depend_on_its_batch() {
    Seeds.check(
        10,
        random -> {
          Latents data = EmpiricalDenoiserTest.gaussian(random, 1, 30, 2, 9, 7);
          LocalEmpiricalDenoiser denoiser = LocalEmpiricalDenoiser.of(data, 2);
          double sigma = random.nextDouble(0.1, 3);
          Latents xt = EmpiricalDenoiserTest.noisy(random, data, sigma, 33);
          Latents together = denoiser.denoise(xt, sigma, Condition.NONE);
          for (int row = 0; row < 33; row++) {
            Latents alone = new Latents(xt.row(row), 1, 2, 9, 7);
            assertThat(denoiser.denoise(alone, sigma, Condition.NONE).values())
                .isEqualTo(together.row(row));
          }
        });
  }

  @Test
  void senseless_questions_are_refused() {
    Latents data = EmpiricalDenoiserTest.gaussian(new SplittableRandom(1), 1, 4, 1, 2, 2);
    Latents xt = Latents.zeros(1, 1, 2, 2);
    LocalEmpiricalDenoiser denoiser = LocalEmpiricalDenoiser.of(data, 1);
    List<Runnable> impossible =
        List.of(
            () -> LocalEmpiricalDenoiser.of(data, -1),
            () -> LocalEmpiricalDenoiser.of(Latents.zeros(0, 1, 2, 2), 1),
            () -> LocalEmpiricalDenoiser.of(Latents.zeros(3, 4), 1),
            () -> LocalEmpiricalDenoiser.of(data, 1, new int[] {1}),
            () -> denoiser.denoise(Latents.zeros(1, 4), 1, Condition.NONE),
            () -> denoiser.denoise(xt, Double.NaN, Condition.NONE),
            () -> denoiser.denoise(xt, 1, new Condition.Labels(1)),
            () -> denoiser.denoise(xt.with(new float[] {0, 0, 0, Float.NaN}), 1, Condition.NONE));
    for (Runnable call : impossible) {
      assertThatIllegalArgumentException().isThrownBy(call::run);
    }
  }
}
