package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.index.testing.CommandResult;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.BruteForce.Nearest;
import spellshield.tools.image.Png;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Balls of their own, as a user gives them to a set and hears of them again.
class RadiiCommandTest {
  private static final int COUNT = 8;

  @TempDir private Path folder = Path.of("");

  private Path pictures = Path.of("");
  private String set = "";

  @BeforeEach
  void makePictures() throws IOException {
    pictures = Files.createDirectories(folder.resolve("pictures"));
    set = folder.resolve("set").toString();
    SplittableRandom random = new SplittableRandom(7);
    for (int i = 0; i < COUNT; i++) {
      byte[] samples = new byte[8 * 8 * 3];
      random.nextBytes(samples);
      write(pictures.resolve("picture-%d.png".formatted(i)), samples);
    }
  }

  private static void write(Path file, byte[] samples) throws IOException {
    Files.write(file, Png.write(new RgbImage(8, 8, 3, samples)));
  }

  private Path radii(String text) throws IOException {
    return Files.writeString(folder.resolve("radii.csv"), text);
  }

  @Test
  void a_wide_ball_holds_what_a_narrow_one_does_not_and_every_command_says_so() throws IOException {
    Path file = radii("id,scale\npicture-1.png,4\n\n\"picture-2.png\", 0.25\r\n");
    CommandResult index = run("index", pictures.toString(), "-o", set, "--radii", file.toString());
    assertThat(index.code()).as(index.err()).isZero();
    assertThat(run("inspect", set, "--verify").out())
        .contains("radius scales     2 have another than 1; all are from 0.25 to 4.0")
        .contains("every file has its checksum");
    JsonNode inspected = JsonMapper.shared().readTree(run("inspect", set, "--json").out());
    assertThat(inspected.path("radiusScales").toString())
        .isEqualTo("{\"items\":2,\"least\":0.25,\"largest\":4.0}");

    // At r = 0.15 of the typical distance a ball of 4 radii reaches 0.6, one of a quarter 0.04, and
    // each picture lies 0.3 from one of the set and 0.8 or more from the others.
    Path between = Files.createDirectories(folder.resolve("between"));
    for (int item = 0; item < 3; item++) {
      write(between.resolve("towards-%d.png".formatted(item)), towards(item, 0.3));
    }
    CommandResult audit = run("audit", set, between.toString(), "-r", "0.15", "--json");
    JsonNode audited = JsonMapper.shared().readTree(audit.out()).path("pictures");
    assertThat(audited.path(0).path("verdict").asString()).isEqualTo("outside");
    assertThat(audited.path(1).path("verdict").asString()).isEqualTo("inside");
    assertThat(audited.path(1).path("nearest").asString()).isEqualTo("picture-1.png");
    assertThat(audited.path(1).path("radiusScale").asDouble()).isEqualTo(4);
    assertThat(audited.path(2).path("verdict").asString()).isEqualTo("outside");
    assertThat(audit.code()).isEqualTo(ExitCode.INSIDE);
    assertThat(run("audit", set, between.toString(), "-r", "0.15").out())
        .contains("(ball of 4.0 radii)");

    Path out = folder.resolve("out");
    CommandResult sample =
        run("sample", set, "-o", out.toString(), "-n", "4", "-r", "0.1", "--steps", "12");
    assertThat(sample.code()).as(sample.err()).isZero();
    assertThat(run("audit", set, out.toString(), "-r", "0.1", "--certificates").code()).isZero();
    assertThat(Files.readString(out.resolve("sample-0.json")))
        .contains("the radius times the scale that the set gives that latent")
        .contains("\"largest\" : 4.0");
  }

  /// Returns a picture that lies by a share of the way from one picture to another.
  private byte[] towards(int item, double share) {
    SplittableRandom random = new SplittableRandom(7);
    List<byte[]> all = new ArrayList<>();
    for (int i = 0; i < COUNT; i++) {
      byte[] samples = new byte[8 * 8 * 3];
      random.nextBytes(samples);
      all.add(samples);
    }
    byte[] samples = new byte[8 * 8 * 3];
    for (int i = 0; i < samples.length; i++) {
      int from = all.get(item)[i] & 0xff;
      int to = all.get(COUNT - 1)[i] & 0xff;
      samples[i] = (byte) Math.round(from + share * (to - from));
    }
    return samples;
  }

  @Test
  void added_pictures_and_those_that_are_there_get_balls_of_their_own() throws IOException {
    Path more = Files.createDirectories(folder.resolve("more"));
    Files.move(pictures.resolve("picture-7.png"), more.resolve("new.png"));
    run("index", pictures.toString(), "-o", set);
    Path file = radii("new.png,2\npicture-3.png,3");
    CommandResult add = run("add", set, more.toString(), "--radii", file.toString());
    assertThat(add.code()).as(add.err()).isZero();
    assertThat(run("remove", set, "picture-3.png").code()).isZero();
    assertThat(run("inspect", set).out())
        .contains("1 have another than 1; all are from 1.0 to 2.0");
    assertThat(run("compact", set).code()).isZero();
    assertThat(run("inspect", set).out())
        .contains("1 have another than 1; all are from 1.0 to 2.0");
  }

  @Test
  void a_line_that_says_nothing_good_is_refused_by_its_number_and_no_set_is_made()
      throws IOException {
    String there = "picture-1.png,2\n";
    assertRefused(there + "nobody.png,2\n", "line 2: item 'nobody.png' is not in the set");
    assertRefused(there + "picture-2.png\n", "line 2: a line is an id, a comma and a scale");
    assertRefused(there + "picture-2.png,wide\n", "line 2: the scale of 'picture-2.png' is not");
    assertRefused(there + "picture-2.png,1f\n", "is not a number: '1f'");
    assertRefused(there + "picture-2.png,0\n", "line 2, 'picture-2.png': a radius scale must be");
    assertRefused(there + "picture-2.png,-1\n", "must be positive and finite, but was -1.0");
    assertRefused(there + "picture-2.png,1e99\n", "must be positive and finite, but was Infinity");
    assertRefused(there + there, "line 2: 'picture-1.png' has a scale from line 1 already");
    assertRefused("id,scale\nid,scale\n", "line 2: the scale of 'id' is not a number");
  }

  private void assertRefused(String text, String message) throws IOException {
    CommandResult result =
        run("index", pictures.toString(), "-o", set, "--radii", radii(text).toString());
    assertThat(result.code()).as(result.out()).isEqualTo(ExitCode.USAGE);
    assertThat(result.err()).contains("radii.csv, ").contains(message);
    assertThat(run("inspect", set).code()).isNotZero();
  }

  @Test
  void the_judge_of_the_demo_goes_by_the_same_balls() throws IOException {
    Path file = radii("picture-1.png,4\npicture-2.png,0.25\npicture-5.png,1.5\n");
    run("index", pictures.toString(), "-o", set, "--radii", file.toString());
    try (ProtectedSet opened = ProtectedSet.open(Path.of(set))) {
      ProtectedData data = ProtectedData.of(opened);
      BruteForce judge = BruteForce.of(data);
      SplittableRandom random = new SplittableRandom(3);
      double radius = opened.radius(0.2);
      for (int i = 0; i < 200; i++) {
        float[] x = data.latents().row(random.nextInt(COUNT));
        float[] other = data.latents().row(random.nextInt(COUNT));
        double share = random.nextDouble();
        for (int d = 0; d < x.length; d++) {
          x[d] += (float) (share * (other[d] - x[d]));
        }
        Nearest nearest = judge.nearest(List.of(x))[0];
        var found = opened.exact().nearest(x, 1).getFirst().orElseThrow();
        assertThat((long) nearest.item()).isEqualTo(found.item());
        assertThat(nearest.scale()).isEqualTo(found.scale());
        assertThat(judge.inside(new Nearest[] {nearest}, radius) == 1)
            .isEqualTo(found.isInside(radius));
      }
    }
  }

  private static CommandResult run(String... arguments) {
    return CommandResult.of(() -> Main.run(arguments));
  }
}
