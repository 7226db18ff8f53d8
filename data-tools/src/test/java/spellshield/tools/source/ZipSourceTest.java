package spellshield.tools.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.Seeds;
import spellshield.tools.testing.Containers;

class ZipSourceTest {
  @TempDir private Path folder = Path.of("");

  private final SequencedMap<String, byte[]> members = new LinkedHashMap<>();

  private Path write() throws IOException {
    return Containers.zip(folder.resolve("x.zip"), members, false);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void only_the_training_pictures_of_imagenets_zip_are_read_and_they_have_their_names()
      throws Exception {
    members.put("ILSVRC/Annotations/CLS-LOC/train/n01440764/n01440764_18.xml", utf8("<x/>"));
    members.put("ILSVRC/Data/CLS-LOC/train/n01440764/n01440764_18.JPEG", Entries.png(1));
    members.put("ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG", Entries.png(2));
    members.put("LOC_synset_mapping.txt", utf8("n01440764 tench, Tinca tinca\n"));
    ImageSource source = ImageSource.open(write());
    assertThat(Entries.of(source)).containsExactly("n01440764/n01440764_18.JPEG n01440764");
    assertThat(source.count()).hasValue(1);
    assertThat(source.description()).contains("1 files under ILSVRC/Data/CLS-LOC/train");
    try (var stored = source.stored(0)) {
      assertThat(stored.findFirst().orElseThrow().origin().name()).isEqualTo("tench, Tinca tinca");
    }
  }

  @Test
  void classes_that_the_mapping_does_not_have_are_refused() throws Exception {
    members.put("ILSVRC/Data/CLS-LOC/train/n01443537/n01443537_1.JPEG", Entries.png(1));
    members.put("LOC_synset_mapping.txt", utf8("n01440764 tench, Tinca tinca\n"));
    Path zip = write();
    assertThatThrownBy(() -> ImageSource.open(zip))
        .isInstanceOf(IOException.class)
        .hasMessageContainingAll("n01443537", "LOC_synset_mapping.txt");
    members.put("LOC_synset_mapping.txt", utf8("n01443537 goldfish\nn01440764 tench\n"));
    write();
    assertThatThrownBy(() -> ImageSource.open(zip)).hasMessageContainingAll("line 2", "tench");
  }

  @Test
  void a_dataset_json_says_the_labels() throws Exception {
    members.put("00000/img00000000.png", Entries.png(1));
    members.put("00000/img00000001.png", Entries.png(2));
    members.put(
        "dataset.json",
        utf8(
            "{\"x\": {}, \"labels\": [[\"00000/img00000000.png\", 7], [\"00000/img00000001.png\", 0]]}"));
    assertThat(Entries.of(ImageSource.open(write())))
        .containsExactly("00000/img00000000.png 7", "00000/img00000001.png 0");
    members.put("dataset.json", utf8("{\"labels\": null}"));
    assertThat(Entries.of(ImageSource.open(write()))).contains("00000/img00000000.png 00000");
    for (String bad :
        List.of(
            "{\"labels\": [[\"a\", \"b\"]]}",
            "{\"labels\": [[\"a\", 1], [\"a\", 2]]}",
            "{\"labels\": [[\"a\", 1, 2]]}",
            "{\"labels\": [[\"a\", 99999999999999]]}",
            "{\"labels\": [[\"a\", 1",
            "[]")) {
      members.put("dataset.json", utf8(bad));
      Path zip = write();
      assertThatThrownBy(() -> ImageSource.open(zip))
          .as(bad)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("x.zip!/dataset.json: ");
    }
  }

  @Test
  void names_that_lead_out_and_empty_files_are_entries_with_a_reason() throws Exception {
    members.put("../evil.png", Entries.png(1));
    members.put("/evil.png", Entries.png(1));
    members.put("a\\..\\..\\evil.png", Entries.png(1));
    members.put("empty.png", new byte[0]);
    members.put("__MACOSX/._x.png", new byte[3]);
    members.put("x/good.png", Entries.png(2));
    List<String> entries = Entries.of(ImageSource.open(write()));
    assertThat(entries).hasSize(5);
    assertThat(entries.subList(0, 3)).allMatch(e -> e.contains("leads out of the container"));
    assertThat(entries.get(3)).contains("x.zip!/empty.png: the file is empty");
    assertThat(entries.get(4)).isEqualTo("x/good.png x");
  }

  @Test
  void a_zip_cut_anywhere_is_refused() throws Exception {
    members.put("a.png", Entries.png(1));
    byte[] whole = Files.readAllBytes(write());
    for (int length = 0; length < whole.length; length += 7) {
      Path cut = Files.write(folder.resolve("cut.zip"), Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> ImageSource.open(cut, SourceKind.ZIP))
          .as("%d bytes", length)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cut.zip: no whole zip");
    }
  }

  @Test
  void a_picture_whose_checksum_is_wrong_is_an_entry_with_a_reason() throws Exception {
    members.put("a.png", Entries.png(1));
    members.put("b.png", Entries.png(2));
    byte[] zip = Files.readAllBytes(Containers.zip(folder.resolve("x.zip"), members, true));
    zip[30 + 5 + 40] ^= 1; // in the content of a.png, which is stored as it is
    List<String> entries = Entries.of(ImageSource.open(Files.write(folder.resolve("x.zip"), zip)));
    assertThat(entries.get(0)).contains("x.zip!/a.png: its bytes have the checksum");
    assertThat(entries.get(1)).isEqualTo("b.png ");
  }

  @Test
  void bombs_are_refused() throws Exception {
    members.put("bomb.png", new byte[300 << 20 >> 1]); // 150 MiB of zeros in 150 kB
    Path zip = write();
    assertThatThrownBy(() -> ImageSource.open(zip))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("claim to unpack to 157,286,400, as zip bombs do");
    byte[] padding = new byte[4 << 20];
    new SplittableRandom(1).nextBytes(padding);
    members.put("padding.png", padding);
    write();
    assertThat(Entries.of(ImageSource.open(zip)).getFirst())
        .contains("x.zip!/bomb.png: ", "as zip bombs do");
  }

  @Test
  void entries_that_share_bytes_are_refused() throws Exception {
    byte[] noise = new byte[10_000];
    new SplittableRandom(1).nextBytes(noise);
    members.put("a.png", noise);
    members.put("b.png", noise);
    byte[] zip = Files.readAllBytes(Containers.zip(folder.resolve("x.zip"), members, true));
    // Two entries of the directory, one content: the second points at the first, whose bytes go.
    ByteBuffer in = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int first = 30 + 5 + noise.length;
    int directory = in.getInt(zip.length - 22 + 16);
    byte[] shared = new byte[zip.length - first];
    System.arraycopy(zip, 0, shared, 0, first);
    System.arraycopy(zip, directory, shared, first, zip.length - directory);
    ByteBuffer out = ByteBuffer.wrap(shared).order(ByteOrder.LITTLE_ENDIAN);
    out.putInt(first + 46 + 5 + 42, 0); // offset of the second entry
    out.putInt(shared.length - 22 + 16, first);
    Path file = Files.write(folder.resolve("shared.zip"), shared);
    assertThatThrownBy(() -> ImageSource.open(file, SourceKind.ZIP))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("share bytes");
  }

  @Test
  void a_million_empty_files_cost_one_line() throws Exception {
    for (int i = 0; i < 2_000; i++) {
      members.put("empty-%04d.png".formatted(i), new byte[0]);
    }
    Path zip = write();
    assertThatThrownBy(() -> ImageSource.open(zip))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("1,001 of its first 1,001 entries hold no picture");
  }

  @Test
  void whatever_the_bytes_are_it_ends_with_entries_or_one_line() throws Exception {
    members.put("a/a.png", Entries.png(1));
    members.put("b/b.png", Entries.png(2));
    members.put("dataset.json", utf8("{\"labels\": [[\"a/a.png\", 1]]}"));
    byte[] whole = Files.readAllBytes(write());
    Seeds.check(
        400,
        random -> {
          byte[] bad = whole.clone();
          for (int i = random.nextInt(1, 8); i > 0; i--) {
            bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
          }
          Path file = Files.write(folder.resolve("fuzz.zip"), bad);
          try {
            assertThat(Entries.of(ImageSource.open(file, SourceKind.ZIP)))
                .allMatch(e -> e.lines().count() <= 1);
          } catch (IOException e) {
            assertThat(String.valueOf(e.getMessage()).lines()).hasSize(1);
            assertThat(e).hasMessageContaining("fuzz.zip");
          }
        });
  }
}
