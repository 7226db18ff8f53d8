package spellshield.sampler.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Latents;

class PredictionTest {
  private static final List<Prediction> ALL =
      List.of(
          new Prediction.Epsilon(),
          new Prediction.Velocity(),
          new Prediction.Clean(),
          new Prediction.Direct(),
          new Prediction.Flow(),
          new Prediction.Edm(0.5));

  private static double level(SplittableRandom random) {
    return Math.pow(10, random.nextDouble(-3, 4));
  }

  @Test
  void a_perfect_output_is_read_as_the_clean_latent() {
    Seeds.check(
        300,
        random -> {
          double sigma = level(random);
          double x0 = random.nextGaussian();
          double noise = random.nextGaussian();
          float xt = (float) (x0 + sigma * noise);
          double alpha = 1 / Math.sqrt(1 + sigma * sigma);
          double s = sigma * alpha;
          double root = Math.sqrt(sigma * sigma + 0.25);
          for (Prediction prediction : ALL) {
            // What a perfect network says, in the words of each paper.
            double output =
                switch (prediction) {
                  case Prediction.Epsilon epsilon -> noise;
                  case Prediction.Velocity velocity -> alpha * noise - s * x0;
                  case Prediction.Clean clean -> x0;
                  case Prediction.Direct direct -> x0;
                  case Prediction.Flow flow -> noise - x0;
                  case Prediction.Edm edm ->
                      (x0 - 0.25 / (root * root) * xt) * root / (0.5 * sigma);
                };
            Latents x0hat = prediction.x0hat(one((float) output), one(xt), sigma);
            // x_t and the output are rounded to float32.
            double size = Math.abs(xt) + sigma * Math.abs(output) + Math.abs(x0) + 1;
            assertThat((double) x0hat.values()[0])
                .as("%s at %s", prediction, sigma)
                .isCloseTo(x0, within(2 * 0x1p-24 * size));
          }
        });
  }

  @Test
  void reading_and_writing_an_output_invert_each_other() {
    Seeds.check(
        300,
        random -> {
          double sigma = level(random);
          float xt = (float) (random.nextGaussian() * (1 + sigma));
          float output = (float) random.nextGaussian();
          for (Prediction prediction : ALL) {
            Latents x0hat = prediction.x0hat(one(output), one(xt), sigma);
            float again = prediction.output(x0hat, one(xt), sigma).values()[0];
            // x̂0 is rounded once, at its own size, and c_out magnifies that on the way back.
            double rounding = Math.ulp(x0hat.values()[0]) / Math.abs(prediction.outputScale(sigma));
            assertThat((double) again)
                .as("%s at %s", prediction, sigma)
                .isCloseTo(output, within(rounding + Math.ulp(output)));
          }
        });
  }

  @Test
  void mixing_outputs_is_mixing_clean_latents() {
    Seeds.check(
        300,
        random -> {
          double sigma = level(random);
          double w = random.nextDouble(1, 8);
          float xt = (float) (random.nextGaussian() * (1 + sigma));
          float a = (float) random.nextGaussian();
          float b = (float) random.nextGaussian();
          for (Prediction prediction : ALL) {
            double mixed =
                prediction.x0hat(one((float) (b + w * (a - b))), one(xt), sigma).values()[0];
            double x0a = prediction.x0hat(one(a), one(xt), sigma).values()[0];
            double x0b = prediction.x0hat(one(b), one(xt), sigma).values()[0];
            double size = (Math.abs(xt) + sigma * 30 + 30) * (2 * w + 1);
            assertThat(mixed)
                .as("%s at %s", prediction, sigma)
                .isCloseTo(x0b + w * (x0a - x0b), within(0x1p-22 * size));
          }
        });
  }

  @Test
  void clipping_keeps_pixels_in_their_range() {
    Latents x0hat = new Latents(new float[] {-3, 0.5f, 2, 0.1f, -0.2f, 0.3f}, 2, 3);
    assertThat(new Clipping.None().clip(x0hat)).isSameAs(x0hat);
    assertThat(new Clipping.Fixed(1).clip(x0hat).values())
        .containsExactly(-1, 0.5f, 1, 0.1f, -0.2f, 0.3f);
    // Row 0: |x| sorted 0.5, 2, 3; the quantile at 0.75 lies between 2 and 3. Row 1 is within 1.
    assertThat(new Clipping.Dynamic(0.75, 10).clip(x0hat).values())
        .containsExactly(-1, 0.2f, 0.8f, 0.1f, -0.2f, 0.3f);
    assertThat(new Clipping.Dynamic(1, 2).clip(x0hat).values())
        .containsExactly(-1, 0.25f, 1, 0.1f, -0.2f, 0.3f);
    assertThat(x0hat.values()).startsWith(-3, 0.5f, 2);
  }

  @Test
  void impossible_parameters_are_refused() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Prediction.Edm(0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Clipping.Fixed(Double.NaN));
    assertThatIllegalArgumentException().isThrownBy(() -> new Clipping.Dynamic(1.5, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> new Clipping.Dynamic(0.9, 0.5));
  }

  private static Latents one(float value) {
    return new Latents(new float[] {value}, 1, 1);
  }
}
