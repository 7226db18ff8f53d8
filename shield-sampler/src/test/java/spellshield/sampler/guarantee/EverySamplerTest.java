package spellshield.sampler.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import spellshield.index.ProtectedSet;
import spellshield.index.store.Precision;
import spellshield.sampler.Ancestral;
import spellshield.sampler.Condition;
import spellshield.sampler.Ddim;
import spellshield.sampler.Denoiser;
import spellshield.sampler.DpmSolver2M;
import spellshield.sampler.Euler;
import spellshield.sampler.FlowHeun;
import spellshield.sampler.Heun;
import spellshield.sampler.Latents;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.scheduler.Plan;
import spellshield.sampler.scheduler.Scheduler;
import spellshield.sampler.shield.Shield;

/// Every sampler, batch by batch, and a set of half precision.
class EverySamplerTest {
  private static final NoiseSchedule SCHEDULE = new NoiseSchedule.Karras(0.01, 20, 7);
  private static final int STEPS = 12;
  private static final int DIM = 24;
  private static final float[] VALUES = Plain.gaussian(new SplittableRandom(1), 300, DIM);

  @TempDir private Path folder;

  private static EmpiricalDenoiser memoriser(float[] values, int dim) {
    return EmpiricalDenoiser.of(new Latents(values, values.length / dim, dim));
  }

  private static long[] seeds(int from, int count) {
    return LongStream.range(from, from + count).toArray();
  }

  private static Shield protecting(ProtectedSet set, double radius) {
    return Shield.builder().protecting(set.exact(), set.latents(), radius).build();
  }

  private static ShieldedSampler run(
      Denoiser denoiser, Sampler sampler, ProtectedSet set, double radius) {
    return new ShieldedSampler(denoiser, sampler, SCHEDULE, STEPS, protecting(set, radius), DIM)
        .guaranteeing(set, radius);
  }

  private ProtectedSet set() throws Exception {
    return TestSets.build(folder, VALUES, DIM, Precision.FLOAT32);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 40})
  void without_a_shield_a_memoriser_copies(int dim) throws Exception {
    float[] values = Plain.gaussian(new SplittableRandom(dim), 300, dim);
    try (ProtectedSet set = TestSets.build(folder, values, dim, Precision.FLOAT32);
        EmpiricalDenoiser denoiser = memoriser(values, dim)) {
      Shield none = Shield.builder().build();
      List<Sample> samples =
          new ShieldedSampler(denoiser, new Euler(), SCHEDULE, STEPS, none, dim)
              .sample(seeds(0, 200), Condition.NONE);
      double radius = set.radius(0.1);
      assertThat(samples)
          .filteredOn(sample -> Plain.nearest(sample.latent(), values) <= radius)
          .hasSizeGreaterThanOrEqualTo(198);
      assertThat(samples).allMatch(sample -> sample.certificate().isEmpty() && !sample.failed());
    }
  }

  @Test
  void runs_that_stop_above_zero_are_guaranteed_too() throws Exception {
    // Stable Diffusion 1.5's own scheduler: what comes out is x̂0 and the noise that is left,
    // scaled.
    Plan plan =
        Scheduler.parse(
                """
                {"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear",
                 "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1,
                 "clip_sample": false, "set_alpha_to_one": false}
                """)
            .plan(STEPS);
    try (ProtectedSet set = set();
        EmpiricalDenoiser denoiser = memoriser(VALUES, DIM)) {
      double radius = set.radius(0.3);
      Shield none = Shield.builder().build();
      List<Sample> plain =
          new ShieldedSampler(denoiser, plan.sampler(), plan.levels(), none, DIM)
              .sample(seeds(0, 16), Condition.NONE);
      assertThat(plain).allMatch(copy -> Plain.nearest(copy.latent(), VALUES) <= radius);
      assertThat(plain).noneMatch(copy -> Plain.nearest(copy.latent(), VALUES) == 0);
      List<Sample> samples =
          new ShieldedSampler(denoiser, plan.sampler(), plan.levels(), protecting(set, radius), DIM)
              .guaranteeing(set, radius)
              .sample(seeds(0, 16), Condition.NONE);
      assertThat(samples)
          .allMatch(sample -> Plain.nearest(sample.latent(), VALUES) > radius)
          .allMatch(sample -> sample.certificate().isPresent() && !sample.failed());
    }
  }

  static Stream<Sampler> samplers() {
    return Stream.of(
        new Euler(),
        Heun.deterministic(),
        new Heun(10, 0.05, 15, 1.003),
        new Ancestral(1),
        new Ddim(0),
        new Ddim(1),
        new FlowHeun(),
        new DpmSolver2M(),
        new DpmSolver2M(1, true));
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 40})
  void the_guarantee_alone_takes_copies_out_of_a_half_precision_set(int dim) throws Exception {
    float[] values = Plain.gaussian(new SplittableRandom(dim), 200, dim);
    try (ProtectedSet set = TestSets.build(folder, values, dim, Precision.FLOAT16);
        EmpiricalDenoiser denoiser = memoriser(values, dim)) {
      double radius = set.radius(0.2);
      List<Sample> samples =
          new ShieldedSampler(denoiser, new Euler(), SCHEDULE, STEPS, Shield.builder().build(), dim)
              .guaranteeing(set, radius)
              .sample(seeds(0, 24), Condition.NONE);
      for (Sample sample : samples) {
        assertThat(sample.failure()).isEmpty();
        assertThat(sample.moved()).isPositive();
        assertThat(Plain.nearest(sample.latent(), values)).isGreaterThan(radius);
        assertThat(sample.certificate().orElseThrow().check(set, sample.latent())).isEmpty();
      }
    }
  }

  private static List<float[]> latents(List<Sample> samples) {
    return samples.stream().map(Sample::latent).toList();
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void a_seed_gives_the_same_sample_in_any_batch_and_order(Sampler sampler) throws Exception {
    try (ProtectedSet set = set();
        EmpiricalDenoiser denoiser = memoriser(VALUES, DIM)) {
      ShieldedSampler run = run(denoiser, sampler, set, set.radius(0.3));
      List<float[]> whole = latents(run.sample(seeds(0, 16), Condition.NONE));
      for (int size : new int[] {1, 4}) {
        List<float[]> parts = new ArrayList<>();
        for (int from = 0; from < 16; from += size) {
          parts.addAll(latents(run.sample(seeds(from, size), Condition.NONE)));
        }
        assertThat(parts.toArray(float[][]::new)).isDeepEqualTo(whole.toArray(float[][]::new));
      }
      long[] permuted = seeds(0, 16);
      for (int i = 0; i < 16; i++) {
        permuted[i] = (7L * i + 3) % 16;
      }
      List<Sample> samples = run.sample(permuted, Condition.NONE);
      for (int i = 0; i < 16; i++) {
        assertThat(samples.get(i).requestedSeed()).isEqualTo(permuted[i]);
        assertThat(samples.get(i).latent()).isEqualTo(whole.get((int) permuted[i]));
      }
    }
  }
}
