package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import spellshield.index.store.MemoryStorage.Change;
import spellshield.index.testing.Seeds;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// Builds with checkpoints that are stopped in every way, and go on.
class ResumeTest {
  private static final LatentSpace SPACE = new LatentSpace("test", 2);
  private static final int IMAGES = 23;
  private static final int CHECKPOINT_EVERY = 4;
  private static final long SHARD_BYTES = 64 + 3 * 16;

  /// A source of images, some of equal files, some with a variant; number `n` is always the same.
  private static void add(SetWriter writer, int n) throws IOException {
    int file = n % 5 == 4 ? n - 3 : n;
    String sha256 = Hashes.sha256(("file " + file).getBytes(StandardCharsets.UTF_8));
    Item item = new Item("image " + n, "", "", sha256, "");
    if (writer.holding(sha256).isPresent()) {
      writer.join(item, writer.holding(sha256).getAsLong());
      return;
    }
    writer.add(item, new float[] {n, 1});
    if (n % 3 == 0) {
      writer.add(item.withEdit("mirror"), new float[] {1, n});
    }
  }

  private static JsonNode position(int next) {
    return JsonNodeFactory.instance.objectNode().put("next", next);
  }

  /// Begins or goes on, and ends.
  private static Manifest build(Storage storage) throws IOException {
    Optional<Manifest> unfinished = Optional.empty();
    try {
      unfinished = SetWriter.unfinished(storage);
    } catch (DamagedSetException e) {
      // given up
    }
    int from =
        unfinished
            .map(m -> m.section(SetWriter.STATE).orElseThrow().get("next").intValue())
            .orElse(0);
    try (SetWriter writer =
        unfinished.isPresent()
            ? SetWriter.resume(storage, SHARD_BYTES)
            : SetWriter.begin(storage, SPACE, Precision.FLOAT16, SHARD_BYTES)) {
      for (int n = from; n < IMAGES; n++) {
        if (n > from && n % CHECKPOINT_EVERY == 0) {
          writer.checkpoint(position(n));
        }
        add(writer, n);
      }
      writer.checkpoint(position(IMAGES));
      writer.latents().close();
      try (OutputStream sketch = writer.file("sketch", "sketch")) {
        sketch.write(1);
      }
      return writer.commit(Map.of(), SampleSet.CREATED);
    }
  }

  /// Builds unless it is done; then only what a killed commit did not clear away is left over.
  private static void finish(Storage storage) throws IOException {
    if (storage.list().contains(Generations.manifest(1))) {
      Manifest manifest = Manifest.newest(storage);
      Generations.sweep(storage, manifest::holds); // as the next writer does
    } else {
      build(storage);
    }
  }

  private static SortedMap<String, byte[]> whole() throws IOException {
    MemoryStorage storage = new MemoryStorage();
    build(storage);
    return storage.files;
  }

  @Test
  void a_build_killed_after_any_call_goes_on_to_the_same_bits() throws IOException {
    MemoryStorage calm = new MemoryStorage();
    build(calm);
    int calls = calm.changes.size();
    assertThat(calls).isGreaterThan(60);
    for (int stop = 1; stop < calls; stop++) {
      MemoryStorage storage = new MemoryStorage();
      try {
        build(new KilledStorage(storage, stop));
      } catch (Killed e) {
        // what a killed process leaves: all that it wrote
      }
      storage.kill();
      finish(storage);
      assertThat(storage.files)
          .as("killed after %d calls", stop)
          .containsExactlyEntriesOf(calm.files);
    }
  }

  @Test
  void a_power_cut_at_any_moment_costs_no_more_than_what_followed_the_last_checkpoint()
      throws IOException {
    SortedMap<String, byte[]> whole = whole();
    MemoryStorage storage = new MemoryStorage();
    build(storage);
    CrashedDisk disk = new CrashedDisk();
    SplittableRandom random = new SplittableRandom(3);
    int resumed = 0;
    for (Change change : storage.changes) {
      disk.play(change);
      for (int i = 0; i < 20; i++) {
        MemoryStorage crashed = new MemoryStorage(disk.crash(random));
        Optional<Manifest> unfinished = SetWriter.unfinished(crashed);
        if (unfinished.isPresent()) {
          resumed++;
          SetWriter.resume(crashed, SHARD_BYTES).close(); // what it names is whole
        }
        finish(crashed);
        assertThat(crashed.files).containsExactlyEntriesOf(whole);
      }
    }
    assertThat(resumed).isGreaterThan(500);
  }

  @Test
  void a_build_stopped_again_and_again_ends_with_the_same_bits() throws IOException {
    SortedMap<String, byte[]> whole = whole();
    Seeds.check(
        200,
        random -> {
          MemoryStorage storage = new MemoryStorage();
          for (boolean done = false; !done; ) {
            try {
              finish(new KilledStorage(storage, random.nextInt(5, 60)));
              done = true;
            } catch (Killed e) {
              storage.kill();
            }
          }
          assertThat(storage.files).containsExactlyEntriesOf(whole);
        });
  }

  @Test
  void a_writer_closed_after_a_checkpoint_leaves_it_and_one_without_leaves_nothing()
      throws IOException {
    MemoryStorage storage = new MemoryStorage();
    try (SetWriter writer = SetWriter.begin(storage, SPACE, Precision.FLOAT32)) {
      add(writer, 0);
    }
    assertThat(storage.files).isEmpty();
    try (SetWriter writer = SetWriter.begin(storage, SPACE, Precision.FLOAT32)) {
      add(writer, 0);
      writer.checkpoint(position(1));
      add(writer, 1);
    }
    assertThat(SetWriter.unfinished(storage).orElseThrow().count()).isEqualTo(2);
    try (SetWriter writer = SetWriter.resume(storage, 1 << 20)) {
      assertThat(writer.count()).isEqualTo(2); // an image and its variant
      assertThatThrownBy(() -> add(writer, 0)).hasMessageContaining("ids are unique");
    }
    SetWriter.begin(storage, SPACE, Precision.FLOAT32).close(); // gives it up
    assertThat(storage.files).isEmpty();
    assertThatThrownBy(() -> SetWriter.resume(storage, 1 << 20))
        .hasMessageContaining("no unfinished build");
  }

  @Test
  void a_damaged_checkpoint_or_file_is_refused() throws IOException {
    MemoryStorage storage = new MemoryStorage();
    try (SetWriter writer = SetWriter.begin(storage, SPACE, Precision.FLOAT32, SHARD_BYTES)) {
      for (int n = 0; n < 10; n++) {
        add(writer, n);
      }
      writer.checkpoint(position(10));
    }
    assertThat(storage.files).containsKeys("latents.000001.003", "names.000001");
    Seeds.check(
        2_000,
        random -> {
          List<String> names = new ArrayList<>(storage.files.keySet());
          String name = names.get(random.nextInt(names.size()));
          byte[] changed = storage.files.getOrDefault(name, new byte[0]).clone();
          changed[random.nextInt(changed.length)] ^= (byte) (1 << random.nextInt(8));
          SortedMap<String, byte[]> all = new TreeMap<>(storage.files);
          all.put(name, changed);
          assertThatThrownBy(() -> SetWriter.resume(new MemoryStorage(all), SHARD_BYTES))
              .isInstanceOf(DamagedSetException.class);
        });
  }

  @ParameterizedTest
  @EnumSource
  void a_set_is_not_changed_while_a_build_is_unfinished(Follower follower) throws IOException {
    MemoryStorage storage = new MemoryStorage();
    build(storage);
    try (SetWriter writer = SetWriter.begin(storage, SPACE, Precision.FLOAT32)) {
      writer.checkpoint(position(0));
    }
    assertThatThrownBy(() ->
            (follower == Follower.EXTEND
                    ? SetWriter.extend(storage, SHARD_BYTES)
                    : SetWriter.rewrite(storage, SHARD_BYTES))
                .close())
        .hasMessageContaining("a build is unfinished here");
    try (SetWriter writer = SetWriter.resume(storage, SHARD_BYTES)) {
      writer.commit(Map.of(), SampleSet.CREATED);
    }
    try (SetWriter writer = SetWriter.extend(storage, SHARD_BYTES)) {
      assertThatThrownBy(() -> writer.checkpoint(position(0)))
          .hasMessageContaining("only a build from nothing has checkpoints");
    }
  }

  enum Follower {
    EXTEND,
    REWRITE
  }

  /// Thrown in the place of SIGKILL.
  private static final class Killed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /// Takes so many changes of the folder; nothing after them happens any more.
  private static final class KilledStorage extends FilterStorage {
    private int left;

    KilledStorage(Storage base, int calls) {
      super(base);
      left = calls;
    }

    private void count() {
      if (left-- <= 0) {
        throw new Killed();
      }
    }

    private Output counted(Output output) {
      return new FilterOutput(output) {
        @Override
        public int write(ByteBuffer bytes) throws IOException {
          count();
          return super.write(bytes);
        }

        @Override
        public void sync() throws IOException {
          count();
          super.sync();
        }
      };
    }

    @Override
    public Output create(String name) throws IOException {
      count();
      return counted(super.create(name));
    }

    @Override
    public Output append(String name, long length) throws IOException {
      count();
      return counted(super.append(name, length));
    }

    @Override
    public void rename(String from, String to) throws IOException {
      count();
      super.rename(from, to);
    }

    @Override
    public void delete(String name) throws IOException {
      count();
      super.delete(name);
    }

    @Override
    public void syncFolder(String folder) throws IOException {
      count();
      super.syncFolder(folder);
    }
  }
}
