package spellshield.tools.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.Seeds;
import spellshield.tools.testing.Containers.Picture;
import spellshield.tools.testing.ParquetWriter;

class ParquetSourceTest {
  private static final Path WRITTEN_BY_PYARROW = Path.of("src/test/resources/containers");

  @TempDir private Path folder = Path.of("");

  @Test
  void what_pyarrow_wrote_is_read_whatever_the_compression() throws Exception {
    for (String name : List.of("snappy", "zstd", "gzip")) {
      Path file = WRITTEN_BY_PYARROW.resolve(name + ".parquet");
      ImageSource source = ImageSource.open(file);
      assertThat(source.count()).hasValue(8);
      assertThat(source.description()).endsWith("8 pictures in 1 files, 2 named classes");
      List<String> entries = Entries.of(source);
      assertThat(entries.subList(0, 4))
          .containsExactly(
              "n01440764/n01440764_18.JPEG n01440764",
              "some/folder/fish.png goldfish",
              "goldfish/fish.png goldfish",
              name + "/00000003 tench, Tinca tinca");
      assertThat(entries.get(4)).contains(name + ".parquet[4]: the row holds no picture");
      assertThat(entries.get(5)).contains(name + ".parquet[5]: the row holds no picture");
      assertThat(entries.get(6)).contains(name + ".parquet[6]: the picture is empty");
      assertThat(entries.get(7)).isEqualTo("last.png ");
      for (int from = 0; from <= 9; from++) {
        assertThat(Entries.of(source, from)).isEqualTo(entries.subList(Math.min(8, from), 8));
      }
      try (var stored = source.stored(0)) {
        assertThat(stored.findFirst().orElseThrow().origin().name())
            .isEqualTo("tench, Tinca tinca");
      }
    }
  }

  @Test
  void a_folder_of_hugging_face_stands_for_its_training_pictures() throws Exception {
    Path data = Files.createDirectory(folder.resolve("data"));
    Files.writeString(folder.resolve("README.md"), "# a dataset");
    for (String name : List.of("train-00001-of-00002", "train-00000-of-00002", "validation-0")) {
      Picture picture = new Picture("cat", name + ".png", Entries.png(1));
      Files.write(data.resolve(name + ".parquet"), ParquetWriter.write(List.of(picture), 1));
    }
    ImageSource source = ImageSource.open(folder);
    assertThat(source).isInstanceOf(ParquetSource.class);
    assertThat(Entries.of(source))
        .containsExactly("cat/train-00000-of-00002.png cat", "cat/train-00001-of-00002.png cat");
    assertThat(Entries.of(source, 1)).containsExactly("cat/train-00001-of-00002.png cat");
  }

  @Test
  void a_file_cut_anywhere_is_refused_when_it_is_opened() throws Exception {
    byte[] whole = Files.readAllBytes(WRITTEN_BY_PYARROW.resolve("snappy.parquet"));
    for (int length = 0; length < whole.length; length += 13) {
      Path cut = Files.write(folder.resolve("cut.parquet"), Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> ImageSource.open(cut, SourceKind.PARQUET))
          .as("%d bytes", length)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cut.parquet: damaged parquet");
    }
  }

  @Test
  void a_million_rows_of_nothing_cost_one_line() throws Exception {
    List<Picture> nothing = new ArrayList<>();
    for (int i = 0; i < 1_200; i++) {
      nothing.add(new Picture("x", "x" + i + ".png", new byte[0]));
    }
    Path file = Files.write(folder.resolve("x"), ParquetWriter.write(nothing, 100));
    assertThatThrownBy(() -> Entries.of(ImageSource.open(file)))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("1,001 of its first 1,001 entries hold no picture");
  }

  @Test
  @Timeout(120)
  void whatever_the_bytes_are_it_ends_with_entries_or_one_line() throws Exception {
    List<byte[]> files =
        List.of(
            Files.readAllBytes(WRITTEN_BY_PYARROW.resolve("snappy.parquet")),
            Files.readAllBytes(WRITTEN_BY_PYARROW.resolve("zstd.parquet")),
            ParquetWriter.write(List.of(new Picture("a", "a.png", Entries.png(1))), 1));
    Seeds.check(
        300,
        random -> {
          byte[] bad = files.get(random.nextInt(files.size())).clone();
          for (int i = random.nextInt(1, 6); i > 0; i--) {
            bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
          }
          Path file = Files.write(folder.resolve("fuzz.parquet"), bad);
          try {
            assertThat(Entries.of(ImageSource.open(file, SourceKind.PARQUET)))
                .allMatch(e -> e.lines().count() <= 1);
          } catch (IOException | UncheckedIOException e) {
            assertThat(String.valueOf(e.getMessage()).lines()).hasSize(1);
            assertThat(e).hasMessageContaining("fuzz.parquet");
          }
        });
  }
}
