package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Png;

/// `shield index` in a process of its own, killed: the set of before is whole, or the next one is.
///
/// Takes minutes, so it runs only when asked: `mvn verify -pl data-tools -am -Dshield.slow=true
/// -Dtest=KilledIndexTest -Dsurefire.failIfNoSpecifiedTests=false`.
@EnabledIfSystemProperty(
    named = "shield.slow",
    matches = "true",
    disabledReason = "skipped: takes minutes; -Dshield.slow=true runs it")
class KilledIndexTest {
  private static final int KILLS = 50;

  @TempDir private Path folder = Path.of("");

  /// Builds the set again and again, with one picture more each second time; tells of each commit.
  public static final class Builder {
    private Builder() {}

    public static void main(String[] args) {
      for (long build = Long.parseLong(args[3]); ; build++) {
        int code = Main.run("index", args[(int) (build % 2)], "-o", args[2], "--quiet");
        if (code != ExitCode.OK) {
          throw new IllegalStateException("ended with code " + code);
        }
        System.out.println("built " + build);
      }
    }
  }

  @Test
  void a_killed_build_leaves_a_whole_set() throws Exception {
    Path even = pictures("even", 40);
    Path odd = pictures("odd", 41);
    Path set = folder.resolve("set");
    assertThat(Main.run("index", even.toString(), "-o", set.toString(), "--quiet")).isZero();
    SplittableRandom random = new SplittableRandom(8);
    long acknowledged = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      Process child = start(even, odd, set, acknowledged + 1);
      try (BufferedReader output =
          new BufferedReader(
              new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
        long begin = System.nanoTime();
        acknowledged = next(output, acknowledged);
        long first = System.nanoTime() - begin;
        begin = System.nanoTime();
        acknowledged = next(output, acknowledged);
        // Builds after the first take about this long; the first holds the start of the JVM.
        long build = Math.min(first, System.nanoTime() - begin);
        LockSupport.parkNanos(random.nextLong(build + 1)); // the moment, not a wait for anything
        child.toHandle().destroyForcibly();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
          if (line.startsWith("built ")) {
            acknowledged = Long.parseLong(line.substring(6));
          }
        }
        assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(Main.run("inspect", set.toString(), "--verify")).isZero();
      try (ProtectedSet opened = ProtectedSet.open(set)) {
        long committed = opened.count() == 40 + acknowledged % 2 ? acknowledged : acknowledged + 1;
        assertThat(opened.count()).isEqualTo(40 + committed % 2);
        acknowledged = committed;
      }
      assertThat(Main.run("audit", set.toString(), even.toString())).isEqualTo(ExitCode.INSIDE);
    }
    System.out.println("%d kills in %d builds".formatted(KILLS, acknowledged));
  }

  private static long next(BufferedReader output, long before) throws IOException {
    for (String line = output.readLine(); line != null; line = output.readLine()) {
      if (line.startsWith("built ")) {
        assertThat(Long.parseLong(line.substring(6))).isEqualTo(before + 1);
        return before + 1;
      }
    }
    throw new AssertionError("the child ended by itself");
  }

  private Process start(Path even, Path odd, Path set, long build) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-Xmx512m"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+RestoreMXCSROnJNICalls"));
    command.add(Builder.class.getName());
    command.addAll(List.of(even.toString(), odd.toString(), set.toString(), Long.toString(build)));
    return new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
  }

  private Path pictures(String name, int count) throws IOException {
    Path place = Files.createDirectories(folder.resolve(name));
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < count; i++) {
      byte[] samples = new byte[16 * 16];
      random.nextBytes(samples);
      Files.write(
          place.resolve("picture-%02d.png".formatted(i)),
          Png.write(new RgbImage(16, 16, 1, samples)));
    }
    return place;
  }
}
