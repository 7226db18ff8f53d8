package spellshield.sampler.guarantee;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.index.store.Precision;
import spellshield.sampler.Condition;
import spellshield.sampler.Euler;
import spellshield.sampler.Latents;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.shield.History;
import spellshield.sampler.shield.Shield;

/// Sampling anew where a sample cannot be brought outside.
class ResamplingTest {
  private static final NoiseSchedule SCHEDULE = new NoiseSchedule.Karras(0.01, 20, 7);
  private static final int STEPS = 12;

  @TempDir private Path folder;

  private static EmpiricalDenoiser memoriser(float[] values, int dim) {
    return EmpiricalDenoiser.of(new Latents(values, values.length / dim, dim));
  }

  private static long[] seeds(int from, int count) {
    return LongStream.range(from, from + count).toArray();
  }

  @Test
  void where_there_is_no_way_out_sampling_anew_ends_and_the_sample_is_reported() throws Exception {
    // A gapless line of balls; the memoriser only knows its middle, 100 radii from either end.
    float[] line = new float[201];
    for (int i = 0; i < line.length; i++) {
      line[i] = i - 100;
    }
    History history = new History(1);
    Shield shield = Shield.builder().history(history, 1).build();
    try (ProtectedSet set = TestSets.build(folder, line, 1, Precision.FLOAT32);
        EmpiricalDenoiser denoiser = memoriser(new float[] {-2, -1, 0, 1, 2}, 1)) {
      List<Sample> samples =
          new ShieldedSampler(denoiser, new Euler(), SCHEDULE, STEPS, shield, 1)
              .guaranteeing(set, 1)
              .sample(seeds(0, 5), Condition.NONE);
      for (Sample sample : samples) {
        assertThat(sample.failed()).isTrue();
        assertThat(sample.certificate()).isEmpty();
        assertThat(sample.attempts()).isEqualTo(ShieldedSampler.MOST_ATTEMPTS);
        assertThat(sample.seed()).isNotEqualTo(sample.requestedSeed());
        assertThat(sample.activity().steps()).isEqualTo(STEPS * ShieldedSampler.MOST_ATTEMPTS);
      }
      assertThat(history.outputs()).isEmpty();
    }
  }

  @Test
  void a_sample_with_no_way_out_is_sampled_anew_where_another_seed_has_one() throws Exception {
    float[] line = new float[101];
    for (int i = 0; i < line.length; i++) {
      line[i] = i - 50;
    }
    // Half of what the memoriser knows is in the middle of the line, half beside its end.
    float[] known = {-1, 0, 1, 49.5f, 50.5f, 51};
    try (ProtectedSet set = TestSets.build(folder, line, 1, Precision.FLOAT32);
        EmpiricalDenoiser denoiser = memoriser(known, 1)) {
      NoiseSchedule schedule = new NoiseSchedule.Karras(0.01, 200, 7);
      List<Sample> samples =
          new ShieldedSampler(denoiser, new Euler(), schedule, 20, Shield.builder().build(), 1)
              .guaranteeing(set, 1)
              .sample(seeds(0, 32), Condition.NONE);
      List<Sample> anew = samples.stream().filter(sample -> sample.attempts() > 1).toList();
      assertThat(anew).isNotEmpty().hasSizeLessThan(32);
      for (Sample sample : samples) {
        if (!sample.failed()) {
          Certificate certificate = sample.certificate().orElseThrow();
          assertThat(certificate.check(set, sample.latent())).isEmpty();
          assertThat(certificate.attempts()).isEqualTo(sample.attempts());
          assertThat(certificate.seed() == certificate.requestedSeed())
              .isEqualTo(sample.attempts() == 1);
        }
      }
    }
  }
}
