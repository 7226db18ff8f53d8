package spellshield.tools.source;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Png;
import spellshield.tools.testing.Pictures;

class FolderSourceTest {
  private static final RgbImage RED = RgbImage.filled(4, 3, 0xff0000);

  @TempDir Path temporary;
  private Path folder;

  @BeforeEach
  void makeFolder() throws IOException {
    folder = Files.createDirectory(temporary.resolve("pictures"));
  }

  private void write(String name, byte[] content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }

  private static List<ImageSource.Entry> entries(ImageSource source) {
    try (Stream<ImageSource.Entry> entries = source.entries()) {
      return entries.toList();
    }
  }

  private List<String> ids() throws IOException {
    return entries(ImageSource.open(folder)).stream().map(e -> e.origin().id()).toList();
  }

  @Test
  void files_are_found_in_all_folders_and_sorted_by_id() throws Exception {
    for (String name : new String[] {"z.png", "b/2.png", "b/10.png", "a.png", "b/c/x.jpg"}) {
      write(name, Png.write(RED));
    }
    ImageSource source = ImageSource.open(folder);
    List<ImageSource.Entry> entries = entries(source);
    assertThat(entries).allMatch(e -> e instanceof ImageSource.Entry.Picture);
    assertThat(ids()).containsExactly("a.png", "b/10.png", "b/2.png", "b/c/x.jpg", "z.png");
    assertThat(entries.stream().map(e -> e.origin().label()))
        .containsExactly("", "b", "b", "c", "");
    assertThat(source.count()).hasValue(5);
  }

  @Test
  void an_empty_folder_is_refused() throws Exception {
    assertThatThrownBy(() -> ImageSource.open(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll(folder.toString(), "no pictures");
    write("README.md", new byte[3]);
    assertThatThrownBy(() -> ImageSource.open(folder)).hasMessageContaining("1 files skipped");
  }

  @Test
  void what_is_unreadable_is_an_entry_with_its_reason() throws Exception {
    byte[] jpeg = Pictures.jpeg(Pictures.smooth(new SplittableRandom(1), 60, 60));
    write("cut.jpg", Arrays.copyOf(jpeg, jpeg.length / 2));
    write("empty.png", new byte[0]);
    write("good.jpg", jpeg);
    write("notes.txt", new byte[] {'h', 'i'});
    Files.createDirectory(folder.resolve("folder.png"));
    Files.createSymbolicLink(folder.resolve("gone.png"), Path.of("nowhere"));
    Files.createSymbolicLink(folder.resolve("loop.png"), Path.of("loop.png"));
    Files.createSymbolicLink(folder.resolve("up"), Path.of(".."));
    Files.createSymbolicLink(folder.resolve("same.jpg"), Path.of("good.jpg"));
    List<String> said =
        entries(ImageSource.open(folder)).stream()
            .map(entry ->
                switch (entry) {
                  case ImageSource.Entry.Picture(var origin, var image) ->
                      origin.id() + " " + image;
                  case ImageSource.Entry.Unreadable(var origin, var reason) ->
                      reason.replaceFirst(".*" + folder.getFileName() + "/", "");
                })
            .toList();
    assertThat(said).hasSize(8);
    assertThat(said.get(0)).startsWith("cut.jpg: damaged JPEG");
    assertThat(said.get(1)).startsWith("empty.png: the file is empty");
    assertThat(said.get(2)).startsWith("gone.png: not a regular file");
    assertThat(said.get(3)).isEqualTo("good.jpg 60×60, colour");
    assertThat(said.get(4)).startsWith("loop.png: not a regular file");
    assertThat(said.get(5)).startsWith("notes.txt: not an image");
    assertThat(said.get(6)).isEqualTo("same.jpg 60×60, colour");
    assertThat(said.get(7)).startsWith("up: a link to a folder");
  }

  @Test
  void files_that_are_no_pictures_by_rule_are_counted() throws Exception {
    write("a.png", Png.write(RED));
    for (String name : new String[] {".DS_Store", "x.tsv", "LICENSE", "b/README.txt", ".git/x"}) {
      write(name, new byte[1]);
    }
    FolderSource source = FolderSource.open(folder);
    assertThat(source.skipped())
        .containsExactly(".DS_Store", ".git/", "LICENSE", "b/README.txt", "x.tsv");
    assertThat(source.description()).endsWith("1 files, 5 skipped by name");
    assertThat(ids()).containsExactly("a.png");
  }

  @Test
  void a_table_beside_the_files_names_and_labels_them() throws Exception {
    write("1f600.png", Png.write(RED));
    write("other.png", Png.write(RED));
    write("b/1f600.png", Png.write(RED)); // not beside the table
    Files.writeString(
        folder.resolve("names.tsv"), "# a comment\n1f600\tgrinning face\tSmileys\n\n");
    List<ImageSource.Origin> origins =
        entries(ImageSource.open(folder)).stream().map(ImageSource.Entry::origin).toList();
    assertThat(origins.get(0).name()).isEqualTo("grinning face");
    assertThat(origins.get(0).label()).isEqualTo("Smileys");
    assertThat(origins.get(1).label()).isEqualTo("b");
    assertThat(origins.get(1).name()).isEqualTo("1f600");
    assertThat(origins.get(2).label()).isEmpty();
  }

  @Test
  void a_damaged_table_is_refused_with_its_line() throws Exception {
    write("a.png", Png.write(RED));
    Files.writeString(folder.resolve("names.tsv"), "a\tb\tc\na\tb\n");
    assertThatThrownBy(() -> ImageSource.open(folder))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll("line 2", "2 columns");
    Files.writeString(folder.resolve("names.tsv"), "a\tb\tc\na\tb\tc\n");
    assertThatThrownBy(() -> ImageSource.open(folder)).hasMessageContainingAll("line 2", "second");
    Files.write(folder.resolve("names.tsv"), new byte[] {'a', (byte) 0xff, '\n'});
    assertThatThrownBy(() -> ImageSource.open(folder)).hasMessageContaining("UTF-8");
  }

  @Test
  void a_missing_path_and_a_single_file_are_refused() throws Exception {
    assertThatThrownBy(() -> ImageSource.open(folder.resolve("none")))
        .hasMessageContaining("no such file");
    write("a.png", Png.write(RED));
    assertThatThrownBy(() -> ImageSource.open(folder.resolve("a.png")))
        .hasMessageContaining("neither a folder");
  }

  @Test
  void a_pattern_stands_for_the_pictures_and_folders_that_match() throws Exception {
    for (String name : new String[] {"a1.png", "a2.png", "b1.png", "ax/c.png", "bx/d.png"}) {
      write(name, Png.write(RED));
    }
    Files.writeString(folder.resolve("names.tsv"), "a1\tone\tones\n");
    List<ImageSource.Entry> entries = entries(ImageSource.open(folder.resolve("a*")));
    assertThat(entries.stream().map(e -> e.origin().id()))
        .containsExactly("a1.png", "a2.png", "ax/c.png");
    assertThat(entries.getFirst().origin().label()).isEqualTo("ones");
    assertThatThrownBy(() -> ImageSource.open(folder.resolve("z*")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("nothing matches");
    assertThatThrownBy(() -> ImageSource.open(folder.resolve("a[")))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("a[: ");
  }

  @Test
  void imagenet_as_kaggle_packs_it_stands_for_its_training_pictures_and_their_classes()
      throws Exception {
    String train = "ILSVRC/Data/CLS-LOC/train";
    write(train + "/n01440764/n01440764_18.JPEG", Png.write(RED));
    write("ILSVRC/Data/CLS-LOC/val/v.JPEG", Png.write(RED));
    write("ILSVRC/Annotations/a.xml", new byte[1]);
    write("LOC_synset_mapping.txt", "n01440764 tench, Tinca tinca\n".getBytes(UTF_8));
    for (String named : List.of("", "ILSVRC", train)) {
      List<ImageSource.Entry> entries = entries(ImageSource.open(folder.resolve(named)));
      assertThat(entries).as(named).hasSize(1);
      assertThat(entries.getFirst().origin().id()).isEqualTo("n01440764/n01440764_18.JPEG");
      assertThat(entries.getFirst().origin().name()).isEqualTo("tench, Tinca tinca");
    }
    write("LOC_synset_mapping.txt", "n01443537 goldfish\n".getBytes(UTF_8));
    for (String named : List.of("", "ILSVRC", train)) {
      assertThatThrownBy(() -> ImageSource.open(folder.resolve(named)))
          .isInstanceOf(IOException.class)
          .hasMessageContainingAll("n01440764", "LOC_synset_mapping.txt");
    }
  }
}
