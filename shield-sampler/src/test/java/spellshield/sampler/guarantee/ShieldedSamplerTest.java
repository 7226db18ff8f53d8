package spellshield.sampler.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.FingerprintMismatchException;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.index.store.RadiusScales;
import spellshield.sampler.Ancestral;
import spellshield.sampler.Condition;
import spellshield.sampler.Ddim;
import spellshield.sampler.DpmSolver2M;
import spellshield.sampler.Euler;
import spellshield.sampler.Heun;
import spellshield.sampler.Latents;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.shield.History;
import spellshield.sampler.shield.Shield;

class ShieldedSamplerTest {
  private static final int DIM = 32;
  private static final int COUNT = 300;
  private static final LatentSpace SPACE = new LatentSpace("test-v1", 2, 4, 4);
  private static final NoiseSchedule SCHEDULE = new NoiseSchedule.Karras(0.01, 20, 7);
  private static final List<Sampler> SAMPLERS =
      List.of(
          new Euler(),
          Heun.deterministic(),
          new Heun(10, 0.05, 10, 1.003),
          new Ancestral(1),
          new Ddim(0),
          new Ddim(1),
          new DpmSolver2M());

  @TempDir private static Path folder;
  private static float[] values = {};

  @SuppressWarnings("NullAway.Init") // JUnit calls build() first
  private static ProtectedSet set;

  @SuppressWarnings("NullAway.Init") // JUnit calls build() first
  private static EmpiricalDenoiser memoriser;

  @BeforeAll
  static void build() throws IOException {
    // Half of the latents are variations of an earlier one: balls overlap from small radii on.
    SplittableRandom random = new SplittableRandom(8);
    values = new float[COUNT * DIM];
    for (int item = 0; item < COUNT; item++) {
      int earlier = item < 2 || random.nextBoolean() ? -1 : random.nextInt(item);
      for (int i = 0; i < DIM; i++) {
        double noise = 0.5 * random.nextGaussian();
        values[item * DIM + i] =
            (float) (earlier < 0 ? noise : values[earlier * DIM + i] + 0.3 * noise);
      }
    }
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder.resolve("set"), SPACE, Precision.FLOAT32)) {
      for (int item = 0; item < COUNT; item++) {
        float[] latent = new float[DIM];
        System.arraycopy(values, item * DIM, latent, 0, DIM);
        builder.add(new Item("item-" + item, "", ""), latent);
      }
      builder.commit(Instant.EPOCH);
    }
    set = ProtectedSet.open(folder.resolve("set"));
    memoriser = EmpiricalDenoiser.of(new Latents(values, COUNT, 2, 4, 4));
  }

  @AfterAll
  static void close() throws IOException {
    set.close();
    memoriser.close();
  }

  @Test
  void the_memoriser_copies_when_plain_and_never_when_shielded_with_every_sampler_and_radius() {
    for (Sampler sampler : SAMPLERS) {
      for (double share : new double[] {0.1, 0.2, 0.3, 0.5}) {
        double radius = set.radius(share);
        List<Sample> plain =
            sampler(sampler, Shield.builder().build()).sample(seeds(0, 24), Condition.NONE);
        assertThat(inside(plain, radius)).as("%s plain", sampler).isGreaterThanOrEqualTo(23);
        List<Sample> shielded =
            sampler(sampler, shield(radius).build())
                .guaranteeing(set, radius)
                .sample(seeds(0, 24), Condition.NONE);
        for (Sample sample : shielded) {
          assertThat(sample.failure()).isEmpty();
          assertThat(sample.certificate().orElseThrow().check(set, sample.latent())).isEmpty();
        }
        assertThat(inside(shielded, radius)).as("%s at %s", sampler, share).isZero();
      }
    }
  }

  @Test
  void a_seed_gives_the_same_bits_in_any_batch_and_with_any_number_of_threads() throws Exception {
    double radius = set.radius(0.3);
    List<Sample> expected = shieldedEuler(radius).sample(seeds(0, 12), Condition.NONE);
    for (int batch : new int[] {1, 5}) {
      List<Sample> samples = new ArrayList<>();
      for (int from = 0; from < 12; from += batch) {
        samples.addAll(
            shieldedEuler(radius).sample(seeds(from, Math.min(batch, 12 - from)), Condition.NONE));
      }
      assertSame(samples, expected);
    }
    for (int threads : new int[] {1, 2, 7}) {
      try (ForkJoinPool pool = new ForkJoinPool(threads)) {
        assertSame(
            pool.submit(() -> shieldedEuler(radius).sample(seeds(0, 12), Condition.NONE)).get(),
            expected);
      }
    }
  }

  @Test
  void candidate_lists_change_no_bit_and_save_most_searches() {
    double radius = set.radius(0.2);
    List<Sample> with = shieldedEuler(radius).sample(seeds(0, 16), Condition.NONE);
    List<Sample> without =
        sampler(new Euler(), shield(radius).candidateLists(false).build())
            .guaranteeing(set, radius)
            .sample(seeds(0, 16), Condition.NONE);
    int searches = 0;
    for (int i = 0; i < 16; i++) {
      assertThat(with.get(i).latent()).isEqualTo(without.get(i).latent());
      assertThat(with.get(i).activity().acted()).isEqualTo(without.get(i).activity().acted());
      assertThat(without.get(i).activity().searches()).isEqualTo(20);
      searches += with.get(i).activity().searches();
    }
    assertThat(searches).isLessThan(16 * 20 / 2);
  }

  @Test
  void with_balls_of_their_own_no_output_is_inside_and_candidate_lists_change_no_bit()
      throws IOException {
    RadiusScales scales = Plain.scales(new SplittableRandom(9), COUNT);
    Path path = folder.resolve("scaled");
    try (ProtectedSet own = TestSets.build(path, values, DIM, Precision.FLOAT16, scales)) {
      double radius = own.radius(0.15);
      for (boolean graph : new boolean[] {false, true}) {
        Shield.Builder shield =
            Shield.builder().protecting(graph ? own.hnsw() : own.exact(), own.latents(), radius);
        List<Sample> with =
            sampler(new Euler(), shield.build())
                .guaranteeing(own, radius)
                .sample(seeds(0, 16), Condition.NONE);
        for (Sample sample : with) {
          assertThat(sample.failure()).isEmpty();
          assertThat(sample.certificate().orElseThrow().check(own, sample.latent())).isEmpty();
          assertThat(Plain.nearest(sample.latent(), values, scales)).isGreaterThan(radius);
        }
        if (!graph) {
          List<Sample> without =
              sampler(new Euler(), shield.candidateLists(false).build())
                  .guaranteeing(own, radius)
                  .sample(seeds(0, 16), Condition.NONE);
          for (int i = 0; i < 16; i++) {
            assertThat(with.get(i).latent()).isEqualTo(without.get(i).latent());
          }
        }
      }
    }
  }

  @Test
  void batch_and_history_keep_all_outputs_a_radius_apart() throws IOException {
    double radius = set.radius(0.2);
    History history = new History(DIM);
    Shield shield = shield(radius).intraBatch(radius).history(history, radius).build();
    List<float[]> outputs = new ArrayList<>();
    for (int batch = 0; batch < 3; batch++) {
      long[] seeds = seeds(100, 8); // the same seeds again and again: the hardest case
      for (Sample sample :
          sampler(new Euler(), shield).guaranteeing(set, radius).sample(seeds, Condition.NONE)) {
        assertThat(sample.failure()).isEmpty();
        outputs.add(sample.latent());
      }
    }
    for (int i = 0; i < outputs.size(); i++) {
      for (int j = 0; j < i; j++) {
        assertThat(distance(outputs.get(i), 0, outputs.get(j))).isGreaterThan(radius);
      }
    }
    history.save(folder.resolve("history"), SPACE, Instant.EPOCH);
    History loaded = History.load(folder.resolve("history"), SPACE);
    assertThat(loaded.outputs()).hasSize(24);
    for (int i = 0; i < 24; i++) {
      assertThat(loaded.outputs().get(i).latent()).isEqualTo(outputs.get(i));
      assertThat(loaded.outputs().get(i).seed()).isEqualTo(history.outputs().get(i).seed());
    }
    assertThatThrownBy(
            () -> History.load(folder.resolve("history"), new LatentSpace("other", 2, 4, 4)))
        .isInstanceOf(FingerprintMismatchException.class)
        .hasMessageContaining("other");
  }

  @Test
  void a_certificate_reads_back_and_holds_for_its_latent_and_its_set_alone() {
    double radius = set.radius(0.3);
    Sample sample = shieldedEuler(radius).sample(seeds(5, 1), Condition.NONE).getFirst();
    Certificate certificate = sample.certificate().orElseThrow();
    assertThat(Certificate.parse(certificate.toJson())).isEqualTo(certificate);
    float[] other = sample.latent().clone();
    other[3] = Math.nextUp(other[3]);
    assertThat(certificate.check(set, other)).isNotEmpty();
    String json = certificate.toJson();
    for (String[] change :
        new String[][] {
          {certificate.setId(), certificate.setId().replace('a', 'b').replace('1', '2')},
          {"\"radius\" : ", "\"radius\" : 9"},
          {"\"nearestDistance\" : ", "\"nearestDistance\" : 1"},
          {"\"nearestLower\" : ", "\"nearestLower\" : 1"},
          {"\"exact\"", "\"hnsw\""},
          {"\"nearestId\" : \"item-", "\"nearestId\" : \"item-x"},
          {"\"setCount\" : ", "\"setCount\" : 1"}
        }) {
      Certificate tampered = Certificate.parse(json.replace(change[0], change[1]));
      assertThat(tampered.check(set, sample.latent())).as(change[1]).isNotEmpty();
    }
    assertThatThrownBy(() -> Certificate.parse("{}x")).isInstanceOf(IllegalArgumentException.class);
  }

  private static ShieldedSampler shieldedEuler(double radius) {
    return sampler(new Euler(), shield(radius).build()).guaranteeing(set, radius);
  }

  private static Shield.Builder shield(double radius) {
    return Shield.builder().protecting(set.exact(), set.latents(), radius);
  }

  private static ShieldedSampler sampler(Sampler sampler, Shield shield) {
    return new ShieldedSampler(memoriser, sampler, SCHEDULE, 20, shield, 2, 4, 4);
  }

  private static long[] seeds(int from, int count) {
    long[] seeds = new long[count];
    for (int i = 0; i < count; i++) {
      seeds[i] = (long) from + i;
    }
    return seeds;
  }

  private static void assertSame(List<Sample> samples, List<Sample> expected) {
    assertThat(samples).hasSameSizeAs(expected);
    for (int i = 0; i < samples.size(); i++) {
      assertThat(samples.get(i).latent()).isEqualTo(expected.get(i).latent());
      assertThat(samples.get(i).certificate()).isEqualTo(expected.get(i).certificate());
    }
  }

  private static int inside(List<Sample> samples, double radius) {
    int inside = 0;
    for (Sample sample : samples) {
      double least = Double.POSITIVE_INFINITY;
      for (int item = 0; item < COUNT; item++) {
        least = Math.min(least, distance(values, item * DIM, sample.latent()));
      }
      inside += least <= radius ? 1 : 0;
    }
    return inside;
  }

  private static double distance(float[] a, int offset, float[] b) {
    double sum = 0;
    for (int i = 0; i < DIM; i++) {
      sum += Math.pow((double) a[offset + i] - b[i], 2);
    }
    return Math.sqrt(sum);
  }
}
