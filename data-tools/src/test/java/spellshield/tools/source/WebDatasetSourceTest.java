package spellshield.tools.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.tools.testing.Containers;

class WebDatasetSourceTest {
  @TempDir private Path folder = Path.of("");

  private final SequencedMap<String, byte[]> members = new LinkedHashMap<>();

  @BeforeEach
  void aFirstSample() {
    members.put("0000.cls", utf8("dog\n"));
    members.put("0000.png", Entries.png(0));
  }

  private Path write() throws IOException {
    return Files.write(folder.resolve("000000.tar"), Containers.tar(members));
  }

  private List<String> entries() throws IOException {
    ImageSource source = ImageSource.open(write());
    assertThat(source).isInstanceOf(WebDatasetSource.class);
    return Entries.of(source);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void the_class_is_a_synset_in_the_path_or_what_the_sample_says_or_the_folder() throws Exception {
    members.put("n01440764_18.cls", utf8("0"));
    members.put("n01440764_18.jpg", Entries.png(1));
    members.put("a/1.json", utf8("{\"label\": 7, \"width\": 3}"));
    members.put("a/1.png", Entries.png(2));
    members.put("a/2.png", Entries.png(3));
    members.put("3.JSON", utf8("{\"filename\": \"train/n01443537/x.JPEG\", \"label\": 1}"));
    members.put("3.PNG", Entries.png(4));
    assertThat(entries())
        .containsExactly(
            "dog/0000.png dog",
            "n01440764/n01440764_18.JPEG n01440764",
            "a/1.png 7",
            "a/2.png a",
            "n01443537/x.JPEG n01443537");
  }

  @Test
  void numbers_go_through_the_mapping_beside_the_shards_and_captions_are_names() throws Exception {
    Files.writeString(
        folder.resolve("LOC_synset_mapping.txt"), "n01440764 tench\nn01443537 goldfish\n");
    members.clear();
    members.put("0.cls", utf8("1"));
    members.put("0.png", Entries.png(1));
    members.put("1.cls", utf8("0"));
    members.put("1.png", Entries.png(1));
    members.put("1.txt", utf8("a fish\nin water"));
    members.put("2.cls", utf8("2"));
    members.put("2.png", Entries.png(2));
    List<String> entries = entries();
    assertThat(entries).hasSize(3).startsWith("n01443537/0.png n01443537");
    assertThat(entries.get(2)).contains("its class '2' is not one of the 2 in");
    try (var stored = ImageSource.open(folder).stored(0)) {
      assertThat(stored.map(s -> s.origin().name())).startsWith("goldfish", "a fish in water");
    }
  }

  @Test
  void a_folder_of_shards_is_one_source_in_the_order_of_their_names() throws Exception {
    write();
    members.clear();
    members.put(
        "0001.png", Entries.png(1)); // no class: no pair to sniff, but the first shard has one
    Files.write(folder.resolve("000001.tar"), Containers.tar(members));
    Files.writeString(folder.resolve("000001_stats.json"), "{}");
    ImageSource source = ImageSource.open(folder);
    assertThat(source.description()).endsWith("shards: 2");
    assertThat(Entries.of(source)).containsExactly("dog/0000.png dog", "0001.png ");
    assertThat(Entries.of(source, 1)).containsExactly("0001.png ");
    assertThat(Entries.of(ImageSource.open(folder.resolve("*0.tar"))))
        .containsExactly("dog/0000.png dog");
  }

  @Test
  void samples_without_one_picture_are_entries_with_a_reason() throws Exception {
    members.put("1.cls", utf8("3"));
    members.put("2.png", Entries.png(1));
    members.put("2.target.jpg", Entries.png(2));
    members.put("3.json", utf8("{\"a\": 1, \"a\": 2}"));
    members.put("3.png", Entries.png(3));
    members.put("4.json", utf8("{\"filename\": \"../../x.png\"}"));
    members.put("4.png", Entries.png(4));
    members.put("5.png", new byte[0]);
    members.put("6.png", Entries.png(6));
    List<String> entries = entries();
    assertThat(entries).hasSize(7);
    assertThat(entries.get(1)).contains("!/1: the sample has no picture");
    assertThat(entries.get(2)).contains("two pictures");
    assertThat(entries.get(3)).contains("!/3.png: its .json is damaged");
    assertThat(entries.get(4)).contains("!/4.png: its name leads out of the container");
    assertThat(entries.get(5)).contains("!/5.png: the file is empty");
    assertThat(entries.get(6)).isEqualTo("6.png ");
  }

  @Test
  void a_cut_shard_is_refused() throws Exception {
    byte[] whole = Files.readAllBytes(write());
    Path cut = Files.write(folder.resolve("000000.tar"), Arrays.copyOf(whole, 1500));
    assertThatThrownBy(() -> ImageSource.open(cut))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("a tar that was cut off");
  }
}
