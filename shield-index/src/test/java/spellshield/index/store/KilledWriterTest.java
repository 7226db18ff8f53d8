package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real process that builds a set and changes it, again and again, on a real disk, and is killed.
class KilledWriterTest {
  private static final int KILLS = 60;
  private static final SampleHistory HISTORY = new SampleHistory(30);

  @TempDir private Path folder;

  /// Commits a number of generations and prints the generation of each one whose commit has
  /// returned.
  public static final class Builder {
    private Builder() {}

    public static void main(String[] arguments) throws IOException {
      DiskStorage disk = DiskStorage.at(Path.of(arguments[0]));
      for (int i = Integer.parseInt(arguments[1]); i > 0; i--) {
        long next = Manifest.newest(disk).generation() + 1;
        HISTORY.commitNext(disk, next);
        System.out.println(next);
      }
    }
  }

  @Test
  void a_writer_killed_at_any_moment_leaves_the_last_acknowledged_set_or_the_next_one()
      throws Exception {
    DiskStorage disk = DiskStorage.at(folder.resolve("set"));
    HISTORY.commitNext(disk, 1);
    String classPath = ChildJvm.packedClassPath(folder.resolve("classes.jar"));
    Path archive = folder.resolve("classes.jsa");
    Process trial = start(classPath, "-XX:ArchiveClassesAtExit=" + archive, disk, 2);
    trial.getInputStream().readAllBytes();
    assertThat(trial.waitFor()).isZero();
    SplittableRandom random = new SplittableRandom(4);
    long acknowledged = 3;
    long build = 0; // nanoseconds that a child takes for its second build
    for (int kill = 0; kill < KILLS; kill++) {
      Process child = start(classPath, "-XX:SharedArchiveFile=" + archive, disk, Integer.MAX_VALUE);
      try (BufferedReader output =
          new BufferedReader(
              new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
        acknowledged = generation(output.readLine(), acknowledged);
        if (kill == 0) {
          long begin = System.nanoTime();
          acknowledged = generation(output.readLine(), acknowledged);
          build = System.nanoTime() - begin;
        }
        LockSupport.parkNanos(random.nextLong(build + 1)); // the moment, not a wait for anything
        child.toHandle().destroyForcibly(); // SIGKILL; Process itself would close the pipe, too
        for (String line : rest(output)) {
          acknowledged = generation(line, acknowledged);
        }
        assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
      }
      try (LatentStore store = LatentStore.open(disk, Verification.FULL)) {
        long found = store.manifest().generation();
        assertThat(found).isBetween(acknowledged, acknowledged + 1);
        HISTORY.requireEqualTo(store);
        acknowledged = found;
      }
    }
    Manifest last = HISTORY.commitNext(disk, acknowledged + 1);
    assertThat(disk.list()).allMatch(name -> name.equals("lock") || last.holds(name));
  }

  private Process start(String classPath, String archive, DiskStorage disk, int builds)
      throws IOException {
    List<String> options = List.of("-XX:TieredStopAtLevel=1", "-Xlog:disable", archive);
    return ChildJvm.start(
        Builder.class, folder, classPath, options, disk.toString(), Integer.toString(builds));
  }

  private static long generation(String line, long before) {
    assertThat(line).as("output of the child").matches("[0-9]+");
    long generation = Long.parseLong(line);
    assertThat(generation).isEqualTo(before + 1);
    return generation;
  }

  private static List<String> rest(BufferedReader output) throws IOException {
    List<String> lines = new ArrayList<>();
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      lines.add(line);
    }
    return lines;
  }
}
