package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import spellshield.index.store.MemoryStorage.Change;

/// Every prefix of three builds, one of them killed, and of changes of a set, one of them killed,
/// times the damages of [CrashedDisk].
class CrashTest {
  private static final int DAMAGES = 300;
  private static final List<SampleSet> SETS =
      List.of(
          SampleSet.of(11, Precision.FLOAT32, 3, 2),
          SampleSet.of(12, Precision.FLOAT16, 5, 3),
          SampleSet.of(13, Precision.FLOAT32, 4, 2));
  private static final SampleHistory HISTORY = new SampleHistory(5);

  @Test
  void a_power_cut_leaves_the_old_set_or_the_new_one_and_never_loses_an_acknowledged_one()
      throws IOException {
    Outcome outcome = enumerate(history(storage -> storage), DAMAGES);
    assertThat(outcome.violations).isEmpty();
    assertThat(outcome.states).isGreaterThan(20_000);
    // all three kinds of answers occur, so that the test is not idle
    assertThat(outcome.seen.keySet()).hasSize(4).contains("no set");
  }

  @Test
  void a_power_cut_leaves_the_epoch_before_a_change_or_the_one_after_it() throws IOException {
    Outcome outcome = enumerate(changes(storage -> storage), DAMAGES);
    assertThat(outcome.violations).isEmpty();
    assertThat(outcome.states).isGreaterThan(20_000);
    assertThat(outcome.seen.keySet()).hasSize(6).contains("no set");
  }

  @Test
  void every_crashed_folder_can_be_changed_on_without_leftovers() throws IOException {
    CrashedDisk disk = new CrashedDisk();
    SplittableRandom random = new SplittableRandom(2);
    for (Change change : changes(storage -> storage)) {
      disk.play(change);
      for (int i = 0; i < 5; i++) {
        MemoryStorage storage = new MemoryStorage(disk.crash(random));
        long generation = 0;
        try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
          HISTORY.requireEqualTo(store);
          generation = store.manifest().generation();
        } catch (NoSuchFileException e) {
          // killed before there was a set: the next generation is the first
        }
        Manifest manifest = HISTORY.commitNext(storage, generation + 1);
        assertThat(storage.files.keySet()).isEqualTo(namesOf(manifest));
        try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
          HISTORY.requireEqualTo(store);
        }
      }
    }
  }

  @Test
  void every_crashed_folder_can_be_built_again_without_leftovers() throws IOException {
    SampleSet next = SampleSet.of(14, Precision.FLOAT16, 2, 2);
    CrashedDisk disk = new CrashedDisk();
    SplittableRandom random = new SplittableRandom(1);
    for (Change change : history(storage -> storage)) {
      disk.play(change);
      for (int i = 0; i < 5; i++) {
        MemoryStorage storage = new MemoryStorage(disk.crash(random));
        Manifest manifest = next.build(storage, 1 << 20);
        assertThat(storage.files.keySet()).isEqualTo(namesOf(manifest));
        try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
          next.requireEqualTo(storage, store);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void a_protocol_with_one_mistake_is_caught(Mistake mistake) throws IOException {
    for (List<Change> history :
        List.of(
            history(disk -> new Mistaken(disk, mistake)),
            changes(disk -> new Mistaken(disk, mistake)))) {
      assertThat(enumerate(history, DAMAGES / 10).violations).isNotEmpty();
    }
  }

  /// Builds a set, begins a second one and is killed, builds a third: all that happens to the disk.
  private static List<Change> history(UnaryOperator<Storage> protocol) throws IOException {
    MemoryStorage disk = new MemoryStorage();
    disk.acknowledge(SETS.get(0).build(protocol.apply(disk), 64 + 2 * 16));
    SampleSet killed = SETS.get(1);
    SetWriter writer =
        SetWriter.begin(protocol.apply(disk), killed.space(), killed.precision(), 64 + 2 * 16);
    killed.addTo(writer);
    writer.latents().close();
    writer.file("hnsw", "hnsw/_0.cfs").close();
    disk.kill();
    disk.acknowledge(killed.build(protocol.apply(disk), 64 + 2 * 16));
    disk.acknowledge(SETS.get(2).build(protocol.apply(disk), 1 << 20));
    return disk.changes;
  }

  /// Builds a set and changes it four times, killed once in the middle of adding and removing: all
  /// that happens to the disk.
  private static List<Change> changes(UnaryOperator<Storage> protocol) throws IOException {
    MemoryStorage disk = new MemoryStorage();
    disk.acknowledge(HISTORY.commitNext(protocol.apply(disk), 1));
    try {
      HISTORY.commitNext(
          protocol.apply(disk),
          2,
          writer -> {
            throw new IllegalStateException("killed");
          });
    } catch (IllegalStateException e) {
      disk.kill();
    }
    for (long generation = 2; generation <= 5; generation++) {
      disk.acknowledge(HISTORY.commitNext(protocol.apply(disk), generation));
    }
    return disk.changes;
  }

  private static Outcome enumerate(List<Change> history, int damages) {
    List<String> sets = new ArrayList<>(); // the SHA-256 of each, in order
    for (Change change : history) {
      if (change instanceof Change.Acknowledged(String sha256)) {
        sets.add(sha256);
      }
    }
    Outcome outcome = new Outcome();
    CrashedDisk disk = new CrashedDisk();
    SplittableRandom random = new SplittableRandom(0);
    int acknowledged = 0;
    int renamed = 0;
    for (int k = 0; k <= history.size(); k++) {
      for (int i = 0; i < damages; i++) {
        String found = open(disk.crash(random));
        outcome.states++;
        outcome.seen.merge(found, 1, Integer::sum);
        boolean old = found.equals(acknowledged == 0 ? "no set" : sets.get(acknowledged - 1));
        boolean fresh = renamed > acknowledged && found.equals(sets.get(renamed - 1));
        if (!old && !fresh) {
          outcome.violations.add(
              "after %d changes, %d acknowledged, damage %d: %s"
                  .formatted(k, acknowledged, i, found));
        }
      }
      if (k < history.size()) {
        disk.play(history.get(k));
        acknowledged += history.get(k) instanceof Change.Acknowledged ? 1 : 0;
        renamed += history.get(k) instanceof Change.Rename ? 1 : 0;
      }
    }
    return outcome;
  }

  /// Returns the SHA-256 of the set that a folder opens as, all of it verified, or what else it is.
  private static String open(SortedMap<String, byte[]> files) {
    try (LatentStore store = LatentStore.open(new MemoryStorage(files), Verification.FULL)) {
      return store.manifest().sha256();
    } catch (NoSuchFileException e) {
      return "no set";
    } catch (IOException | RuntimeException e) {
      return e.toString();
    }
  }

  private static Set<String> namesOf(Manifest manifest) {
    SortedMap<String, Boolean> names = new TreeMap<>();
    names.put("manifest.%06d".formatted(manifest.generation()), true);
    manifest.files().forEach(file -> names.put(file.name(), true));
    return names.keySet();
  }

  private static final class Outcome {
    int states;
    final Map<String, Integer> seen = new HashMap<>();
    final List<String> violations = new ArrayList<>();
  }

  enum Mistake {
    FILES_ARE_NOT_SYNCED,
    THE_MANIFEST_IS_NOT_SYNCED,
    FILES_ARE_SYNCED_AFTER_THE_RENAME,
    FOLDERS_ARE_NOT_SYNCED,
    FOLDERS_ARE_NOT_SYNCED_BEFORE_THE_RENAME,
    THE_FOLDER_IS_NOT_SYNCED_AFTER_THE_RENAME,
    THE_SUB_FOLDER_IS_NOT_SYNCED,
    OLD_FILES_ARE_SWEPT_BEFORE_THE_RENAME
  }

  /// The store's protocol with one mistake in it.
  private static final class Mistaken extends FilterStorage {
    private final Mistake mistake;
    private final List<FilterOutput> postponed = new ArrayList<>();
    private boolean renamed;

    Mistaken(Storage base, Mistake mistake) {
      super(base);
      this.mistake = mistake;
    }

    @Override
    public Output create(String name) throws IOException {
      boolean manifest = name.startsWith("manifest");
      Output output = super.create(name);
      return new FilterOutput(output) {
        @Override
        public void sync() throws IOException {
          if (mistake == Mistake.FILES_ARE_SYNCED_AFTER_THE_RENAME && !manifest) {
            postponed.add(new FilterOutput(output));
          } else if (mistake
              != (manifest ? Mistake.THE_MANIFEST_IS_NOT_SYNCED : Mistake.FILES_ARE_NOT_SYNCED)) {
            super.sync();
          }
        }
      };
    }

    @Override
    public void rename(String from, String to) throws IOException {
      if (mistake == Mistake.OLD_FILES_ARE_SWEPT_BEFORE_THE_RENAME) {
        Manifest next;
        try (InputStream pending = open(from)) {
          long generation = Generations.of(to).orElseThrow();
          next = Manifest.parse(to, generation, pending.readAllBytes());
        }
        for (String name : list()) {
          if (Generations.of(name).isPresent() && !next.holds(name)) {
            delete(name);
          }
        }
      }
      super.rename(from, to);
      renamed = true;
      for (FilterOutput output : postponed) {
        output.sync();
      }
    }

    @Override
    public void syncFolder(String folder) throws IOException {
      boolean forgotten =
          switch (mistake) {
            case FOLDERS_ARE_NOT_SYNCED -> true;
            case FOLDERS_ARE_NOT_SYNCED_BEFORE_THE_RENAME -> !renamed;
            case THE_FOLDER_IS_NOT_SYNCED_AFTER_THE_RENAME -> renamed;
            case THE_SUB_FOLDER_IS_NOT_SYNCED -> !folder.isEmpty();
            default -> false;
          };
      if (!forgotten) {
        super.syncFolder(folder);
      }
    }
  }
}
