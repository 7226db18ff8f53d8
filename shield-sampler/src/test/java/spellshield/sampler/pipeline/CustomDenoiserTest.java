package spellshield.sampler.pipeline;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.sampler.Latents;
import spellshield.sampler.StepListener;
import spellshield.sampler.testing.TinyPipelines;

/// The folder `denoiser/`, against networks that are computed here in float64: `F = input/2 +
/// told/10 + table[label]`, `table[l]_c = (c + 1)(l − 3)/8`.
class CustomDenoiserTest {
  private static final int CHANNELS = 4;
  private static final int PLANE = 64;
  private static final int STEPS = 5;
  private static final double LOW = 0.02;
  private static final double HIGH = 20;
  private static final double SIGMA_DATA = 0.7;

  @TempDir private Path folder = Path.of("");

  /// What a network predicts, and how its answer is read; everything at one level σ.
  enum Predicts {
    x0 {
      @Override
      double[] coefficients(double sigma) {
        return new double[] {1, sigma, 0, 1};
      }
    },
    epsilon {
      @Override
      double[] coefficients(double sigma) {
        return new double[] {1 / Math.sqrt(1 + sigma * sigma), sigma, 1, -sigma};
      }
    },
    v {
      @Override
      double[] coefficients(double sigma) {
        double alpha = 1 / Math.sqrt(1 + sigma * sigma);
        return new double[] {alpha, sigma, alpha * alpha, -alpha * sigma};
      }
    },
    flow {
      @Override
      double[] coefficients(double sigma) {
        double t = sigma / (1 + sigma);
        return new double[] {1 - t, t, 1 - t, -t};
      }
    },
    edm {
      @Override
      double[] coefficients(double sigma) {
        double sum = sigma * sigma + SIGMA_DATA * SIGMA_DATA;
        return new double[] {
          1 / Math.sqrt(sum),
          Math.log(sigma) / 4,
          SIGMA_DATA * SIGMA_DATA / sum,
          sigma * SIGMA_DATA / Math.sqrt(sum)
        };
      }
    };

    /// Returns c_in, what the network is told, c_skip and c_out.
    abstract double[] coefficients(double sigma);
  }

  private static double table(int label, int channel) {
    return label < 0 ? 0 : 0.125 * (channel + 1) * (label - 3);
  }

  /// Puts a pipeline together of one of the linear networks.
  private Path pipeline(String network, String... fields) throws Exception {
    return Custom.write(folder, network, fields);
  }

  private static String[] fields(Predicts predicts, String... more) {
    List<String> fields = new ArrayList<>();
    fields.add("'predicts': '%s'".formatted(predicts));
    fields.add("'sigma_min': %s, 'sigma_max': %s".formatted(LOW, HIGH));
    fields.add("'sigma_data': %s, 'sampler': 'euler'".formatted(SIGMA_DATA));
    fields.addAll(Arrays.asList(more));
    return fields.toArray(String[]::new);
  }

  private static Latents noise(int count) {
    SplittableRandom random = new SplittableRandom(7);
    Latents noise = Latents.zeros(count, CHANNELS, 8, 8);
    for (int i = 0; i < noise.values().length; i++) {
      noise.values()[i] = (float) random.nextGaussian();
    }
    return noise;
  }

  /// EDM's levels: σ_i = (σ_max^(1/7) + i/(n − 1)·(σ_min^(1/7) − σ_max^(1/7)))^7, then 0.
  private static double[] sigmas() {
    double[] sigmas = new double[STEPS + 1];
    for (int i = 0; i < STEPS; i++) {
      double from = Math.pow(HIGH, 1.0 / 7);
      sigmas[i] = Math.pow(from + i / (STEPS - 1.0) * (Math.pow(LOW, 1.0 / 7) - from), 7);
    }
    return sigmas;
  }

  /// Samples with Euler's steps and compares each x̂0 with the formula.
  ///
  /// @param none the null label, negative for a row of zeros
  private void requireFormula(
      Path pipeline, Request request, Predicts predicts, int[] labels, int none, double w)
      throws Exception {
    int count = labels.length;
    Latents noise = noise(count);
    List<StepListener.Step> seen = new ArrayList<>();
    request.seeds(IntStream.range(0, count).asLongStream().toArray());
    request.initialNoise(noise).steps(STEPS).withoutPictures();
    request.listener(seen::add);
    List<Generated> results;
    try (DiffusionPipeline loaded = DiffusionPipeline.load(pipeline)) {
      results = loaded.sample(request);
    }
    assertThat(seen).hasSize(STEPS);
    double[] sigmas = sigmas();
    double[] x = new double[noise.values().length];
    Arrays.setAll(x, i -> HIGH * noise.values()[i]);
    double[] x0hat = new double[x.length];
    double largest = 0;
    for (int step = 0; step < STEPS; step++) {
      double sigma = sigmas[step];
      double[] c = predicts.coefficients(sigma);
      assertThat(seen.get(step).sigma()).isCloseTo(sigma, within(1e-12 * sigma));
      for (int i = 0; i < x.length; i++) {
        int channel = i / PLANE % CHANNELS;
        double positive = table(labels[i / (CHANNELS * PLANE)], channel);
        double negative = table(none, channel);
        double f = c[0] * x[i] / 2 + c[1] / 10 + negative + w * (positive - negative);
        x0hat[i] = c[2] * x[i] + c[3] * f;
        largest =
            Math.max(
                largest,
                Math.abs(x[i]) + Math.abs(c[3]) * (Math.abs(f) + (1 + w) * Math.abs(positive)));
      }
      // Each step rounds x_t, the input, four sums in the network, its answer and x̂0 to float32,
      // and no later step makes more of an error.
      double rounding = (step + 1) * 10 * 0x1p-24 * largest;
      for (int i = 0; i < x.length; i++) {
        assertThat((double) seen.get(step).x0hat().values()[i])
            .as("step %d, value %d", step, i)
            .isCloseTo(x0hat[i], within(rounding));
        x[i] = x0hat[i] + sigmas[step + 1] / sigma * (x[i] - x0hat[i]);
      }
    }
    for (int row = 0; row < count; row++) {
      assertThat(results.get(row).sample().latent())
          .containsExactly(seen.getLast().x0hat().row(row));
      assertThat(results.get(row).picture()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(Predicts.class)
  void every_prediction_is_read_by_its_formula(Predicts predicts) throws Exception {
    requireFormula(
        pipeline("unlabelled", fields(predicts)),
        Request.unconditional(),
        predicts,
        new int[] {-1, -1, -1},
        -1,
        1);
  }

  @ParameterizedTest
  @CsvSource({"index, epsilon", "one_hot, x0"})
  void labels_are_told_as_numbers_or_one_hot(String form, Predicts predicts) throws Exception {
    int[] labels = {0, 9, 4, 4};
    requireFormula(
        pipeline(form, fields(predicts, "'labels': 10, 'label_form': '%s'".formatted(form))),
        Request.labels(labels),
        predicts,
        labels,
        -1,
        1);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1, 3})
  void the_null_label_zeros_is_a_row_of_zeros(double w) throws Exception {
    int[] labels = {1, 8};
    requireFormula(
        pipeline(
            "one_hot",
            fields(Predicts.v, "'labels': 10, 'label_form': 'one_hot', 'null_label': 'zeros'")),
        Request.labels(labels).guidanceScale(w),
        Predicts.v,
        labels,
        -1,
        w);
  }

  @ParameterizedTest
  @CsvSource({"index, 0", "index, 3", "one_hot, 3"})
  void the_null_label_may_be_a_number(String form, double w) throws Exception {
    int[] labels = {1, 8};
    requireFormula(
        pipeline(
            form,
            fields(
                Predicts.edm, "'labels': 10, 'null_label': 9, 'label_form': '%s'".formatted(form))),
        Request.labels(labels).guidanceScale(w),
        Predicts.edm,
        labels,
        9,
        w);
  }

  @Test
  void one_label_stands_for_all_seeds() throws Exception {
    Path pipeline = pipeline("index", fields(Predicts.x0, "'labels': 10"));
    try (DiffusionPipeline loaded = DiffusionPipeline.load(pipeline)) {
      List<Generated> one = loaded.sample(Request.labels(5).seeds(1, 2).withoutPictures());
      List<Generated> each = loaded.sample(Request.labels(5, 5).seeds(1, 2).withoutPictures());
      for (int i = 0; i < 2; i++) {
        assertThat(one.get(i).sample().latent()).containsExactly(each.get(i).sample().latent());
      }
    }
  }

  @Test
  void with_a_scheduler_the_network_is_told_training_timesteps() throws Exception {
    Path pipeline = pipeline("unlabelled");
    Path scheduler = Files.createDirectories(pipeline.resolve("scheduler"));
    Files.copy(
        TinyPipelines.folder("dit").resolve("scheduler/scheduler_config.json"),
        scheduler.resolve("scheduler_config.json"));
    List<StepListener.Step> seen = new ArrayList<>();
    Latents noise = noise(1);
    try (DiffusionPipeline loaded = DiffusionPipeline.load(pipeline)) {
      loaded.sample(
          Request.unconditional()
              .initialNoise(noise)
              .steps(1)
              .withoutPictures()
              .listener(seen::add));
      assertThat(loaded.scheduler()).isPresent();
    }
    // One step with trailing spacing asks at timestep 999, whose ᾱ is Π (1 − β_t).
    double alphaBar = 1;
    for (int t = 0; t < 1000; t++) {
      alphaBar *= 1 - (0.0001 + t / 999.0 * (0.02 - 0.0001));
    }
    for (int i = 0; i < noise.values().length; i++) {
      double f = noise.values()[i] / 2 + 99.9;
      double x0hat = Math.sqrt(alphaBar) * noise.values()[i] - Math.sqrt(1 - alphaBar) * f;
      assertThat((double) seen.getFirst().x0hat().values()[i]).isCloseTo(x0hat, within(1e-4));
    }
  }
}
