package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class FailingStorageTest {
  private static final SampleSet OLD = SampleSet.of(21, Precision.FLOAT32, 3, 2);
  private static final SampleSet NEW = SampleSet.of(22, Precision.FLOAT16, 5, 3);
  private static final long SHARD_BYTES = 64 + 2 * 16;

  @Test
  void whichever_call_fails_the_old_set_stays_and_a_second_try_succeeds() throws IOException {
    for (boolean persistent : new boolean[] {false, true}) {
      boolean reachedEnd = false;
      for (int n = 0; !reachedEnd; n++) {
        MemoryStorage disk = new MemoryStorage();
        OLD.build(disk, SHARD_BYTES);
        FailingStorage failing = new FailingStorage(disk, n, persistent);
        boolean committed = false;
        try {
          NEW.build(failing, SHARD_BYTES);
          committed = true;
        } catch (IOException e) {
          assertThat(e).hasMessageContaining("No space left on device");
        }
        reachedEnd = failing.calls <= n;
        SampleSet expected = committed || failing.renamed ? NEW : OLD;
        requireOpensAs(expected, disk);
        disk.kill();
        NEW.build(disk, SHARD_BYTES);
        requireOpensAs(NEW, disk);
        long generation = Manifest.newest(disk).generation();
        assertThat(disk.list()).allMatch(name -> Generations.of(name).orElseThrow() == generation);
      }
    }
  }

  @Test
  void whichever_call_of_a_change_fails_the_epoch_before_stays_and_a_second_try_succeeds()
      throws IOException {
    SampleHistory history = new SampleHistory(5);
    MemoryStorage before = new MemoryStorage();
    history.commitNext(before, 1);
    for (long generation = 2; generation <= 4; generation++) {
      for (boolean persistent : new boolean[] {false, true}) {
        boolean reachedEnd = false;
        for (int n = 0; !reachedEnd; n++) {
          MemoryStorage disk = new MemoryStorage(new TreeMap<>(before.files));
          FailingStorage failing = new FailingStorage(disk, n, persistent);
          boolean committed = false;
          try {
            history.commitNext(failing, generation);
            committed = true;
          } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space left on device");
          }
          reachedEnd = failing.calls <= n;
          long expected = committed || failing.renamed ? generation : generation - 1;
          requireGeneration(history, expected, disk);
          disk.kill();
          Manifest next = history.commitNext(disk, expected + 1);
          requireGeneration(history, expected + 1, disk);
          assertThat(disk.list()).allMatch(next::holds);
        }
      }
      history.commitNext(before, generation);
    }
  }

  private static void requireGeneration(SampleHistory history, long generation, Storage disk)
      throws IOException {
    try (LatentStore store = LatentStore.open(disk, Verification.FULL)) {
      assertThat(store.manifest().generation()).isEqualTo(generation);
      history.requireEqualTo(store);
    }
  }

  @Test
  void a_build_that_fails_before_the_rename_clears_its_files_away() throws IOException {
    MemoryStorage disk = new MemoryStorage();
    OLD.build(disk, SHARD_BYTES);
    List<String> before = disk.list();
    FailingStorage probe =
        new FailingStorage(new MemoryStorage(new TreeMap<>(disk.files)), -1, false);
    NEW.build(probe, SHARD_BYTES);
    for (int n = 0; n < probe.calls; n++) {
      FailingStorage failing = new FailingStorage(disk, n, false);
      try {
        NEW.build(failing, SHARD_BYTES);
        break; // only the sweep was hit
      } catch (IOException e) {
        if (failing.renameTried) {
          break; // what a failed rename has done is unknown: nothing may be taken back
        }
        assertThat(disk.list()).isEqualTo(before);
      }
    }
  }

  @Test
  void a_failing_read_is_an_io_exception_and_never_a_damaged_set() throws IOException {
    MemoryStorage disk = new MemoryStorage();
    NEW.build(disk, SHARD_BYTES);
    for (Verification verification : Verification.values()) {
      FailingStorage probe = new FailingStorage(disk, -1, false);
      LatentStore.open(probe, verification).close();
      for (int n = 0; n < probe.calls; n++) {
        FailingStorage failing = new FailingStorage(disk, n, true);
        assertThatThrownBy(() -> LatentStore.open(failing, verification))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("No space left on device");
      }
    }
  }

  @Test
  void short_writes_are_continued() {
    Seeds.check(
        20,
        random -> {
          MemoryStorage whole = new MemoryStorage();
          NEW.build(whole, SHARD_BYTES);
          MemoryStorage pieces = new MemoryStorage();
          NEW.build(new ShortStorage(pieces, random), SHARD_BYTES);
          assertThat(pieces.list()).isEqualTo(whole.list());
          pieces.files.forEach(
              (name, bytes) -> assertThat(bytes).as(name).isEqualTo(whole.files.get(name)));
        });
  }

  @Test
  void a_disk_that_takes_nothing_more_is_an_io_exception() throws IOException {
    MemoryStorage disk = new MemoryStorage();
    OLD.build(disk, SHARD_BYTES);
    Storage full =
        new FilterStorage(disk) {
          @Override
          public Output create(String name) throws IOException {
            return new FilterOutput(super.create(name)) {
              @Override
              public int write(ByteBuffer bytes) {
                return 0;
              }
            };
          }
        };
    assertThatThrownBy(() -> NEW.build(full, SHARD_BYTES))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("the disk took no more than 0 bytes");
    requireOpensAs(OLD, disk);
  }

  private static void requireOpensAs(SampleSet set, Storage storage) throws IOException {
    try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
      set.requireEqualTo(storage, store);
    }
  }

  /// Writes between 0 and all of the bytes at a time, at least one.
  private static final class ShortStorage extends FilterStorage {
    private final SplittableRandom random;

    ShortStorage(Storage base, SplittableRandom random) {
      super(base);
      this.random = random;
    }

    @Override
    public Output create(String name) throws IOException {
      return new FilterOutput(super.create(name)) {
        @Override
        public int write(ByteBuffer bytes) throws IOException {
          int n = random.nextInt(1, bytes.remaining() + 1);
          ByteBuffer part = bytes.slice(bytes.position(), n);
          super.write(part);
          bytes.position(bytes.position() + n);
          return n;
        }
      };
    }
  }

  /// Fails at call number `n`, once or from there on; a failing write takes half of the bytes.
  private static final class FailingStorage extends FilterStorage {
    private final int n;
    private final boolean persistent;
    int calls;
    boolean renameTried;
    boolean renamed;

    FailingStorage(Storage base, int n, boolean persistent) {
      super(base);
      this.n = n;
      this.persistent = persistent;
    }

    private void call() throws IOException {
      int call = calls++;
      if (call == n || (persistent && n >= 0 && call > n)) {
        throw new IOException("No space left on device");
      }
    }

    @Override
    public List<String> list() throws IOException {
      call();
      return super.list();
    }

    @Override
    public long length(String name) throws IOException {
      call();
      return super.length(name);
    }

    @Override
    public InputStream open(String name) throws IOException {
      call();
      return super.open(name);
    }

    @Override
    public MemorySegment map(String name, Arena arena) throws IOException {
      call();
      return super.map(name, arena);
    }

    @Override
    public Output create(String name) throws IOException {
      call();
      return new FilterOutput(super.create(name)) {
        @Override
        public int write(ByteBuffer bytes) throws IOException {
          try {
            call();
          } catch (IOException e) {
            super.write(bytes.slice(bytes.position(), bytes.remaining() / 2));
            throw e;
          }
          return super.write(bytes);
        }

        @Override
        public void sync() throws IOException {
          call();
          super.sync();
        }

        @Override
        public void close() throws IOException {
          super.close();
          call();
        }
      };
    }

    @Override
    public void rename(String from, String to) throws IOException {
      renameTried = true;
      call();
      super.rename(from, to);
      renamed = true;
    }

    @Override
    public void delete(String name) throws IOException {
      call();
      super.delete(name);
    }

    @Override
    public void syncFolder(String folder) throws IOException {
      call();
      super.syncFolder(folder);
    }

    @Override
    public Closeable lock() throws IOException {
      call();
      Closeable lock = super.lock();
      return () -> {
        lock.close();
        call();
      };
    }
  }
}
