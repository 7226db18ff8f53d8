package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.CommandResult;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.Png;
import spellshield.tools.testing.Pictures;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `shield calibrate`, and what others make of its recommendation.
class CalibrateCommandTest {
  @TempDir private Path folder = Path.of("");

  private Path pictures = Path.of("");
  private Path others = Path.of("");
  private String set = "";

  @BeforeEach
  void makeSet() throws IOException {
    pictures = Files.createDirectory(folder.resolve("pictures"));
    others = Files.createDirectory(folder.resolve("others"));
    set = folder.resolve("set").toString();
    SplittableRandom random = new SplittableRandom(8);
    for (int i = 0; i < 80; i++) {
      // Noise: any two pictures are as far apart as any others, and their mean is far from all.
      Files.write(
          (i < 40 ? pictures : others).resolve("%02d.png".formatted(i)),
          Png.write(Pictures.noise(random, 16, 16, 3)));
    }
    assertThat(run("index", pictures.toString(), "-o", set, "-q").code()).isZero();
  }

  private CommandResult calibrate(String... more) {
    List<String> call = new ArrayList<>(List.of("calibrate", set));
    call.addAll(List.of("--pictures", pictures.toString(), "--catch", "0.9"));
    if (!List.of(more).contains("--held-out")) {
      call.addAll(List.of("--held-out", others.toString()));
    }
    call.addAll(Arrays.asList(more));
    return run(call.toArray(String[]::new));
  }

  @Test
  void a_radius_that_separates_is_recommended_drawn_written_and_quoted() throws IOException {
    Path curve = folder.resolve("curve.png");
    CommandResult result =
        calibrate(
            "--edits", "brightness:10%,jpeg:90,mirror", "-o", curve.toString(), "--write", "-q");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out())
        .contains("40 protected pictures", "copies of 40 of them, 40 held-out pictures")
        .containsPattern("recommended: r = 0\\.\\d\\d of typical")
        .contains("your set is safe from: brightness:10%")
        .contains("not from mirror: 0.0 % (0.0–8.8) caught");
    assertThat(result.err()).contains("epoch 2");
    assertThat(ImageDoor.read(curve).width()).isEqualTo(1000);

    CommandResult inspect = run("inspect", set, "--verify");
    assertThat(inspect.out())
        .containsPattern(
            "covers +at 0\\.\\d\\d of typical \\(\\d+\\.\\d{4}\\) brightness:10% 100\\.0 % \\(91\\.2–100\\.0\\)")
        .contains(
            "; not mirror 0.0 % (0.0–8.8); ", "of 40 other items blocked; measured at epoch 1")
        .containsPattern("epoch 2 +\\S+  \\+0 −0  calibrated")
        .contains("every file has its checksum");
    String picture = others.resolve("41.png").toString();
    assertThat(run("audit", set, picture, "-r", "0.1").out())
        .containsPattern("covers: at 0\\.\\d\\d of typical \\(\\d+\\.\\d{4}\\) brightness:10%");
    JsonNode audited =
        JsonMapper.shared().readTree(run("audit", set, picture, "-r", "0.1", "--json").out());
    assertThat(audited.path("covers").asString()).contains("brightness:10%");

    assertThat(run("audit", set, picture, "-r", "0.1").out()).doesNotContain("warning");
    assertThat(run("audit", set, picture, "-r", "0.8").out())
        .containsPattern("warning: the radius \\S+ is wider than the recommended \\S+; expect");

    // What was measured is kept when the set changes, and when it is compacted.
    assertThat(run("remove", set, "03.png").code()).isZero();
    assertThat(run("inspect", set).out()).contains("measured at epoch 1", "epoch 3");
    assertThat(run("compact", set, "-q").code()).isZero();
    assertThat(run("inspect", set).out()).contains("measured at epoch 1", "epoch 4");

    // A certificate quotes it, and so says the audit that checks it.
    Path out = folder.resolve("quoted");
    assertThat(
            run("sample", set, "-o", out.toString(), "-n", "1", "-r", "0.05", "--steps", "4", "-q")
                .code())
        .isZero();
    assertThat(Files.readString(out.resolve("sample-0.json")))
        .contains("\"measured\"", "brightness:10% 100.0 % (91.2–100.0)", "measured at epoch 1");
    assertThat(run("audit", set, out.toString(), "-r", "0.05", "--certificates").out())
        .contains("certificate: valid");
  }

  @Test
  void a_machine_reads_the_same_and_the_same_seed_gives_the_same() throws IOException {
    String[] call = {"--edits", "noise:8,mirror", "--sample", "36", "--json", "-q"};
    CommandResult result = calibrate(call);
    assertThat(result.code()).as(result.err()).isZero();
    JsonNode json = JsonMapper.shared().readTree(result.out());
    assertThat(json.path("edits").path(0).path("copies").intValue()).isEqualTo(36);
    assertThat(json.path("recommended").path("covered").path(0).asString()).isEqualTo("noise:8");
    assertThat(json.path("recommended").path("uncovered").path(0).asString()).isEqualTo("mirror");
    JsonNode last = json.path("curve").path(json.path("curve").size() - 1);
    assertThat(last.path("share").doubleValue()).isEqualTo(0.8);
    assertThat(last.path("caught").path("noise:8").path("hits").intValue()).isEqualTo(36);
    assertThat(calibrate(call).out()).isEqualTo(result.out());
  }

  @Test
  void where_none_separates_that_is_said_and_the_set_left_as_it_was() throws IOException {
    String before = run("inspect", set, "--json").out();
    CommandResult mirror = calibrate("--edits", "mirror", "--write", "-q");
    assertThat(mirror.code()).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(mirror.out()).contains("no radius separates: at r = ", "most is caught of mirror");
    assertThat(mirror.err()).contains("nothing was written");
    CommandResult same = calibrate("--held-out", pictures.toString(), "-q");
    assertThat(same.code()).isZero();
    assertThat(same.out()).contains("no radius separates: even r = 0.05 blocks 100.0 %");
    assertThat(same.err()).contains("40 of the held-out pictures are protected ones");
    assertThat(run("inspect", set, "--json").out()).isEqualTo(before);
  }

  @Test
  void sampling_is_refused_where_the_radius_holds_the_mean_and_warned_of_where_it_is_wide()
      throws IOException {
    String out = folder.resolve("out").toString();
    CommandResult refused = run("sample", set, "-o", out, "-n", "1", "-r", "0.75", "--steps", "4");
    assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
    assertThat(refused.err().lines()).hasSize(1);
    assertThat(refused.err())
        .startsWith("shield: the radius ")
        .contains("holds the mean of the set", "--force-radius");
    assertThat(folder.resolve("out")).doesNotExist();
    CommandResult forced =
        run("sample", set, "-o", out, "-n", "1", "-r", "0.75", "--steps", "4", "--force-radius");
    assertThat(forced.code()).isIn(ExitCode.OK, ExitCode.INSIDE);
    assertThat(forced.err()).contains("expect crowded steps");

    assertThat(calibrate("--edits", "brightness:10%", "--write", "-q").code()).isZero();
    String[] wide = {"sample", set, "-o", out, "-n", "1", "-r", "0.5", "--steps", "4", "-q"};
    assertThat(run(wide).err()).contains("is wider than the recommended");
    wide[7] = "0.05";
    assertThat(run(wide).err()).doesNotContain("recommended");
  }

  @Test
  void bad_calls_end_with_one_line_and_the_right_code() {
    expect(ExitCode.USAGE, calibrate("--edits", "jpg:90"));
    expect(ExitCode.USAGE, calibrate("--catch", "1"));
    expect(ExitCode.USAGE, calibrate("--sample", "0"));
    expect(ExitCode.USAGE, calibrate("-o", folder.resolve("curve.pdf").toString()));
    expect(ExitCode.USAGE, run("calibrate", set));
    expect(ExitCode.BAD_INPUT, calibrate("--held-out", folder.resolve("absent").toString()));
  }

  private static void expect(int code, CommandResult result) {
    assertThat(result.code()).as(result.err()).isEqualTo(code);
    assertThat(result.err().lines().filter(line -> line.startsWith("shield: "))).hasSize(1);
  }

  @Test
  void on_the_emoji_mild_edits_are_covered_and_a_mirror_image_is_not() throws IOException {
    Path emoji = Path.of("..", "data", "emoji");
    List<Path> files;
    try (Stream<Path> all = Files.list(emoji)) {
      files = all.filter(file -> file.toString().endsWith(".png")).sorted().toList();
    }
    Path some = Files.createDirectory(folder.resolve("emoji"));
    Path rest = Files.createDirectory(folder.resolve("rest"));
    for (int i = 0; i < 240; i++) {
      Path file = files.get(i * 7); // neighbours in the list are alike
      Files.copy(file, (i % 2 == 0 ? some : rest).resolve(file.getFileName()));
    }
    String protectedEmoji = folder.resolve("emoji-set").toString();
    assertThat(run("index", some.toString(), "-o", protectedEmoji, "-q").code()).isZero();
    CommandResult result =
        run(
            "calibrate",
            protectedEmoji,
            "--pictures",
            some.toString(),
            "--held-out",
            rest.toString(),
            "--edits",
            "jpeg:90,noise:8,mirror,shift:2",
            "--catch",
            "0.9",
            "--block",
            "0.25",
            "-q");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.out())
        .contains("safe from: jpeg:90, noise:8")
        .contains("not from mirror", "not from shift:2");
  }

  private static CommandResult run(String... args) {
    return CommandResult.of(() -> Main.run(args));
  }
}
