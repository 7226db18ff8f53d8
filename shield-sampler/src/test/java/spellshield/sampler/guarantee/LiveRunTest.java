package spellshield.sampler.guarantee;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import spellshield.index.LiveSet;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.ProtectedSetEditor;
import spellshield.index.store.Item;
import spellshield.index.store.Precision;
import spellshield.index.testing.Seeds;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Euler;
import spellshield.sampler.Heun;
import spellshield.sampler.Latents;
import spellshield.sampler.Levels;
import spellshield.sampler.Noise;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.shield.Shield;
import spellshield.sampler.shield.ShieldedDenoiser;

/// Runs whose protected set changes under them.
class LiveRunTest {
  private static final int DIM = 12;
  private static final int STEPS = 14;
  private static final double RADIUS = 1.5;
  private static final Levels LEVELS = new NoiseSchedule.Karras(0.01, 20, 7).levels(STEPS);
  private static final double LOW = 1e-6; // below all levels
  private static final long[] SEEDS = {1, 2, 3, 4, 5};

  @TempDir private Path folder = Path.of("");

  enum Change {
    ADD,
    REMOVE,
    REMOVE_AND_COMPACT,
    ADD_AND_COMPACT,
    BUILD_ANEW
  }

  /// What the model has memorised; the first half is protected when a run begins.
  private static float[] memorised(long seed) {
    return Plain.gaussian(new SplittableRandom(seed), 60, DIM);
  }

  private void build(float[] values, int from, int to) throws IOException {
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder, TestSets.space(DIM), Precision.FLOAT32)) {
      for (int item = from; item < to; item++) {
        builder.add(item(item), row(values, item));
      }
      builder.commit(Instant.EPOCH);
    }
  }

  private void change(Change change, float[] values) {
    try {
      switch (change) {
        case ADD -> add(values, 30, 60);
        case REMOVE -> remove(0, 20);
        case REMOVE_AND_COMPACT -> {
          remove(0, 20);
          compact();
        }
        case ADD_AND_COMPACT -> {
          remove(3, 5);
          add(values, 30, 60);
          compact();
        }
        case BUILD_ANEW -> build(values, 10, 50);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void add(float[] values, int from, int to) throws IOException {
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder, TestSets.space(DIM))) {
      for (int item = from; item < to; item++) {
        editor.add(item(item), row(values, item));
      }
      editor.commit(Instant.EPOCH, "in");
    }
  }

  private void remove(int from, int to) throws IOException {
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
      for (int item = from; item < to; item++) {
        editor.remove("id-" + item);
      }
      editor.commit(Instant.EPOCH, "out");
    }
  }

  private void compact() throws IOException {
    try (ProtectedSetBuilder builder = ProtectedSetBuilder.compacting(folder)) {
      builder.commit(Instant.EPOCH);
    }
  }

  @ParameterizedTest
  @EnumSource
  void from_the_next_step_on_answers_are_those_of_a_shield_begun_on_the_changed_set(Change change) {
    Seeds.check(
        8,
        random -> {
          float[] values = memorised(random.nextLong());
          build(values, 0, 30);
          int last = random.nextInt(STEPS - 1); // the last call that sees the set as it was
          Sampler sampler = random.nextBoolean() ? new Euler() : Heun.deterministic();
          try (LiveSet live = LiveSet.open(folder);
              ProtectedSet before = ProtectedSet.open(folder);
              EmpiricalDenoiser model = EmpiricalDenoiser.of(new Latents(values, 60, DIM))) {
            Noise noise = new Noise(SEEDS);
            ShieldedDenoiser following =
                Shield.builder().protecting(live, RADIUS).build().over(model, noise);
            List<ProtectedSet> sets = new ArrayList<>(List.of(before));
            List<ShieldedDenoiser> oracles = new ArrayList<>(List.of(fixed(before, model, noise)));
            int[] calls = new int[1];
            Denoiser compared =
                (xt, sigma, condition) -> {
                  Latents answer = following.denoise(xt, sigma, condition);
                  Latents expected = oracles.getLast().denoise(xt, sigma, condition);
                  assertThat(answer.values()).isEqualTo(expected.values());
                  if (calls[0]++ == last) {
                    change(change, values);
                    sets.add(open());
                    ShieldedDenoiser fresh = fixed(sets.getLast(), model, noise);
                    for (int call = 0; call <= last; call++) {
                      // Below its window it only counts: directions are drawn by the call's number.
                      fresh.denoise(xt, LOW / 2, condition);
                    }
                    oracles.add(fresh);
                  }
                  return answer;
                };
            sampler.sample(
                compared, LEVELS, LEVELS.start(noise.draw(0, DIM)), noise, Condition.NONE);
            assertThat(sets).hasSize(2);
            sets.getLast().close();
          }
        });
  }

  private ProtectedSet open() {
    try {
      return ProtectedSet.open(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A shield that searches at each call.
  private static ShieldedDenoiser fixed(ProtectedSet set, Denoiser model, Noise noise) {
    return Shield.builder()
        .protecting(set.exact(), set.latents(), RADIUS)
        .candidateLists(false)
        .window(LOW, Double.POSITIVE_INFINITY)
        .build()
        .over(model, noise);
  }

  private ShieldedSampler run(LiveSet live, Denoiser model) {
    Shield shield = Shield.builder().protecting(live, RADIUS).build();
    return new ShieldedSampler(model, new Euler(), LEVELS, shield, DIM).guaranteeing(live, RADIUS);
  }

  @ParameterizedTest
  @EnumSource
  void the_certificate_is_about_the_newest_epoch_and_checks(Change change) throws IOException {
    float[] values = memorised(7);
    build(values, 0, 30);
    try (LiveSet live = LiveSet.open(folder);
        EmpiricalDenoiser model = EmpiricalDenoiser.of(new Latents(values, 60, DIM))) {
      List<Sample> samples =
          run(live, model)
              .watchedBy(step -> {
                if (step.call() == STEPS / 2) {
                  change(change, values);
                }
                return true;
              })
              .sample(SEEDS, Condition.NONE);
      try (ProtectedSet now = ProtectedSet.open(folder)) {
        assertThat(now.epoch()).isGreaterThan(1);
        for (Sample sample : samples) {
          Certificate certificate = sample.certificate().orElseThrow();
          assertThat(certificate.setGeneration()).isEqualTo(now.epoch());
          assertThat(certificate.check(now, sample.latent())).isEmpty();
        }
      }
    }
  }

  @Test
  void what_is_removed_while_a_run_goes_on_repels_no_longer() throws IOException {
    float[] values = memorised(7);
    build(values, 0, 60);
    try (LiveSet live = LiveSet.open(folder);
        EmpiricalDenoiser model = EmpiricalDenoiser.of(new Latents(values, 60, DIM))) {
      List<Sample> samples =
          run(live, model)
              .watchedBy(step -> {
                if (step.call() == 4) {
                  removeUnchecked();
                }
                return true;
              })
              .sample(SEEDS, Condition.NONE);
      for (Sample sample : samples) { // a memoriser that nothing holds back copies
        assertThat(Plain.nearest(sample.latent(), values)).isLessThan(0.1);
        assertThat(sample.certificate().orElseThrow().setCount()).isZero();
      }
    }
  }

  private void removeUnchecked() {
    try {
      remove(0, 60);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void an_epoch_is_closed_at_the_step_after_its_end() throws IOException {
    float[] values = memorised(7);
    build(values, 0, 30);
    try (LiveSet live = LiveSet.open(folder);
        EmpiricalDenoiser model = EmpiricalDenoiser.of(new Latents(values, 60, DIM))) {
      ProtectedSet first;
      try (LiveSet.Lease lease = live.lease()) {
        first = lease.set();
      }
      run(live, model)
          .watchedBy(step -> {
            if (step.call() == 3) {
              change(Change.ADD, values);
            } else if (step.call() < 3) {
              first.exact().nearest(new float[DIM], 1);
            } else {
              assertThatIllegalStateException()
                  .isThrownBy(() -> first.exact().nearest(new float[DIM], 1));
            }
            return true;
          })
          .sample(SEEDS, Condition.NONE);
    }
  }

  @Test
  void many_runs_at_once_follow_the_changes_and_each_certificate_holds_at_its_epoch()
      throws IOException, InterruptedException, ExecutionException {
    float[] values = memorised(9);
    build(values, 0, 10);
    Map<Long, ProtectedSet> epochs = new TreeMap<>();
    Map<Certificate, float[]> certified = new ConcurrentHashMap<>();
    try (LiveSet live = LiveSet.open(folder);
        EmpiricalDenoiser model = EmpiricalDenoiser.of(new Latents(values, 60, DIM))) {
      epochs.put(1L, open());
      try (ExecutorService pool = Executors.newFixedThreadPool(3)) {
        List<Future<?>> runs = new ArrayList<>();
        for (int thread = 0; thread < 3; thread++) {
          long[] seeds = {10L * thread, 10L * thread + 1};
          runs.add(
              pool.submit(() -> {
                long epoch = 0;
                while (epoch < 11) { // until all changes are done
                  for (Sample sample : run(live, model).sample(seeds, Condition.NONE)) {
                    Certificate certificate = sample.certificate().orElseThrow();
                    assertThat(certificate.setGeneration()).isGreaterThanOrEqualTo(epoch);
                    epoch = certificate.setGeneration();
                    certified.put(certificate, sample.latent());
                  }
                }
                return epoch;
              }));
        }
        for (int change = 1; change <= 10; change++) {
          add(values, 5 * change + 5, 5 * change + 10);
          ProtectedSet now = open();
          epochs.put(now.epoch(), now);
        }
        for (Future<?> run : runs) {
          run.get();
        }
      }
      assertThat(certified).hasSizeGreaterThanOrEqualTo(6);
      for (Map.Entry<Certificate, float[]> entry : certified.entrySet()) {
        ProtectedSet epoch = Objects.requireNonNull(epochs.get(entry.getKey().setGeneration()));
        assertThat(entry.getKey().check(epoch, entry.getValue())).isEmpty();
      }
    } finally {
      for (ProtectedSet epoch : epochs.values()) {
        epoch.close();
      }
    }
  }

  private static Item item(int number) {
    return new Item("id-" + number, "", "");
  }

  private static float[] row(float[] values, int item) {
    return Arrays.copyOfRange(values, item * DIM, (item + 1) * DIM);
  }
}
