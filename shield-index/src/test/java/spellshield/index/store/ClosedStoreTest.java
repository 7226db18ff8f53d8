package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClosedStoreTest {
  private static final SampleSet SET = SampleSet.of(1, Precision.FLOAT32, 64, 300);

  @TempDir private Path folder;

  @Test
  void a_closed_store_says_so_and_closes_again() throws IOException {
    DiskStorage disk = DiskStorage.at(folder);
    SET.build(disk, 1 << 20);
    LatentStore store = LatentStore.open(disk, Verification.FULL);
    store.requireOpen();
    store.close();
    store.close();
    assertThatIllegalStateException().isThrownBy(store::requireOpen);
    assertThatIllegalStateException()
        .isThrownBy(() -> store.read(0, new float[300]))
        .withMessage("the protected set in %s is closed", folder);
    assertThatIllegalStateException()
        .isThrownBy(() -> store.item(0))
        .withMessageEndingWith("is closed");
  }

  @Test
  void closing_under_many_readers_ends_each_with_the_same_words_and_no_wrong_value()
      throws Exception {
    DiskStorage disk = DiskStorage.at(folder);
    SET.build(disk, 1 << 20);
    int readers = 4;
    try (ExecutorService threads = Executors.newFixedThreadPool(readers)) {
      for (int round = 0; round < 200; round++) {
        LatentStore store = LatentStore.open(disk, Verification.ON_USE);
        CountDownLatch running = new CountDownLatch(readers);
        List<Future<String>> endings = new ArrayList<>();
        for (int i = 0; i < readers; i++) {
          endings.add(threads.submit(reader(store, running, i % 2 == 0)));
        }
        running.await();
        store.close();
        for (Future<String> ending : endings) {
          assertThat(ending.get()).isEqualTo("the protected set in %s is closed", folder);
        }
      }
    }
  }

  private static Callable<String> reader(LatentStore store, CountDownLatch running, boolean rows) {
    return () -> {
      float[] row = new float[300];
      for (int i = 0; ; i = (i + 1) % 64) {
        try {
          if (rows) {
            store.read(i, row);
            assertThat(row).isEqualTo(SET.latents().get(i));
          } else {
            assertThat(store.item(i)).isEqualTo(SET.items().get(i));
          }
        } catch (IllegalStateException e) {
          return String.valueOf(e.getMessage());
        }
        running.countDown();
      }
    };
  }
}
