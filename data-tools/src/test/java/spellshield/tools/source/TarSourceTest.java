package spellshield.tools.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.Seeds;
import spellshield.tools.image.Png;
import spellshield.tools.testing.Containers;
import spellshield.tools.testing.Pictures;

class TarSourceTest {
  @TempDir private Path folder = Path.of("");

  private final SequencedMap<String, byte[]> members = new LinkedHashMap<>();

  private Path write() throws IOException {
    return Files.write(folder.resolve("x.tar"), Containers.tar(members));
  }

  @Test
  void a_tar_says_its_bytes_where_it_cannot_say_its_count() throws IOException {
    Path tar = Containers.tar(folder.resolve("bytes"), Containers.emoji(3));
    assertThat(ImageSource.open(tar).count()).isEmpty();
    assertThat(ImageSource.open(tar).bytes()).hasValue(Files.size(tar));
  }

  @Test
  void inner_tars_are_read_where_they_lie_and_give_the_class() throws Exception {
    SequencedMap<String, byte[]> inner = new LinkedHashMap<>();
    inner.put("n01440764_18.JPEG", Entries.png(1)); // ImageNet has such a one too
    inner.put("other.png", Entries.png(2));
    members.put("n01440764.tar", Containers.tar(inner));
    members.put("flat.png", Entries.png(3));
    ImageSource source = ImageSource.open(write());
    assertThat(source).isInstanceOf(TarSource.class);
    assertThat(Entries.of(source))
        .containsExactly(
            "n01440764/n01440764_18.JPEG n01440764", "n01440764/other.png n01440764", "flat.png ");
    assertThat(Entries.of(source, 1)).hasSize(2).first().asString().contains("other.png");
    try (var stored = source.stored(0)) {
      assertThat(stored.findFirst().orElseThrow().origin().source())
          .endsWith("x.tar!/n01440764.tar!/n01440764_18.JPEG");
    }
  }

  @Test
  void names_that_lead_out_are_entries_with_a_reason_and_nothing_is_written() throws Exception {
    members.put("../../evil.png", Entries.png(1));
    members.put("a/../../evil.png", Entries.png(2));
    members.put("C:\\..\\evil.png", Entries.png(3));
    members.put("b\u0007ell.png", Entries.png(4));
    members.put("x".repeat(1_001), Entries.png(5));
    members.put("./good/./x.png", Entries.png(6));
    List<String> entries = Entries.of(ImageSource.open(write()));
    assertThat(entries).hasSize(6);
    assertThat(entries.subList(0, 3)).allMatch(e -> e.contains("leads out of the container"));
    assertThat(entries.get(3)).contains("control characters").doesNotContain("\u0007");
    assertThat(entries.get(4)).contains("1,001 bytes");
    assertThat(entries.get(5)).isEqualTo("good/x.png good");
    assertThat(folder.resolve("..").resolve("evil.png")).doesNotExist();
  }

  @Test
  void links_empty_files_and_what_is_no_image_are_entries_with_a_reason() throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      TarArchiveEntry link = new TarArchiveEntry("link.png", TarConstants.LF_SYMLINK);
      link.setLinkName("/etc/passwd");
      tar.putArchiveEntry(link);
      tar.closeArchiveEntry();
      TarArchiveEntry hard = new TarArchiveEntry("hard.png", TarConstants.LF_LINK);
      hard.setLinkName("a.png");
      tar.putArchiveEntry(hard);
      tar.closeArchiveEntry();
      for (String name : new String[] {"empty.png", "words.png", "folder/", "LICENSE", ".hidden"}) {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        byte[] content =
            name.equals("words.png")
                ? "these are words".getBytes(StandardCharsets.UTF_8)
                : new byte[0];
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
      }
    }
    List<String> entries =
        Entries.of(ImageSource.open(Files.write(folder.resolve("x.tar"), bytes.toByteArray())));
    assertThat(entries).hasSize(4);
    assertThat(entries.get(0)).contains("x.tar!/link.png: a link");
    assertThat(entries.get(1)).contains("x.tar!/hard.png: a link");
    assertThat(entries.get(2)).contains("x.tar!/empty.png: the file is empty");
    assertThat(entries.get(3)).contains("x.tar!/words.png: not an image");
  }

  /// What one member's headers may take is no limit to contents.
  @Test
  void members_may_be_larger_than_any_header() throws Exception {
    byte[] large = new byte[TarMembers.MAX_HEADERS + 5_000];
    SequencedMap<String, byte[]> inner = new LinkedHashMap<>();
    inner.put("words.txt", large);
    inner.put("b.png", Entries.png(2));
    members.put("c.tar", Containers.tar(inner));
    members.put("words.txt", large);
    members.put("a.png", Entries.png(1));
    List<String> entries = Entries.of(ImageSource.open(write()));
    assertThat(entries).hasSize(4).contains("c/b.png c").last().isEqualTo("a.png ");
  }

  @Test
  void a_tar_cut_anywhere_is_refused_when_it_is_opened() throws Exception {
    members.put("a.png", Entries.png(1));
    members.put("b.png", Entries.png(2));
    byte[] whole = Containers.tar(members);
    int content = 2 * 1024;
    for (int length = 0; length < content + 1024; length += 100) {
      Path cut = Files.write(folder.resolve("cut.tar"), Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> ImageSource.open(cut, SourceKind.TAR))
          .as("%d bytes", length)
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith(cut + ": a tar that was cut off");
    }
  }

  @Test
  void a_gzip_is_unpacked_while_it_is_read_and_goes_on_from_any_entry() throws Exception {
    SequencedMap<String, byte[]> inner = new LinkedHashMap<>();
    inner.put("b.png", large(2));
    inner.put("c.png", Entries.png(3));
    members.put("x/a.png", large(1));
    members.put("words", new byte[] {1}); // read by nobody
    members.put("n01440764.tar", Containers.tar(inner));
    members.put("x/d.png", large(4));
    Path plain = write();
    List<String> all = Entries.of(ImageSource.open(plain));
    assertThat(all).hasSize(5).last().isEqualTo("x/d.png x");
    Path packed = Containers.gzip(plain, folder.resolve("x.tar.gz"));
    ImageSource source = ImageSource.open(packed);
    assertThat(source).isInstanceOf(TarSource.class);
    assertThat(source.bytes()).hasValue(Files.size(packed));
    for (int from = 0; from <= 6; from++) {
      assertThat(Entries.of(source, from).stream().map(e -> e.replace("tar.gz", "tar")))
          .isEqualTo(all.subList(Math.min(from, 5), 5));
    }
  }

  /// Returns a PNG file that no window holds at once.
  private static byte[] large(int seed) {
    return Png.write(Pictures.noise(new SplittableRandom(seed), 400, 300, 3));
  }

  /// What comes before the cut is read, and none of it is taken for all.
  @Test
  void a_gzip_cut_anywhere_ends_with_one_line() throws Exception {
    members.put("a.png", Entries.png(1));
    members.put("b.png", Entries.png(2));
    byte[] whole = Containers.gzip(Containers.tar(members));
    for (int length = 2; length < whole.length; length++) {
      Path cut = Files.write(folder.resolve("cut.tgz"), Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Entries.of(ImageSource.open(cut, SourceKind.TAR)))
          .as("%d of %d bytes", length, whole.length)
          .isInstanceOfAny(IOException.class, UncheckedIOException.class)
          .hasMessageContaining("cut.tgz: ")
          .hasMessageContaining("cut off");
    }
    byte[] tar = Containers.tar(members);
    for (int length = 512; length < 4 * 1024; length += 100) {
      byte[] half = Containers.gzip(Arrays.copyOf(tar, length));
      Path cut = Files.write(folder.resolve("cut.tgz"), half);
      assertThatThrownBy(() -> Entries.of(ImageSource.open(cut, SourceKind.TAR)))
          .as("%d bytes of the tar", length)
          .isInstanceOf(UncheckedIOException.class)
          .hasMessageContaining("cut.tgz: ");
    }
  }

  @Test
  void a_gzip_that_unpacks_to_a_hundred_times_its_size_is_refused() throws Exception {
    members.put("a.png", Entries.png(1));
    members.put("b.png", new byte[8 << 20]);
    ImageSource source =
        ImageSource.open(
            Files.write(folder.resolve("x.tgz"), Containers.gzip(Containers.tar(members))));
    assertThatThrownBy(() -> Entries.of(source))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("x.tgz: damaged tar at byte")
        .hasMessageContaining("as bombs do");
  }

  @Test
  void a_damaged_inner_tar_of_a_gzip_is_one_entry_and_a_damaged_gzip_ends_the_run()
      throws Exception {
    SequencedMap<String, byte[]> inner = new LinkedHashMap<>();
    inner.put("a.png", Entries.png(1));
    members.put("cut.tar", Arrays.copyOf(Containers.tar(inner), 1024));
    members.put("good.tar", Containers.tar(inner));
    byte[] whole = Containers.gzip(Containers.tar(members));
    Path file = Files.write(folder.resolve("x.tgz"), whole);
    List<String> entries = Entries.of(ImageSource.open(file));
    assertThat(entries).hasSize(3);
    assertThat(entries.get(0)).isEqualTo("cut/a.png cut");
    assertThat(entries.get(1)).contains("x.tgz!/cut.tar: damaged tar at byte");
    assertThat(entries.get(2)).isEqualTo("good/a.png good");
    whole[whole.length - 5] ^= 1; // the checksum of all
    ImageSource damaged = ImageSource.open(Files.write(file, whole));
    assertThatThrownBy(() -> Entries.of(damaged))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("x.tgz: damaged tar at byte")
        .hasMessageContaining("--restart");
  }

  @Test
  void a_damaged_inner_tar_is_one_entry_and_a_damaged_outer_one_ends_the_run() throws Exception {
    SequencedMap<String, byte[]> inner = new LinkedHashMap<>();
    inner.put("a.png", Entries.png(1));
    inner.put("b.png", Entries.png(2));
    byte[] bad = Containers.tar(inner);
    bad[1024 + 20] ^= 1; // in the header of b.png
    members.put("bad.tar", bad);
    members.put("cut.tar", Arrays.copyOf(Containers.tar(inner), 2048));
    members.put("good.tar", Containers.tar(inner));
    List<String> entries = Entries.of(ImageSource.open(write()));
    assertThat(entries).hasSize(5);
    assertThat(entries.get(0)).isEqualTo("bad/a.png bad");
    assertThat(entries.get(1)).contains("x.tar!/bad.tar: damaged tar at byte");
    assertThat(entries.get(2)).contains("x.tar!/cut.tar: a tar that was cut off");
    assertThat(entries.get(3)).isEqualTo("good/a.png good");

    byte[] outer = Files.readAllBytes(folder.resolve("x.tar"));
    outer[512 + bad.length + 3] ^= 1; // in the header of cut.tar
    ImageSource damaged = ImageSource.open(Files.write(folder.resolve("y.tar"), outer));
    assertThatThrownBy(() -> Entries.of(damaged))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("y.tar: damaged tar at byte %d".formatted(512 + bad.length));
  }

  @Test
  void a_million_empty_files_cost_one_line() throws Exception {
    for (int i = 0; i < 2_000; i++) {
      members.put("empty-%04d.png".formatted(i), new byte[0]);
    }
    ImageSource source = ImageSource.open(write());
    assertThatThrownBy(() -> Entries.of(source))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("1,001 of its first 1,001 entries hold no picture");
  }

  @Test
  void a_name_of_a_gibibyte_is_refused_before_it_is_read() throws Exception {
    byte[] header = Arrays.copyOf(Containers.tar(new LinkedHashMap<>(members)), 512);
    TarArchiveEntry entry = new TarArchiveEntry("././@LongLink", TarConstants.LF_GNUTYPE_LONGNAME);
    entry.setSize(1L << 30);
    entry.writeEntryHeader(header);
    Path file = Files.write(folder.resolve("x.tar"), header);
    try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), (1L << 30) + 10_239); // a sparse file
    }
    ImageSource source = ImageSource.open(file, SourceKind.TAR);
    assertThatThrownBy(() -> Entries.of(source)).hasMessageContaining("over 1048576 bytes");
  }

  @Test
  void whatever_the_bytes_are_it_ends_with_entries_or_one_line() throws Exception {
    SequencedMap<String, byte[]> inner = new LinkedHashMap<>();
    inner.put("a.png", Entries.png(1));
    inner.put("b".repeat(200) + ".png", Entries.png(2)); // an extended header
    members.put("c.tar", Containers.tar(inner));
    members.put("d.png", Entries.png(3));
    byte[] whole = Containers.tar(members);
    Seeds.check(
        400,
        random -> {
          byte[] bad = whole.clone();
          for (int i = random.nextInt(1, 8); i > 0; i--) {
            // Headers are where it hurts; the end mark has a test of its own.
            int block = random.nextInt((whole.length - 1024) / 512);
            bad[512 * block + random.nextInt(512)] = (byte) random.nextInt(256);
          }
          boolean packed = random.nextInt(3) == 0;
          byte[] gzip = Containers.gzip(random.nextBoolean() ? bad : whole);
          if (random.nextBoolean()) {
            gzip[random.nextInt(gzip.length)] = (byte) random.nextInt(256);
          }
          Path file = Files.write(folder.resolve("fuzz.tar"), packed ? gzip : bad);
          try {
            assertThat(Entries.of(ImageSource.open(file, SourceKind.TAR)))
                .allMatch(e -> oneLine(e));
          } catch (IOException | UncheckedIOException e) {
            assertThat(e).hasMessageContaining("fuzz.tar");
            assertThat(oneLine(String.valueOf(e.getMessage()))).isTrue();
          }
        });
  }

  private static boolean oneLine(String text) {
    return text.lines().count() <= 1 && text.length() < 2_000;
  }
}
