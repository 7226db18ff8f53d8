package spellshield.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.store.DamagedSetException;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;

class LiveSetTest {
  private static final LatentSpace SPACE = new LatentSpace("test-v1", 8);
  private static final int DIM = 8;

  @TempDir private Path folder = Path.of("");
  private long next;

  @Test
  void a_lease_is_of_the_newest_epoch_and_older_ones_are_closed_with_their_last_lease()
      throws IOException {
    build(40, SPACE);
    try (LiveSet live = LiveSet.open(folder)) {
      LiveSet.Lease first = live.lease();
      LiveSet.Lease second = live.lease();
      ProtectedSet old = first.set();
      assertThat(second.set()).isSameAs(old);
      add(1);
      try (LiveSet.Lease moved = live.lease()) {
        assertThat(moved.set().epoch()).isEqualTo(2);
        assertThat(moved.set().count()).isEqualTo(41);
        assertOpen(old);
        first.close();
        first.close(); // once is enough, twice is as good
        assertThatIllegalStateException()
            .isThrownBy(first::set)
            .withMessage("the lease of epoch 1 was closed; take another");
        assertOpen(old);
        second.close();
        assertClosed(old);
        assertOpen(moved.set());
      }
    }
  }

  @Test
  void every_kind_of_change_is_followed() throws IOException {
    build(40, SPACE);
    try (LiveSet live = LiveSet.open(folder)) {
      add(1);
      assertThat(count(live)).isEqualTo(41);
      try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
        editor.remove("item-3");
        editor.commit(Instant.EPOCH, "out");
      }
      assertThat(count(live)).isEqualTo(40);
      try (ProtectedSetBuilder builder = ProtectedSetBuilder.compacting(folder)) {
        builder.commit(Instant.EPOCH);
      }
      try (LiveSet.Lease lease = live.lease()) {
        assertThat(lease.set().epoch()).isEqualTo(4);
        assertThat(lease.set().item(3).id()).isEqualTo("item-4");
      }
      build(7, SPACE);
      assertThat(count(live)).isEqualTo(7);
    }
  }

  @Test
  void a_closed_live_set_leases_nothing_and_closes_with_its_last_lease() throws IOException {
    build(5, SPACE);
    LiveSet live = LiveSet.open(folder);
    LiveSet.Lease lease = live.lease();
    ProtectedSet set = lease.set();
    live.close();
    live.close();
    assertThatIllegalStateException().isThrownBy(live::lease).withMessageContaining("is closed");
    assertOpen(set);
    lease.close();
    assertClosed(set);
  }

  @Test
  void a_still_set_stays_where_it_is_and_belongs_to_its_opener() throws IOException {
    build(5, SPACE);
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      try (LiveSet still = LiveSet.still(set)) {
        add(1);
        try (LiveSet.Lease lease = still.lease()) {
          assertThat(lease.set()).isSameAs(set);
        }
      }
      assertOpen(set);
    }
  }

  @Test
  void a_newest_epoch_of_another_space_or_with_damage_is_refused_not_passed_over()
      throws IOException {
    build(5, SPACE);
    try (LiveSet live = LiveSet.open(folder)) {
      build(6, new LatentSpace("other", DIM));
      assertThatThrownBy(live::lease)
          .isInstanceOf(FingerprintMismatchException.class)
          .hasMessageContaining("other");
      build(7, SPACE);
      assertThat(count(live)).isEqualTo(7);
      add(1);
      Files.writeString(folder.resolve("manifest.000004"), "no manifest");
      assertThatThrownBy(live::lease).isInstanceOf(DamagedSetException.class);
    }
  }

  @Test
  void many_threads_never_meet_a_closed_set_nor_an_epoch_older_than_what_they_saw_committed()
      throws IOException, InterruptedException, ExecutionException {
    build(60, SPACE);
    Set<ProtectedSet> seen = ConcurrentHashMap.newKeySet();
    AtomicLong committed = new AtomicLong(1);
    ProtectedSet last;
    try (LiveSet live = LiveSet.open(folder);
        ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Future<Long>> readers = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        readers.add(pool.submit(reader(live, committed, seen)));
      }
      for (int change = 0; change < 25; change++) {
        add(1);
        committed.incrementAndGet();
      }
      for (Future<Long> reader : readers) {
        assertThat(reader.get()).isEqualTo(26);
      }
      try (LiveSet.Lease lease = live.lease()) {
        last = lease.set();
      }
      seen.remove(last);
      seen.forEach(LiveSetTest::assertClosed);
      assertOpen(last);
    }
    assertClosed(last);
  }

  private static Callable<Long> reader(LiveSet live, AtomicLong committed, Set<ProtectedSet> seen) {
    return () -> {
      long epoch = 0;
      while (epoch < 26) {
        long known = committed.get();
        try (LiveSet.Lease lease = live.lease()) {
          ProtectedSet set = lease.set();
          seen.add(set);
          assertThat(set.epoch()).isGreaterThanOrEqualTo(Math.max(known, epoch));
          assertThat(set.exact().search(new float[DIM], 1, 100).getFirst().neighbors())
              .hasSize(59 + (int) set.epoch());
          epoch = set.epoch();
        }
      }
      return epoch;
    };
  }

  private static long count(LiveSet live) throws IOException {
    try (LiveSet.Lease lease = live.lease()) {
      return lease.set().count();
    }
  }

  private static void assertOpen(ProtectedSet set) {
    assertThat(set.exact().nearest(new float[DIM], 1).getFirst()).isPresent();
  }

  private static void assertClosed(ProtectedSet set) {
    assertThatIllegalStateException().isThrownBy(() -> set.exact().nearest(new float[DIM], 1));
  }

  private void build(int count, LatentSpace space) throws IOException {
    SplittableRandom random = new SplittableRandom(count);
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder, space, Precision.FLOAT32)) {
      for (int item = 0; item < count; item++) {
        builder.add(new Item("item-" + item, "", ""), gaussian(random));
      }
      builder.commit(Instant.EPOCH);
    }
  }

  private void add(int count) throws IOException {
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder, SPACE)) {
      SplittableRandom random = new SplittableRandom(next++);
      for (int item = 0; item < count; item++) {
        editor.add(new Item("added-" + random.nextLong(), "", ""), gaussian(random));
      }
      editor.commit(Instant.EPOCH, "in");
    }
  }

  private static float[] gaussian(SplittableRandom random) {
    float[] latent = new float[DIM];
    for (int i = 0; i < DIM; i++) {
      latent[i] = (float) random.nextGaussian();
    }
    return latent;
  }
}
