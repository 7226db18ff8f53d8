package spellshield.sampler.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Ancestral;
import spellshield.sampler.Condition;
import spellshield.sampler.Ddim;
import spellshield.sampler.DpmSolver2M;
import spellshield.sampler.Euler;
import spellshield.sampler.Latents;
import spellshield.sampler.Levels;
import spellshield.sampler.Noise;

class SchedulerTest {
  private static final List<String> TABLE_CLASSES =
      List.of(
          "DDIMScheduler",
          "DDPMScheduler",
          "EulerDiscreteScheduler",
          "EulerAncestralDiscreteScheduler",
          "HeunDiscreteScheduler",
          "DPMSolverMultistepScheduler",
          "PNDMScheduler");

  private static Scheduler scheduler(String className, String... fields) {
    List<String> all = new ArrayList<>(List.of("\"_class_name\": \"" + className + "\""));
    for (int i = 0; i < fields.length; i += 2) {
      all.add("\"%s\": %s".formatted(fields[i], fields[i + 1]));
    }
    return Scheduler.parse("{" + String.join(", ", all) + "}");
  }

  private static String quoted(String word) {
    return '"' + word + '"';
  }

  private static String any(SplittableRandom random, String... words) {
    return words[random.nextInt(words.length)];
  }

  @Test
  void levels_fall_and_timesteps_with_them() {
    Seeds.check(
        500,
        random -> {
          String className = any(random, TABLE_CLASSES.toArray(String[]::new));
          String curve =
              any(random, "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "rho");
          // Under cosine's betas the noise before the last timestep is beyond where a rescaled one
          // ends.
          String rescale = any(random, "true", "false");
          String betas =
              rescale.equals("true")
                  ? any(random, "linear", "scaled_linear")
                  : any(random, "linear", "scaled_linear", "squaredcos_cap_v2");
          int count = random.nextInt(100, 1001);
          int steps = random.nextInt(1, 60);
          Plan plan =
              scheduler(
                      className,
                      "clip_sample",
                      "false",
                      "num_train_timesteps",
                      Integer.toString(count),
                      "beta_schedule",
                      quoted(betas),
                      "timestep_spacing",
                      quoted(any(random, "leading", "trailing", "linspace")),
                      "set_alpha_to_one",
                      any(random, "true", "false"),
                      "prediction_type",
                      quoted("v_prediction"),
                      "rescale_betas_zero_snr",
                      rescale,
                      "final_sigmas_type",
                      quoted(any(random, "zero", "sigma_min")),
                      curve,
                      curve.equals("rho") ? "7" : "true")
                  .plan(steps);
          Levels levels = plan.levels(); // refuses levels that do not fall
          assertThat(levels.steps()).isEqualTo(steps);
          for (int i = 0; i < steps; i++) {
            assertThat(plan.timesteps()[i]).isBetween(0.0, count - 1.0);
            assertThat(plan.timestep(levels.sigmas()[i])).isEqualTo(plan.timesteps()[i]);
            if (i > 0) {
              assertThat(plan.timesteps()[i]).isLessThanOrEqualTo(plan.timesteps()[i - 1]);
            }
          }
        });
  }

  @Test
  void a_level_and_its_timestep_are_one_thing() {
    SchedulerConfig config =
        SchedulerConfig.parse("{\"_class_name\": \"x\", \"beta_schedule\": \"scaled_linear\"}");
    TrainingTable table = TrainingTable.of(config, 0.00085, 0.012, 0x1p-24);
    assertThat(table.count()).isEqualTo(1000);
    for (int t = 0; t < 999; t++) {
      assertThat(table.sigma(t)).isLessThan(table.sigma(t + 1));
      assertThat(table.timestep(table.sigma(t))).isEqualTo(t);
      double between = Math.sqrt(table.sigma(t) * table.sigma(t + 1));
      assertThat(table.timestep(between)).isCloseTo(t + 0.5, within(1e-9));
      assertThat(table.sigma(t + 0.25))
          .isCloseTo(0.75 * table.sigma(t) + 0.25 * table.sigma(t + 1), within(1e-12));
    }
    assertThat(table.timestep(1e9)).isEqualTo(999);
    assertThat(table.timestep(1e-9)).isEqualTo(0);
  }

  /// DDIM as diffusers writes it, in float64: it goes down by ⌊1000/steps⌋ timesteps and takes the
  /// state for one of the next timestep, wherever that is.
  @ParameterizedTest
  @CsvSource({
    "linspace, 7, true, 0", "linspace, 30, false, 1", "trailing, 30, true, 0.4",
    "trailing, 7, false, 0", "leading, 9, false, 0.7", "leading, 1, true, 0"
  })
  void untidy_ddim_steps_are_those_of_its_formula(
      String spacing, int steps, boolean toOne, double eta) {
    Plan plan =
        scheduler(
                "DDIMScheduler",
                "clip_sample",
                "false",
                "timestep_spacing",
                quoted(spacing),
                "set_alpha_to_one",
                Boolean.toString(toOne))
            .withEta(eta)
            .plan(steps);
    double[] bar = new double[1000];
    double product = 1;
    for (int t = 0; t < 1000; t++) {
      product *= 1 - (0.0001 + (0.02 - 0.0001) * t / 999);
      bar[t] = product;
    }
    Noise noise = new Noise(11);
    Latents start = noise.draw(0, 3);
    double[] y = new double[3];
    for (int l = 0; l < 3; l++) {
      y[l] = start.values()[l];
    }
    for (int i = 0; i < steps; i++) {
      int t = (int) plan.timesteps()[i];
      int before = t - 1000 / steps;
      double next = before >= 0 ? bar[before] : toOne ? 1 : bar[0];
      float[] fresh = noise.draw(i + 1, 3).values();
      double variance = (1 - next) / (1 - bar[t]) * (1 - bar[t] / next);
      for (int l = 0; l < 3; l++) {
        double epsilon = network(y[l]);
        double x0 = (y[l] - Math.sqrt(1 - bar[t]) * epsilon) / Math.sqrt(bar[t]);
        y[l] =
            Math.sqrt(next) * x0
                + Math.sqrt(1 - next - eta * eta * variance) * epsilon
                + eta * Math.sqrt(variance) * fresh[l];
      }
    }
    Network network =
        (input, timestep, condition) -> {
          Latents output = input.copy();
          for (int l = 0; l < 3; l++) {
            output.values()[l] = (float) network(input.values()[l]);
          }
          return output;
        };
    float[] out = plan.sample(plan.denoiser(network), noise, Condition.NONE, 3).values();
    double largest = Arrays.stream(y).map(Math::abs).max().orElseThrow();
    for (int l = 0; l < 3; l++) {
      // ᾱ_0 = 1 − 0.0001 in float32 keeps 1 − ᾱ_0 to 3·10⁻⁴ of itself.
      assertThat((double) out[l]).isCloseTo(y[l], within(2e-5 * largest + 1e-5));
    }
  }

  private static double network(double y) {
    return Math.sin(2 * y) + 0.3;
  }

  @Test
  void a_run_may_start_where_the_signal_is_gone() {
    Plan ddim =
        scheduler(
                "DDIMScheduler",
                "clip_sample",
                "false",
                "timestep_spacing",
                quoted("trailing"),
                "prediction_type",
                quoted("v_prediction"),
                "rescale_betas_zero_snr",
                "true")
            .plan(5);
    Plan flow = scheduler("FlowMatchEulerDiscreteScheduler", "shift", "3.0").plan(5);
    for (Plan plan : List.of(ddim, flow)) {
      Noise noise = new Noise(5);
      float[] start = noise.draw(0, 16).values();
      List<float[]> inputs = new ArrayList<>();
      List<float[]> predictions = new ArrayList<>();
      Network network =
          (input, timestep, condition) -> {
            inputs.add(input.values().clone());
            return input.with(input.values());
          };
      plan.sample(
          (xt, sigma, condition) -> {
            Latents x0hat = plan.denoiser(network).denoise(xt, sigma, condition);
            predictions.add(x0hat.values());
            return x0hat;
          },
          noise,
          Condition.NONE,
          16);
      for (int l = 0; l < 16; l++) {
        // The network sees the noise, but for the two roundings of a scale and its inverse.
        assertThat(inputs.getFirst()[l]).isCloseTo(start[l], within(2 * Math.ulp(start[l])));
        // The output is the noise again: v = ε means x̂0 = −ε, and in a flow ε − x0 = ε means 0.
        double expected = plan.prediction() instanceof Prediction.Velocity ? -start[l] : 0;
        assertThat((double) predictions.getFirst()[l]).isCloseTo(expected, within(1e-6));
      }
    }
  }

  @Test
  void a_dynamic_shift_follows_the_size_of_the_picture() {
    Scheduler scheduler =
        scheduler("FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting", "true");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> scheduler.plan(4))
        .withMessageContaining("use_dynamic_shifting")
        .withMessageContaining("patches");
    for (int patches : new int[] {256, 1024, 4096}) {
      double mu = 0.5 + (1.15 - 0.5) * (patches - 256) / (4096 - 256);
      Plan plan = scheduler.plan(4, patches);
      for (int i = 0; i < 4; i++) {
        double line = 1 + (0.001 - 1) * i / 3;
        double time = Math.exp(mu) / (Math.exp(mu) + 1 / line - 1);
        assertThat(plan.timesteps()[i]).isCloseTo(1000 * time, within(1e-9));
      }
    }
    Plan linear =
        scheduler(
                "FlowMatchEulerDiscreteScheduler",
                "use_dynamic_shifting",
                "true",
                "time_shift_type",
                quoted("linear"))
            .plan(3, 256);
    assertThat(linear.timesteps()[1]).isCloseTo(1000 * 0.5 / (0.5 + 1 / 0.5005 - 1), within(1e-9));
  }

  @Test
  void a_terminal_shift_ends_the_times_there() {
    Plan plan =
        scheduler("FlowMatchEulerDiscreteScheduler", "shift_terminal", "0.1", "shift", "2").plan(6);
    assertThat(plan.timesteps()[0]).isCloseTo(1000, within(1e-9));
    assertThat(plan.timesteps()[5]).isCloseTo(100, within(1e-9));
  }

  @Test
  void beta_levels_are_quantiles() {
    double[] sigmas = new Curve.Beta().between(10, 2, 9);
    assertThat(sigmas[0]).isEqualTo(10);
    assertThat(sigmas[4]).isCloseTo(6, within(1e-9));
    assertThat(sigmas[8]).isEqualTo(2);
    // The distribution function by the midpoint rule over y = x^0.6, in which the density of
    // Beta(0.6, 0.6) has no pole below ½; its integral to ½ is half of all.
    double half = integral(0.5);
    for (int i = 5; i < 8; i++) {
      double quantile = (sigmas[i] - 2) / 8;
      assertThat(integral(quantile) / (2 * half)).isCloseTo(1 - i / 8.0, within(1e-6));
      assertThat(sigmas[8 - i]).isCloseTo(12 - sigmas[i], within(1e-6));
    }
  }

  private static double integral(double end) {
    double top = Math.pow(end, 0.6);
    double sum = 0;
    int n = 20_000;
    for (int i = 0; i < n; i++) {
      double x = Math.pow(top * (i + 0.5) / n, 1 / 0.6);
      sum += Math.pow(1 - x, -0.4) / 0.6 * top / n;
    }
    return sum;
  }

  @Test
  void steps_of_an_exponential_run_have_one_ratio() {
    Plan plan = scheduler("DPMSolverMultistepScheduler", "use_exponential_sigmas", "true").plan(10);
    double[] sigmas = plan.levels().sigmas();
    for (int i = 2; i < 10; i++) {
      assertThat(sigmas[i] / sigmas[i - 1]).isCloseTo(sigmas[1] / sigmas[0], within(1e-9));
    }
    // The timesteps of this curve are cut off, not rounded.
    double[] table = levels(0.0001, 0.02);
    for (int i = 0; i < 10; i++) {
      int t = (int) plan.timesteps()[i];
      assertThat(plan.timesteps()[i]).isEqualTo(t);
      assertThat(sigmas[i]).isGreaterThan(0.999999 * table[t]);
      assertThat(sigmas[i]).isLessThan(t == 999 ? 1e3 : 1.000001 * table[t + 1]);
    }
  }

  /// σ of a thousand timesteps under linear betas, in float64.
  private static double[] levels(double first, double last) {
    double[] sigmas = new double[1000];
    double product = 1;
    for (int t = 0; t < 1000; t++) {
      product *= 1 - (first + (last - first) * t / 999);
      sigmas[t] = Math.sqrt((1 - product) / product);
    }
    return sigmas;
  }

  @Test
  void a_terminal_ratio_of_zero_shifts_and_stretches_the_signal() {
    Plan plan =
        scheduler(
                "EulerDiscreteScheduler",
                "timestep_spacing",
                quoted("trailing"),
                "rescale_betas_zero_snr",
                "true")
            .plan(5);
    assertThat(plan.timesteps()).containsExactly(999, 799, 599, 399, 199);
    assertThat(plan.levels().sigmas()[0]).isCloseTo(4096, within(1e-3));
    double[] table = levels(0.0001, 0.02);
    double first = 1 / Math.hypot(1, table[0]);
    double last = 1 / Math.hypot(1, table[999]);
    for (int i = 1; i < 5; i++) {
      double signal = 1 / Math.hypot(1, table[(int) plan.timesteps()[i]]);
      double rescaled = (signal - last) * first / (first - last);
      double expected = Math.sqrt(1 / (rescaled * rescaled) - 1);
      // Recomputed from betas of float32, which keep 10⁻⁷ of a signal above 0.03.
      assertThat(plan.levels().sigmas()[i]).isCloseTo(expected, within(1e-5 * expected));
    }
  }

  /// DPM-Solver++(2M) as diffusers writes it, in float64, in its coordinates `α·x0 + s·ε`.
  @ParameterizedTest
  @ValueSource(ints = {4, 14, 15, 20})
  void a_solver_may_stop_at_the_lowest_level(int steps) {
    Plan plan =
        scheduler(
                "DPMSolverMultistepScheduler",
                "final_sigmas_type",
                quoted("sigma_min"),
                "beta_start",
                "0.01")
            .plan(steps);
    double[] table = levels(0.01, 0.02); // the lowest level is 0.1, where α is not 1
    Noise noise = new Noise(12);
    double y = noise.draw(0, 1).values()[0];
    double before = 0;
    double lambdaBefore = 0;
    for (int i = 0; i < steps; i++) {
      double sigma = table[(int) plan.timesteps()[i]];
      double next = i == steps - 1 ? table[0] : table[(int) plan.timesteps()[i + 1]];
      double alpha = 1 / Math.hypot(1, sigma);
      double alphaNext = 1 / Math.hypot(1, next);
      double x0 = (y - alpha * sigma * network(y)) / alpha;
      double h = Math.log(sigma) - Math.log(next);
      boolean firstOrder = i == 0 || (i == steps - 1 && steps < 15);
      double slope = firstOrder ? 0 : (x0 - before) / ((-Math.log(sigma) - lambdaBefore) / h);
      y =
          alphaNext * next / (alpha * sigma) * y
              - alphaNext * Math.expm1(-h) * x0
              - 0.5 * alphaNext * Math.expm1(-h) * slope;
      before = x0;
      lambdaBefore = -Math.log(sigma);
    }
    Network network =
        (input, timestep, condition) ->
            input.with(new float[] {(float) network(input.values()[0])});
    Latents out = plan.sample(plan.denoiser(network), noise, Condition.NONE, 1);
    // The network is told y in float32, whose first levels are magnified by 1,700.
    assertThat((double) out.values()[0]).isCloseTo(y, within(3e-4 * (1 + Math.abs(y))));
  }

  @Test
  void a_config_may_name_the_ends_of_the_levels() {
    Levels karras =
        scheduler(
                "EulerDiscreteScheduler",
                "use_karras_sigmas",
                "true",
                "sigma_min",
                "0.1",
                "sigma_max",
                "10")
            .plan(6)
            .levels();
    assertThat(karras.sigmas()[0]).isEqualTo(10);
    assertThat(karras.sigmas()[5]).isEqualTo(0.1);
    assertThat(karras.landings()[5]).isEqualTo(0);
    Levels edm =
        scheduler("EDMEulerScheduler", "final_sigmas_type", quoted("sigma_min")).plan(6).levels();
    assertThat(edm.landings()[5]).isEqualTo(edm.sigmas()[5]).isCloseTo(0.002, within(1e-12));
  }

  @Test
  void the_bound_of_lambda_cuts_the_noisy_end_off() {
    Plan plan = scheduler("DPMSolverMultistepScheduler", "lambda_min_clipped", "-2.0").plan(10);
    assertThat(-Math.log(plan.levels().sigmas()[0])).isBetween(-2.0, -1.98);
    double[] trailing =
        scheduler(
                "DPMSolverMultistepScheduler",
                "lambda_min_clipped",
                "-4.5",
                "timestep_spacing",
                quoted("trailing"))
            .plan(8)
            .timesteps();
    assertThat(trailing[0]).isLessThan(999);
    for (int i = 1; i < 8; i++) {
      // The stride is that of the whole table.
      assertThat(trailing[i]).isEqualTo(trailing[0] - 125 * i);
    }
  }

  @Test
  void a_class_is_swapped_from_the_same_config() {
    Scheduler ddim =
        scheduler(
            "DDIMScheduler",
            "beta_schedule",
            quoted("scaled_linear"),
            "clip_sample",
            "false",
            "steps_offset",
            "1",
            "timestep_spacing",
            quoted("leading"));
    assertThat(ddim.plan(4).sampler()).isEqualTo(new Ddim(0));
    assertThat(ddim.withEta(0.5).plan(4).sampler()).isEqualTo(new Ddim(0.5));
    assertThat(ddim.withClass("EulerDiscreteScheduler").plan(4).sampler()).isEqualTo(new Euler());
    assertThat(ddim.withClass("EulerAncestralDiscreteScheduler").plan(4).sampler())
        .isEqualTo(new Ancestral(1));
    Scheduler solver = ddim.withClass("DPMSolverMultistepScheduler");
    assertThat(solver.className()).isEqualTo("DPMSolverMultistepScheduler");
    assertThat(solver.plan(4).sampler()).isEqualTo(new DpmSolver2M(0, true));
    assertThat(solver.plan(14).sampler()).isEqualTo(new DpmSolver2M(0, true));
    assertThat(solver.plan(15).sampler()).isEqualTo(new DpmSolver2M(0, false));
    assertThat(solver.plan(4).timesteps()).containsExactly(801, 601, 401, 201);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> solver.withEta(1))
        .withMessageContaining("DDIMScheduler");
  }

  @Test
  void pndm_is_sampled_by_another_and_says_so() {
    Scheduler pndm = scheduler("PNDMScheduler", "skip_prk_steps", "true", "steps_offset", "1");
    assertThat(pndm.plan(4).sampler()).isInstanceOf(DpmSolver2M.class);
    assertThat(pndm.note())
        .hasValueSatisfying(
            note -> assertThat(note).contains("PNDMScheduler", "DPMSolverMultistepScheduler"));
    assertThat(pndm.withClass("DPMSolverMultistepScheduler").note()).isEmpty();
  }

  @Test
  void null_is_the_default_and_options_of_other_classes_are_passed_over() {
    Plan plan =
        scheduler(
                "EulerDiscreteScheduler",
                "trained_betas",
                "null",
                "sigma_min",
                "null",
                "use_karras_sigmas",
                "null",
                "skip_prk_steps",
                "true",
                "set_alpha_to_one",
                "false",
                "clip_sample",
                "true",
                "_use_default_values",
                "[\"shift\"]",
                "an_option_to_come",
                "false")
            .plan(3);
    assertThat(plan.timesteps()).containsExactly(999, 499.5, 0);
    assertThat(plan.clipping()).isEqualTo(new Clipping.None());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "LCMScheduler | shift | 1 | 'LCMScheduler' is not supported; supported: DDIMScheduler, DDPM",
        "EulerDiscreteScheduler | an_option_to_come | true | an_option_to_come=true",
        "EulerDiscreteScheduler | interpolation_type | \"log_linear\" | supported: linear",
        "EulerDiscreteScheduler | timestep_type | \"continuous\" | supported: discrete",
        "EulerDiscreteScheduler | beta_schedule | \"sigmoid\" | linear, scaled_linear, squaredcos",
        "EulerDiscreteScheduler | prediction_type | \"flow\" | epsilon, v_prediction, sample",
        "EulerDiscreteScheduler | final_sigmas_type | \"one\" | supported: zero, sigma_min",
        "EulerDiscreteScheduler | timestep_spacing | \"even\" | leading, trailing, linspace",
        "EulerDiscreteScheduler | timestep_spacing | 3 | must be a word, but was 3",
        "EulerDiscreteScheduler | beta_start | \"small\" | must be a number, but was \"small\"",
        "EulerDiscreteScheduler | beta_end | 2 | noise must grow from timestep",
        "EulerDiscreteScheduler | beta_start | 0 | noise must grow from timestep",
        "EulerDiscreteScheduler | trained_betas | [0.1] | a list of two or more numbers",
        "EulerDiscreteScheduler | num_train_timesteps | 1 | 2 to 1,000,000",
        "EulerDiscreteScheduler | steps_offset | -1 | a whole number of 0 or more",
        "EulerDiscreteScheduler | use_karras_sigmas | 1 | true or false",
        "DDIMScheduler | clip_sample | true | supported: false, or DDPMScheduler",
        "DDIMScheduler | steps_offset | 0 | clip_sample=true is not supported",
        "DDPMScheduler | variance_type | \"learned_range\" | fixed_small, fixed_small_log",
        "DDPMScheduler | rescale_betas_zero_snr | true | supported: v_prediction, sample",
        "DPMSolverMultistepScheduler | solver_order | 3 | supported: 1, 2",
        "DPMSolverMultistepScheduler | algorithm_type | \"dpmsolver\" | dpmsolver++, sde-dpmsolver++",
        "DPMSolverMultistepScheduler | solver_type | \"heun\" | supported: midpoint",
        "DPMSolverMultistepScheduler | use_lu_lambdas | true | use_karras_sigmas",
        "DPMSolverMultistepScheduler | use_flow_sigmas | true | FlowMatchEulerDiscreteScheduler",
        "FlowMatchEulerDiscreteScheduler | shift | 0 | shift must be positive and finite, but was 0",
        "FlowMatchEulerDiscreteScheduler | shift_terminal | 1 | shift_terminal must lie in [0, 1)",
        "FlowMatchEulerDiscreteScheduler | invert_sigmas | true | invert_sigmas=true",
        "FlowMatchEulerDiscreteScheduler | stochastic_sampling | true | stochastic_sampling=true",
        "EDMEulerScheduler | prediction_type | \"v_prediction\" | supported: epsilon",
        "EDMEulerScheduler | sigma_schedule | \"beta\" | karras, exponential",
        "EDMEulerScheduler | sigma_min | 90 | sigma_min=90.0",
      })
  void what_would_change_the_result_is_refused_by_name(
      String className, String field, String value, String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> scheduler(className, field, value))
        .withMessageContaining(message)
        .withMessageContaining(className)
        .withMessageMatching("[^\n]*");
  }

  @Test
  void a_config_that_is_none_is_refused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Scheduler.parse("{\"beta_start\": 1}"))
        .withMessageContaining("_class_name");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Scheduler.parse("{"))
        .withMessageContaining("no JSON");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Scheduler.parse("[]"))
        .withMessageContaining("_class_name");
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            scheduler(
                "EulerDiscreteScheduler", "use_beta_sigmas", "true", "use_karras_sigmas", "true"))
        .withMessageContaining("only one of");
  }

  @Test
  void a_refusal_names_the_file(@TempDir Path folder) throws Exception {
    Path file =
        Files.writeString(folder.resolve("scheduler_config.json"), "{\"_class_name\": \"X\"}");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Scheduler.read(file))
        .withMessageStartingWith(file + ": the scheduler class 'X' is not supported");
  }

  @ParameterizedTest
  @CsvSource({
    "DDIMScheduler, 0", "DDIMScheduler, 1001", "DPMSolverMultistepScheduler, 1000",
    "FlowMatchEulerDiscreteScheduler, 0", "EDMEulerScheduler, -1", "EulerDiscreteScheduler, 2000"
  })
  void steps_that_do_not_fit_the_training_are_refused(String className, int steps) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> scheduler(className, "clip_sample", "false").plan(steps))
        .withMessageContaining("steps must be 1 to")
        .withMessageEndingWith(Integer.toString(steps));
  }

  @Test
  void an_offset_past_the_last_timestep_is_refused() {
    Scheduler scheduler =
        scheduler("DDPMScheduler", "steps_offset", "1", "timestep_spacing", quoted("leading"));
    assertThat(scheduler.plan(500).timesteps()[0]).isEqualTo(999);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> scheduler.plan(1000))
        .withMessageContaining("training timestep 1000.0, but there are 0 to 999");
  }

  @Test
  void a_timestep_between_two_levels_lies_between_theirs() {
    Plan plan = scheduler("EDMEulerScheduler").plan(8);
    for (int i = 0; i + 1 < 8; i++) {
      double sigma = Math.sqrt(plan.levels().sigmas()[i] * plan.levels().sigmas()[i + 1]);
      // EDM's timestep is ¼·ln σ, which is linear over ln σ.
      assertThat(plan.timestep(sigma)).isCloseTo(0.25 * Math.log(sigma), within(1e-12));
    }
    assertThat(plan.timestep(1000)).isEqualTo(plan.timesteps()[0]);
    assertThat(plan.timestep(1e-9)).isEqualTo(plan.timesteps()[7]);
  }

  @Test
  void a_network_that_answers_another_shape_is_refused() {
    Plan plan = scheduler("EDMEulerScheduler").plan(2);
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            plan.denoiser((input, timestep, condition) -> Latents.zeros(1, 8))
                .denoise(Latents.zeros(1, 4), 1, Condition.NONE))
        .withMessageContaining("[1, 8]")
        .withMessageContaining("[1, 4]");
  }
}
