package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Files that are cut, zeroed or deleted under a running reader.
class ShrunkFileTest {
  private static final int COUNT = 4_000;

  @TempDir private Path folder;

  /// Reads all rows and items over and over; cuts a file after some rounds; says how it ended.
  public static final class Reader {
    private Reader() {}

    public static void main(String[] arguments) throws IOException {
      DiskStorage disk = DiskStorage.at(Path.of(arguments[0]));
      Path victim = Path.of(arguments[0]).resolve(arguments[1]);
      int hot = Integer.parseInt(arguments[3]);
      try (LatentStore store = LatentStore.open(disk, Verification.ON_USE)) {
        for (int round = 0; round < hot; round++) {
          readAll(store);
        }
        harm(victim, arguments[2]);
        System.out.println("read " + readAll(store));
      } catch (DamagedSetException e) {
        System.out.println("damaged: " + e.getMessage());
      }
    }

    private static double readAll(LatentStore store) {
      double sum = 0;
      float[] row = new float[store.dim()];
      for (long i = 0; i < store.count(); i++) {
        sum += store.read(i, row) + row[0] + store.item(i).id().length();
      }
      return sum;
    }

    private static void harm(Path victim, String how) throws IOException {
      switch (how) {
        case "cut" -> Files.write(victim, new byte[0], StandardOpenOption.TRUNCATE_EXISTING);
        case "zero" -> Files.write(victim, new byte[(int) Files.size(victim)]);
        case "delete" -> Files.delete(victim);
        default -> throw new IllegalArgumentException(how);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "latents.000001.000, cut, 0, damaged: latents.000001.000",
    "latents.000001.000, cut, 40, damaged: latents.000001.000",
    "items.000001, cut, 0, damaged: items.000001",
    "items.000001, cut, 40, damaged: items.000001",
    "latents.000001.000, zero, 5, damaged: latents.000001.000",
    "items.000001, zero, 5, damaged: items.000001",
    "latents.000001.000, delete, 5, read"
  })
  void a_file_harmed_under_a_reader_is_a_message_and_not_a_crash(
      String file, String how, String hot, String expected) throws Exception {
    Path set = folder.resolve("set");
    SampleSet.of(1, Precision.FLOAT16, COUNT, 64).build(DiskStorage.at(set), 1 << 30);
    Process child = ChildJvm.start(Reader.class, folder, set.toString(), file, how, hot);
    String output =
        new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(output).startsWith(expected).doesNotContain("\n");
    assertThat(child.exitValue()).isZero();
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).containsExactly(set); // no hs_err file
    }
  }
}
