package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.CommandResult;
import spellshield.tools.testing.Containers;
import spellshield.tools.testing.Containers.Picture;

/// `shield index` and `shield add` on containers, as a user would run them.
class SourceCommandTest {
  private static final String WRITTEN_BY_PYTHON = "src/test/resources/containers/";

  @TempDir private Path folder = Path.of("");

  private String set() {
    return folder.resolve("set").toString();
  }

  @Test
  void an_archive_is_indexed_and_another_added() throws IOException {
    List<Picture> pictures = Containers.emoji(30);
    Path tars = Containers.tarOfTars(folder.resolve("tars"), pictures.subList(0, 20));
    CommandResult index = run("index", tars.toString(), "-o", set(), "--size", "16");
    assertThat(index.code()).as(index.err()).isZero();
    assertThat(index.err()).contains("tar " + tars);
    assertThat(index.out()).contains("20 pictures protected, 0 left out");
    Path zip = Containers.kaggleZip(folder.resolve("zip"), pictures.subList(20, 30));
    CommandResult add = run("add", set(), zip.toString());
    assertThat(add.code()).as(add.err()).isZero();
    assertThat(add.out()).contains("10 pictures added, 0 left out; 30 latents protected");
    // The id is that of the folder too: it is known already.
    Path again = Containers.folder(folder.resolve("again"), pictures.subList(3, 4));
    assertThat(run("add", set(), again.toString()).err()).contains("is in the set already");
  }

  @Test
  void from_overrides_what_the_content_says() throws IOException {
    Path shards = Containers.webDataset(folder.resolve("shards"), Containers.emoji(6), 6);
    String tar = shards.resolve("000000.tar").toString();
    CommandResult webDataset = run("index", tar, "-o", set(), "--size", "16");
    assertThat(webDataset.out()).contains("6 pictures protected, 0 left out");
    CommandResult plain = run("index", tar, "-o", set(), "--size", "16", "--from", "tar");
    assertThat(plain.out()).contains("6 pictures protected, 6 left out"); // .cls is no picture
    expect(ExitCode.BAD_INPUT, "index", tar, "-o", set(), "--from", "zip");
    expect(ExitCode.BAD_INPUT, "index", tar, "-o", set(), "--from", "edm2-zip");
    expect(ExitCode.BAD_INPUT, "index", tar, "-o", set(), "--from", "folder");
    expect(ExitCode.USAGE, "index", tar, "-o", set(), "--from", "cupboard");
    assertThat(run("index", "--help").out()).contains("webdataset, zip").contains("edm2-zip");
  }

  @Test
  void latents_are_stored_as_they_are_and_added_to_sets_of_their_space_only() throws IOException {
    String rows = WRITTEN_BY_PYTHON + "stored.npz";
    expect(ExitCode.USAGE, "index", rows, "-o", set());
    expect(ExitCode.USAGE, "index", rows, "-o", set(), "--space", "toy-v1", "--size", "64");
    CommandResult index = run("index", rows, "-o", set(), "--space", "toy-v1");
    assertThat(index.code()).as(index.err()).isZero();
    assertThat(index.out()).contains("2 pictures protected, 0 left out; toy-v1, shape [3, 2, 2]");
    String named = WRITTEN_BY_PYTHON + "named.safetensors";
    CommandResult add = run("add", set(), named, "--space", "toy-v1");
    assertThat(add.code()).as(add.err()).isZero();
    assertThat(add.out()).contains("2 pictures added, 0 left out; 4 latents protected");
    expect(ExitCode.OTHER_SPACE, "add", set(), named, "--space", "toy-v2");
    expect(
        ExitCode.OTHER_SPACE, "add", set(), WRITTEN_BY_PYTHON + "float16.npy", "--space", "toy-v1");
    expect(ExitCode.BAD_INPUT, "add", set(), WRITTEN_BY_PYTHON + "pickle.npy");
  }

  @Test
  void parquet_is_indexed_without_talk_of_the_library() throws IOException {
    String parquet = WRITTEN_BY_PYTHON + "snappy.parquet";
    CommandResult index = run("index", parquet, "-o", set());
    assertThat(index.out()).contains("5 pictures protected, 3 left out");
    assertThat(index.err().lines())
        .hasSize(4)
        .allMatch(line -> line.startsWith("parquet ") || line.startsWith("left out: "));
  }

  @Test
  void a_picture_twice_in_an_archive_is_left_out_once() throws IOException {
    List<Picture> emoji = Containers.emoji(3);
    SequencedMap<String, byte[]> members = new LinkedHashMap<>();
    members.put("train/a/1.png", emoji.get(0).bytes());
    members.put("x/train/a/1.png", emoji.get(1).bytes());
    members.put("a/2.png", emoji.get(2).bytes());
    Path tar = Files.write(folder.resolve("x.tar"), Containers.tar(members));
    CommandResult index = run("index", tar.toString(), "-o", set(), "--size", "16");
    assertThat(index.out()).contains("2 pictures protected, 1 left out");
    assertThat(index.err()).contains("x/train/a/1.png: a second picture with the id 'a/1.png'");
    assertThat(run("index", tar.toString(), "-o", set(), "--size", "16", "--strict").code())
        .isEqualTo(ExitCode.BAD_INPUT);
  }

  @Test
  void damaged_and_hostile_containers_end_with_one_line_and_leave_the_set() throws IOException {
    Path good = Containers.folder(folder.resolve("good"), Containers.emoji(4));
    assertThat(run("index", good.toString(), "-o", set(), "--size", "16").code()).isZero();
    String before = run("inspect", set(), "--json").out();
    SequencedMap<String, byte[]> hollow = new LinkedHashMap<>();
    for (int i = 0; i < 1_500; i++) {
      hollow.put("empty-%d.png".formatted(i), new byte[0]);
    }
    Path parquet = Path.of(WRITTEN_BY_PYTHON, "snappy.parquet");
    Path zip = Containers.kaggleZip(folder.resolve("zip"), Containers.emoji(4));
    Path tar = Containers.tar(folder.resolve("tar"), Containers.emoji(4));
    Path others = Containers.tar(folder.resolve("others"), Containers.emoji(8).subList(4, 8));
    Path gzip = Containers.gzip(others, folder.resolve("tgz"));
    byte[] flipped = Files.readAllBytes(gzip);
    flipped[flipped.length - 7] ^= 1; // in the checksum, behind all that is read
    byte[] zeros = Arrays.copyOf(Containers.tar(oneOf(64 << 20)), (64 << 20) + 2048);
    byte[] huge = new byte[40];
    huge[4] = 2; // a header of 8 GiB
    huge[8] = '{';
    for (Path bad :
        List.of(
            Files.write(folder.resolve("half-parquet"), half(parquet)),
            Files.write(folder.resolve("half-zip"), half(zip)),
            Files.write(folder.resolve("half-tar"), half(tar)),
            Files.write(folder.resolve("half-tgz"), half(gzip)),
            Files.write(folder.resolve("flipped-tgz"), flipped),
            Files.write(folder.resolve("bomb-tgz"), Containers.gzip(zeros)),
            Files.write(folder.resolve("no-tar"), Containers.gzip(new byte[2048])),
            Files.write(folder.resolve("hollow"), Containers.tar(hollow)),
            Containers.zip(folder.resolve("hollow-zip"), hollow, true),
            Files.write(folder.resolve("huge"), huge),
            Path.of(WRITTEN_BY_PYTHON, "pickle.npy"))) {
      expect(ExitCode.BAD_INPUT, "index", bad.toString(), "-o", set());
      expect(ExitCode.BAD_INPUT, "add", set(), bad.toString());
    }
    assertThat(run("inspect", set(), "--json").out()).isEqualTo(before);
  }

  private static SequencedMap<String, byte[]> oneOf(int bytes) {
    SequencedMap<String, byte[]> members = new LinkedHashMap<>();
    members.put("large.png", new byte[bytes]);
    return members;
  }

  private static byte[] half(Path file) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    return Arrays.copyOf(whole, whole.length / 2);
  }

  private static void expect(int code, String... args) {
    CommandResult result = run(args);
    assertThat(result.code()).as("%s: %s", List.of(args), result.err()).isEqualTo(code);
    assertThat(result.err().lines().filter(line -> line.startsWith("shield: "))).hasSize(1);
    assertThat(result.out()).isEmpty();
  }

  private static CommandResult run(String... args) {
    return CommandResult.of(() -> Main.run(args));
  }
}
