package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A disk that is really full: 1 MiB of memory, mounted for the test.
class FullDiskTest {
  private static final SampleSet SMALL = SampleSet.of(1, Precision.FLOAT32, 100, 64);
  private static final SampleSet LARGE = SampleSet.of(2, Precision.FLOAT32, 2_000, 256);

  @TempDir private Path folder;

  @Test
  void a_full_disk_leaves_the_old_set_and_no_leftovers() throws Exception {
    Path mount = Files.createDirectory(folder.resolve("small"));
    assumeTrue(
        succeeds("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount.toString()),
        "skipped: a small disk can be mounted by root only");
    try {
      DiskStorage disk = DiskStorage.at(mount.resolve("set"));
      SMALL.build(disk, 10_000);
      List<String> before = disk.list();
      for (long shardBytes : new long[] {10_000, 1 << 30}) {
        assertThatThrownBy(() -> LARGE.build(disk, shardBytes))
            .isInstanceOf(IOException.class)
            .hasMessageMatching("(?s).*(No space left on device|took no more than).*");
        assertThat(disk.list()).isEqualTo(before);
        try (LatentStore store = LatentStore.open(disk, Verification.FULL)) {
          SMALL.requireEqualTo(disk, store);
        }
      }
      assertThat(SMALL.build(disk, 10_000).generation()).isEqualTo(2);
    } finally {
      assertThat(succeeds("umount", mount.toString())).isTrue();
    }
  }

  private static boolean succeeds(String... command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getInputStream().readAllBytes();
      return process.waitFor() == 0;
    } catch (IOException e) {
      return false; // there is no such command
    }
  }
}
