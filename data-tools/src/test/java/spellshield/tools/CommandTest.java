package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.CommandResult;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.Png;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Runs the commands as a user would, good input and bad.
class CommandTest {
  @TempDir private Path folder = Path.of("");

  private Path pictures = Path.of("");
  private String set = "";
  private Path out = Path.of("");

  /// What a command printed and ended with.
  @BeforeEach
  void makePictures() throws IOException {
    pictures = Files.createDirectories(folder.resolve("pictures"));
    set = folder.resolve("set").toString();
    out = folder.resolve("out");
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 12; i++) {
      byte[] samples = new byte[16 * 16 * 3];
      int[] colour = {random.nextInt(256), random.nextInt(256), random.nextInt(256)};
      int wave = random.nextInt(1, 6);
      for (int p = 0; p < 256; p++) {
        for (int c = 0; c < 3; c++) {
          double shade = 0.5 + 0.5 * Math.sin(wave * (p % 16 + p / 16.0) * 0.4);
          samples[p * 3 + c] = (byte) (int) (colour[c] * shade);
        }
      }
      Files.write(
          pictures.resolve("picture-%02d.png".formatted(i)),
          Png.write(new RgbImage(16, 16, 3, samples)));
    }
  }

  @Test
  void index_inspect_sample_and_audit_agree() throws IOException {
    CommandResult index = run("index", pictures.toString(), "-o", set);
    assertThat(index.code()).as(index.err()).isZero();
    assertThat(index.out()).contains("12 pictures protected, 0 left out");
    assertThat(run("inspect", set, "--verify").out())
        .contains("latents           12 of FLOAT32")
        .contains("every file has its checksum");
    CommandResult sample =
        run("sample", set, "-o", out.toString(), "-n", "4", "-r", "0.2", "--json", "--steps", "12");
    assertThat(sample.code()).as(sample.err()).isZero();
    JsonNode json = JsonMapper.shared().readTree(sample.out());
    assertThat(json.path("samples").size()).isEqualTo(4);
    CommandResult audit =
        run("audit", set, out.toString(), "-r", "0.2", "--certificates", "--json");
    assertThat(audit.code()).as(audit.out()).isZero();
    JsonNode audited = JsonMapper.shared().readTree(audit.out()).path("pictures");
    for (int i = 0; i < 4; i++) {
      assertThat(audited.path(i).path("verdict").asString()).isEqualTo("outside");
      assertThat(audited.path(i).path("certificate").asString()).isEqualTo("valid");
      // The file is what the certificate is about: the same distance to the last bit.
      assertThat(audited.path(i).path("distance").doubleValue())
          .isEqualTo(json.path("samples").path(i).path("distance").doubleValue());
    }
    CommandResult copies = run("audit", set, pictures.toString(), "-r", "0.2");
    assertThat(copies.code()).isEqualTo(ExitCode.INSIDE);
    assertThat(copies.out()).contains("inside ").contains("picture-11.png");
  }

  @Test
  void pictures_are_added_and_removed_without_a_build_and_every_step_is_told() throws IOException {
    Path more = Files.createDirectories(folder.resolve("more"));
    Path moved = more.resolve("moved-11.png");
    Files.move(pictures.resolve("picture-11.png"), moved);
    run("index", pictures.toString(), "-o", set);
    assertThat(run("audit", set, moved.toString(), "-r", "0.01").code()).isZero();

    CommandResult add = run("add", set, more.toString(), "--reason", "request 17");
    assertThat(add.code()).as(add.err()).isZero();
    assertThat(add.out()).contains("1 pictures added, 0 left out; 12 latents protected, epoch 2");
    CommandResult inside = run("audit", set, moved.toString(), "-r", "0.01");
    assertThat(inside.code()).isEqualTo(ExitCode.INSIDE);
    assertThat(inside.out()).contains("moved-11.png");

    Path list = Files.writeString(folder.resolve("ids"), "picture-03.png\n\npicture-04.png\n");
    CommandResult remove = run("remove", set, "picture-02.png", "--from", list.toString());
    assertThat(remove.code()).as(remove.err()).isZero();
    assertThat(remove.out()).contains("3 pictures removed; 9 latents protected, epoch 3");
    assertThat(add.err()).doesNotContain("shield compact");
    assertThat(remove.err())
        .contains("4 pictures were added or removed")
        .contains("shield compact");
    String removed = pictures.resolve("picture-03.png").toString();
    assertThat(run("audit", set, removed, "-r", "0.01").code()).isZero();

    assertThat(run("inspect", set, "--verify").out())
        .contains("latents           9 of FLOAT32")
        .contains("removed           3, on disk until 'shield compact'")
        .containsPattern("epoch 1 +\\S+  \\+11 −0  built")
        .containsPattern("epoch 2 +\\S+  \\+1 −0  request 17")
        .containsPattern("epoch 3 +\\S+  \\+0 −3  removed")
        .contains("measured at epoch 1")
        .contains("every file has its checksum");
    JsonNode json = JsonMapper.shared().readTree(run("inspect", set, "--json").out());
    assertThat(json.path("count").intValue()).isEqualTo(9);
    assertThat(json.path("epochs").path(1).path("reason").asString()).isEqualTo("request 17");

    CommandResult sample =
        run("sample", set, "-o", out.toString(), "-n", "2", "-r", "0.2", "--steps", "12");
    assertThat(sample.code()).as(sample.err()).isZero();
    assertThat(run("audit", set, out.toString(), "-r", "0.2", "--certificates").code()).isZero();

    CommandResult compact = run("compact", set);
    assertThat(compact.code()).as(compact.err()).isZero();
    assertThat(compact.out())
        .contains("9 pictures protected, 3 removed ones cleared away, epoch 4");
    assertThat(run("compact", set).out()).contains("nothing was added or removed");
    assertThat(run("inspect", set).out())
        .contains("epoch 4")
        .doesNotContain("measured at")
        .doesNotContain("on disk until");
    assertThat(run("audit", set, removed, "-r", "0.01").code()).isZero();
    assertThat(run("audit", set, moved.toString(), "-r", "0.01").code()).isEqualTo(ExitCode.INSIDE);
  }

  @Test
  void a_change_that_cannot_be_made_ends_with_one_line_and_leaves_the_set() throws IOException {
    run("index", pictures.toString(), "-o", set);
    String before = run("inspect", set, "--json").out();
    Path words = Files.createDirectories(folder.resolve("words"));
    Files.writeString(words.resolve("a.png"), "words");
    String absent = folder.resolve("absent").toString();
    expect(ExitCode.USAGE, "remove", set, "picture-01.png", "nobody.png");
    assertThat(run("remove", set, "picture-01.png", "nobody.png").err()).contains("'nobody.png'");
    expect(ExitCode.USAGE, "remove", set);
    expect(ExitCode.USAGE, "remove", set, "picture-01.png", "--reason", "two\nlines");
    expect(ExitCode.BAD_INPUT, "remove", set, "--from", absent);
    expect(ExitCode.BAD_INPUT, "remove", absent, "picture-01.png");
    expect(ExitCode.USAGE, "add", set);
    expect(ExitCode.BAD_INPUT, "add", absent, pictures.toString());
    expect(ExitCode.BAD_INPUT, "add", set, words.toString());
    expect(ExitCode.BAD_INPUT, "compact", absent);
    assertThat(folder.resolve("absent")).doesNotExist();
    CommandResult twice = run("add", set, pictures.toString(), "-q");
    assertThat(twice.code()).isEqualTo(ExitCode.USAGE);
    assertThat(twice.err()).contains("item 'picture-00.png' is in the set already");
    assertThat(run("inspect", set, "--json").out()).isEqualTo(before);
    assertThat(run("inspect", set, "--verify").code()).isZero();
  }

  @Test
  void the_same_seeds_write_the_same_files_in_any_batch() throws IOException {
    run("index", pictures.toString(), "-o", set);
    for (String batch : new String[] {"1", "4"}) {
      CommandResult result =
          run(
              "sample",
              set,
              "-o",
              out + batch,
              "-n",
              "4",
              "-r",
              "0.3",
              "--batch",
              batch,
              "--sampler",
              "ancestral",
              "--search",
              "hnsw",
              "--steps",
              "12");
      assertThat(result.code()).as(result.err()).isZero();
    }
    for (int seed = 0; seed < 4; seed++) {
      String name = "sample-" + seed + ".png";
      assertThat(folder.resolve("out4").resolve(name))
          .hasSameBinaryContentAs(folder.resolve("out1").resolve(name));
    }
  }

  @Test
  void a_history_goes_on_where_it_ended() throws IOException {
    run("index", pictures.toString(), "-o", set);
    String history = folder.resolve("history").toString();
    for (String seed : new String[] {"0", "100"}) {
      CommandResult result =
          run(
              "sample",
              set,
              "-o",
              out.toString(),
              "-n",
              "3",
              "--seed",
              seed,
              "-r",
              "0.1",
              "--history",
              history,
              "--diverse",
              "--half-width",
              "3",
              "--steps",
              "12");
      assertThat(result.code()).as(result.err()).isZero();
    }
    assertThat(run("inspect", history).out()).contains("latents           6 of FLOAT32");
  }

  @Test
  void a_certificate_in_another_picture_is_not_valid() throws IOException {
    run("index", pictures.toString(), "-o", set);
    run("sample", set, "-o", out.toString(), "-n", "1", "-r", "0.2", "--steps", "12");
    Path picture = out.resolve("sample-0.png");
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    texts.put(
        SampleWriter.CERTIFICATE,
        Png.texts(Files.readAllBytes(picture)).get(SampleWriter.CERTIFICATE));
    RgbImage image = ImageDoor.read(picture);
    byte[] samples = image.samples().clone();
    samples[7] ^= 1;
    Files.write(picture, Png.write(new RgbImage(16, 16, 3, samples), texts));
    CommandResult audit = run("audit", set, picture.toString(), "-r", "0.2", "--certificates");
    assertThat(audit.code()).isEqualTo(ExitCode.INSIDE);
    assertThat(audit.out()).contains("certificate: it is about the latent");
  }

  @Test
  void unreadable_pictures_are_named_and_left_out() throws IOException {
    byte[] good = Files.readAllBytes(pictures.resolve("picture-00.png"));
    Files.write(pictures.resolve("cut.png"), Arrays.copyOf(good, good.length / 2));
    Files.writeString(pictures.resolve("words.png"), "these are words");
    CommandResult index = run("index", pictures.toString(), "-o", set);
    assertThat(index.code()).isZero();
    assertThat(index.out()).contains("12 pictures protected, 2 left out");
    assertThat(index.err()).contains("left out: ").contains("cut.png").contains("words.png");
    assertThat(run("index", pictures.toString(), "-o", set, "--strict").code())
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(run("audit", set, pictures.resolve("cut.png").toString()).code())
        .isEqualTo(ExitCode.BAD_INPUT);
  }

  @Test
  void odd_pictures_are_read_and_bad_ones_named() throws IOException {
    Path odd = Path.of("..", "..", "shared", "fixtures", "pillow", "odd-images");
    assumeTrue(Files.isDirectory(odd), odd + " is absent");
    for (String name :
        new String[] {
          "cmyk.jpg",
          "grey.jpg",
          "rgba.png",
          "grey-alpha.png",
          "truncated.jpg",
          "bomb-60000x60000.png",
          "empty.jpg",
          "text.jpg"
        }) {
      Files.copy(odd.resolve(name), pictures.resolve(name));
    }
    CommandResult index = run("index", pictures.toString(), "-o", set, "--size", "16");
    assertThat(index.code()).as(index.err()).isZero();
    assertThat(index.out()).contains("16 pictures protected, 4 left out");
    for (String bad : new String[] {"truncated.jpg", "bomb-60000x60000", "empty.jpg", "text.jpg"}) {
      assertThat(index.err().lines().filter(line -> line.contains(bad))).hasSize(1);
    }
  }

  @Test
  void bad_calls_end_with_one_line_and_the_right_code() throws IOException {
    run("index", pictures.toString(), "-o", set);
    Path empty = Files.createDirectories(folder.resolve("empty"));
    Path words = Files.createDirectories(folder.resolve("words"));
    Files.writeString(words.resolve("a.png"), "words");
    String o = out.toString();
    expect(ExitCode.BAD_INPUT, "index", empty.toString(), "-o", o);
    expect(ExitCode.BAD_INPUT, "index", words.toString(), "-o", o);
    expect(ExitCode.BAD_INPUT, "index", folder.resolve("absent").toString(), "-o", o);
    expect(ExitCode.BAD_INPUT, "index", pictures.toString(), "-o", words.toString());
    expect(ExitCode.USAGE, "index", pictures.toString(), "-o", o, "--size", "huge");
    expect(ExitCode.BAD_INPUT, "inspect", empty.toString());
    expect(ExitCode.BAD_INPUT, "audit", folder.resolve("absent").toString(), o);
    expect(ExitCode.BAD_INPUT, "audit", set, empty.toString());
    for (String radius : new String[] {"0", "-1", "NaN"}) {
      expect(ExitCode.USAGE, "audit", set, pictures.toString(), "--radius=" + radius);
      expect(ExitCode.USAGE, "sample", set, "-o", o, "--distance=" + radius);
    }
    expect(ExitCode.USAGE, "sample", set, "-o", o, "-n", "0");
    expect(ExitCode.USAGE, "sample", set, "-o", o, "--sampler", "magic");
    expect(ExitCode.USAGE, "sample", set, "-o", o, "--label", "unicorn");
    expect(ExitCode.USAGE, "sample", set);
    expect(ExitCode.USAGE, "frobnicate");
    expect(ExitCode.USAGE, "sample", set, "-o", o, "--frobnicate");
    expect(ExitCode.USAGE, "sample", set, "-o", o, "-n", "many");
    assertThat(run("smple").err()).contains("did you mean").contains("sample");
    assertThat(run().code()).isEqualTo(ExitCode.USAGE);
    assertThat(run("--help").code()).isZero();
    assertThat(run("inspect", set, "--verify").code()).isZero();
  }

  @Test
  void a_picture_inside_is_told_even_when_another_cannot_be_read() throws IOException {
    run("index", pictures.toString(), "-o", set);
    Path broken = pictures.resolve("words.png");
    Files.writeString(broken, "these are words");
    String inside = pictures.resolve("picture-03.png").toString();
    for (List<String> order :
        List.of(List.of(inside, broken.toString()), List.of(broken.toString(), inside))) {
      CommandResult audit = run("audit", set, order.getFirst(), order.getLast());
      assertThat(audit.code()).isEqualTo(ExitCode.INSIDE);
      assertThat(audit.out()).contains("unreadable").contains("inside ");
    }
  }

  @Test
  void a_missing_or_shortened_file_of_the_set_ends_with_code_6() throws IOException {
    run("index", pictures.toString(), "-o", set);
    for (Path file : filesOfSet()) {
      byte[] good = Files.readAllBytes(file);
      String name = file.getFileName().toString();
      for (boolean missing : new boolean[] {true, false}) {
        Files.delete(file);
        if (!missing) {
          Files.write(file, Arrays.copyOf(good, good.length - 1));
        }
        CommandResult result = run("audit", set, pictures.toString());
        // Without its manifest a folder is no set at all.
        int code =
            missing && name.startsWith("manifest") ? ExitCode.BAD_INPUT : ExitCode.DAMAGED_SET;
        assertThat(result.code()).as("%s: %s", name, result.err()).isEqualTo(code);
        assertThat(result.err().lines()).hasSize(1);
        assertThat(result.err()).startsWith("shield: ");
        Files.write(file, good);
      }
    }
    assertThat(run("inspect", set, "--verify").code()).isZero();
  }

  @Test
  void a_full_disk_leaves_the_set_that_was_there() throws Exception {
    Path mount = Files.createDirectory(folder.resolve("small"));
    assumeTrue(
        mount(mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs"),
        "skipped: a small disk can be mounted by root only");
    try {
      String place = mount.resolve("set").toString();
      assertThat(run("index", pictures.toString(), "-o", place).code()).isZero();
      String before = run("inspect", place, "--json").out();
      expect(ExitCode.BAD_INPUT, "index", pictures.toString(), "-o", place, "--size", "128");
      assertThat(run("inspect", place, "--json").out()).isEqualTo(before);
      assertThat(run("inspect", place, "--verify").code()).isZero();
    } finally {
      assertThat(new ProcessBuilder("umount", mount.toString()).start().waitFor()).isZero();
    }
  }

  private static boolean mount(Path place, String... options) throws InterruptedException {
    List<String> command = new ArrayList<>(List.of("mount"));
    command.addAll(List.of(options));
    command.add(place.toString());
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false; // there is no such command
    }
  }

  @Test
  void a_flipped_byte_in_any_file_of_the_set_ends_with_code_6() throws IOException {
    run("index", pictures.toString(), "-o", set);
    for (Path file : filesOfSet()) {
      byte[] good = Files.readAllBytes(file);
      byte[] bad = good.clone();
      bad[good.length / 2] ^= 4;
      Files.write(file, bad);
      String name = file.getFileName().toString();
      for (String[] command :
          new String[][] {
            {"inspect", set, "--verify"},
            {"sample", set, "-o", out.toString(), "-n", "1", "--search", "hnsw"}
          }) {
        CommandResult result = run(command);
        assertThat(result.code()).as("%s: %s", name, result.err()).isEqualTo(ExitCode.DAMAGED_SET);
        assertThat(result.err().lines()).hasSize(1);
        assertThat(result.err()).startsWith("shield: ").contains(name);
      }
      Files.write(file, good);
    }
  }

  @Test
  void a_set_of_another_latent_space_is_refused() throws IOException {
    run("index", pictures.toString(), "-o", set);
    String other = folder.resolve("other").toString();
    run("index", pictures.toString(), "-o", other, "--size", "8");
    CommandResult result =
        run("sample", set, "-o", out.toString(), "-n", "1", "--history", other, "--steps", "4");
    assertThat(result.code()).isEqualTo(ExitCode.OTHER_SPACE);
    assertThat(result.err()).contains("8x8x3").contains("16x16x3");
  }

  private List<Path> filesOfSet() throws IOException {
    try (Stream<Path> all = Files.walk(Path.of(set))) {
      return all.filter(f -> Files.isRegularFile(f) && !f.endsWith("lock")).sorted().toList();
    }
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
