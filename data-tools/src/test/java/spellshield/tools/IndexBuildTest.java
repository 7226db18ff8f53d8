package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.index.store.Hashes;
import spellshield.index.store.Item;
import spellshield.index.testing.CommandResult;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.Png;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `shield index` beyond the plain case: stopped and gone on with, equal files, edited copies,
/// parts, and dry.
class IndexBuildTest {
  private static final int KILLS = 8;

  @TempDir private Path folder = Path.of("");

  private String at(String name) {
    return folder.resolve(name).toString();
  }

  /// Pictures of noise, some of equal files, some that are none.
  private Path pictures(int count) throws IOException {
    Path place = Files.createDirectories(folder.resolve("pictures"));
    for (int i = 0; i < count; i++) {
      byte[] samples = new byte[24 * 24 * 3];
      new SplittableRandom(i % 10 == 9 ? i - 7 : i).nextBytes(samples);
      byte[] file = Png.write(new RgbImage(24, 24, 3, samples));
      Path path = place.resolve("picture-%03d.png".formatted(i));
      Files.write(path, i % 25 == 13 ? new byte[] {1, 2, 3} : file);
    }
    return place;
  }

  @Test
  void a_build_killed_at_random_moments_ends_with_the_bits_of_a_calm_one() throws Exception {
    String source = pictures(300).toString();
    CommandResult calm = run("index", source, "-o", at("calm"), "--variants", "mirror,noise:4");
    assertThat(calm.code()).as(calm.err()).isZero();
    assertThat(calm.out())
        .contains("288 pictures protected, 30 of them equal files")
        .contains("516 edited copies, 12 left out");
    SplittableRandom random = new SplittableRandom(6);
    int kills = 0;
    int resumed = 0;
    for (boolean done = false; !done; ) {
      Process child = start(source, at("killed"));
      try (BufferedReader output =
          new BufferedReader(
              new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
        List<String> lines = new ArrayList<>();
        for (String line = output.readLine();
            line != null && !line.startsWith("folder ");
            line = output.readLine()) {
          lines.add(line);
        }
        while (child.isAlive() && !exists("killed", "checkpoint.000001")) {
          Thread.onSpinWait(); // the first run measures the pictures before it encodes any
        }
        if (kills < KILLS) {
          LockSupport.parkNanos(random.nextLong(500_000_000L)); // the moment, not a wait
          child.toHandle().destroyForcibly();
        }
        output.lines().forEach(lines::add);
        resumed += (int) lines.stream().filter(line -> line.startsWith("going on after")).count();
        done = lines.stream().anyMatch(line -> line.contains("pictures protected"));
        assertThat(done || kills < KILLS).as("%s", lines).isTrue();
      }
      assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
      kills++;
    }
    assertThat(resumed).as("of %d runs", kills).isPositive();
    assertThat(files("killed")).isEqualTo(files("calm"));
    assertThat(run("inspect", at("killed"), "--verify").code()).isZero();
  }

  /// The hashes of what the set holds; the graph's files have a random number in them, the manifest
  /// the time.
  private Map<String, String> files(String set) throws IOException {
    Map<String, String> hashes = new TreeMap<>();
    try (Stream<Path> paths = Files.list(folder.resolve(set))) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        String name = String.valueOf(path.getFileName());
        if (!name.startsWith("manifest") && !name.equals("lock")) {
          hashes.put(name, Hashes.sha256(Files.readAllBytes(path)));
        }
      }
    }
    assertThat(hashes).hasSizeGreaterThan(3);
    return hashes;
  }

  private Process start(String source, String set) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), "-Xmx512m"));
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+RestoreMXCSROnJNICalls"));
    command.addAll(List.of(Main.class.getName(), "index", source, "-o", set));
    command.addAll(List.of("--variants", "mirror,noise:4", "--checkpoint-every", "0"));
    return new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
  }

  @Test
  void an_unfinished_build_goes_on_only_where_the_same_is_asked_for() throws Exception {
    String source = pictures(300).toString();
    Process child = start(source, at("set"));
    try (BufferedReader output =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = output.readLine(); !exists("set", "checkpoint.000001"); ) {
        assertThat(child.isAlive()).as(line).isTrue();
        Thread.onSpinWait();
      }
      child.toHandle().destroyForcibly();
      output.lines().forEach(line -> {});
    }
    assertThat(child.waitFor(20, TimeUnit.SECONDS)).isTrue();
    CommandResult other = run("index", source, "-o", at("set"), "--grey");
    assertThat(other.code()).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(other.err()).contains("an unfinished build stands at").contains("--restart");
    CommandResult restart = run("index", source, "-o", at("set"), "--grey", "--restart");
    assertThat(restart.code()).as(restart.err()).isZero();
    assertThat(exists("set", "checkpoint.000001")).isFalse();
  }

  private boolean exists(String set, String name) {
    return Files.exists(folder.resolve(set).resolve(name));
  }

  @Test
  void equal_files_share_a_latent_until_the_last_of_them_is_removed() throws IOException {
    String source = pictures(20).toString(); // picture 9 is the file of 2, 19 that of 12
    assertThat(run("index", source, "-o", at("set"), "--variants", "mirror").out())
        .contains("19 pictures protected, 2 of them equal files that share a latent");
    try (ProtectedSet set = ProtectedSet.open(folder.resolve("set"))) {
      assertThat(set.count()).isEqualTo(2 * 17);
      assertThat(set.items(4))
          .extracting(Item::id)
          .containsExactly("picture-002.png", "picture-009.png");
      assertThat(set.items(5)).extracting(Item::edit).containsExactly("mirror", "mirror");
      assertThat(set.item(4).sha256())
          .isEqualTo(Hashes.sha256(Files.readAllBytes(Path.of(source, "picture-009.png"))));
    }
    CommandResult remove = run("remove", at("set"), "picture-002.png");
    assertThat(remove.out()).contains("34 latents protected");
    assertThat(remove.err()).contains("1 of them are protected still");
    String copy = Path.of(source, "picture-002.png").toString();
    CommandResult inside = run("audit", at("set"), copy, "-r", "0.01");
    assertThat(inside.code()).isEqualTo(ExitCode.INSIDE);
    assertThat(inside.out()).contains("picture-009.png");
    assertThat(run("compact", at("set")).code()).isZero();
    assertThat(run("remove", at("set"), "picture-009.png").out()).contains("32 latents protected");
    assertThat(run("audit", at("set"), copy, "-r", "0.01").code()).isZero();
    Path more = Files.createDirectories(folder.resolve("more"));
    Files.copy(Path.of(source, "picture-012.png"), more.resolve("twin.png"));
    assertThat(run("add", at("set"), more.toString()).out())
        .contains(
            "1 pictures added, 1 of them equal files that share a latent, 0 left out; 32 latents");
    assertThat(run("remove", at("set"), "picture-012.png", "picture-019.png").out())
        .contains("32 latents protected");
    assertThat(run("remove", at("set"), "twin.png").out()).contains("30 latents protected");
  }

  @Test
  void a_mirrored_copy_is_inside_where_mirrored_variants_are_protected() throws IOException {
    Path source = pictures(12);
    RgbImage first = read(source.resolve("picture-000.png"));
    Path mirrored = folder.resolve("mirrored.png");
    Files.write(mirrored, Png.write(first.mirrored()));
    run("index", source.toString(), "-o", at("plain"));
    run("index", source.toString(), "-o", at("both"), "--variants", "mirror");
    assertThat(run("audit", at("plain"), mirrored.toString(), "-r", "0.1").code()).isZero();
    CommandResult audit = run("audit", at("both"), mirrored.toString(), "-r", "0.1");
    assertThat(audit.code()).isEqualTo(ExitCode.INSIDE);
    assertThat(audit.out()).contains("picture-000.png").contains("mirror");
  }

  private static RgbImage read(Path path) throws IOException {
    return ImageDoor.read(Files.readAllBytes(path), path.toString());
  }

  @Test
  void near_duplicates_are_named_once_and_by_the_edit_that_brings_them_together()
      throws IOException {
    Path source = pictures(12);
    RgbImage first = read(source.resolve("picture-000.png"));
    byte[] touched = first.samples().clone();
    touched[7] ^= 1;
    Files.write(source.resolve("touched.png"), Png.write(new RgbImage(24, 24, 3, touched)));
    RgbImage fourth = read(source.resolve("picture-003.png"));
    Files.write(source.resolve("turned.png"), Png.write(fourth.mirrored()));
    CommandResult plain = run("index", source.toString(), "-o", at("set"), "--json");
    JsonNode pairs = JsonMapper.shared().readTree(plain.out()).get("nearDuplicates");
    assertThat(pairs).hasSize(1);
    assertThat(pairs.get(0).get("first").asString()).isEqualTo("picture-000.png");
    assertThat(pairs.get(0).get("second").asString()).isEqualTo("touched.png");
    assertThat(pairs.get(0).get("distance").doubleValue()).isPositive();
    CommandResult both = run("index", source.toString(), "-o", at("set"), "--variants", "mirror");
    assertThat(both.err())
        .contains("3 pairs of pictures are nearer to each other")
        .contains("picture-000.png and touched.png: ")
        .contains("picture-003.png and turned.png (mirror): 0.0000")
        .contains("turned.png and picture-003.png (mirror): 0.0000");
    assertThat(run("index", source.toString(), "-o", at("set"), "--near-duplicates", "0").err())
        .doesNotContain("pairs of pictures");
  }

  @Test
  void parts_of_a_source_merge_to_the_set_of_all_of_it() throws IOException {
    String source = pictures(50).toString();
    String[] common = {"--size", "16", "--precision", "float16", "--variants", "shift:1"};
    assertThat(index(source, "whole", common).code()).isZero();
    List<String> merge = new ArrayList<>(List.of("merge", "-o", at("joined")));
    for (int part = 1; part <= 3; part++) {
      String[] more =
          Stream.concat(Stream.of(common), Stream.of("--part", part + "/3")).toArray(String[]::new);
      assertThat(index(source, "part-" + part, more).code()).isZero();
      merge.add(at("part-" + part));
    }
    CommandResult joined = run(merge.toArray(String[]::new));
    assertThat(joined.code()).as(joined.err()).isZero();
    assertThat(files("joined")).isEqualTo(files("whole"));
    CommandResult twice = run("merge", at("joined"), at("part-2"), "-o", at("again"));
    assertThat(twice.out()).contains("17 images were in two of them");
    assertThat(files("again")).isEqualTo(files("whole"));
    assertThat(index(source, "other", "--size", "12").code()).isZero();
    assertThat(run("merge", at("whole"), at("other"), "-o", at("none")).code())
        .isEqualTo(ExitCode.OTHER_SPACE);
    assertThat(run("merge", at("whole"), "-o", at("whole")).code()).isEqualTo(ExitCode.USAGE);
  }

  private CommandResult index(String source, String set, String... options) {
    List<String> all = new ArrayList<>(List.of("index", source, "-o", at(set)));
    all.addAll(List.of(options));
    return run(all.toArray(String[]::new));
  }

  @Test
  void a_dry_run_tells_what_the_build_then_does_and_writes_nothing() throws IOException {
    String source = pictures(80).toString();
    CommandResult dry =
        run("index", source, "-o", at("set"), "--dry-run", "--json", "--variants", "mirror");
    assertThat(dry.code()).as(dry.err()).isZero();
    assertThat(folder.resolve("set")).doesNotExist();
    JsonNode json = JsonMapper.shared().readTree(dry.out());
    assertThat(json.get("entries").intValue()).isEqualTo(80);
    assertThat(json.get("latents").intValue()).isEqualTo(160);
    assertThat(json.get("picturesPerSecond").doubleValue()).isPositive();
    run("index", source, "-o", at("set"), "--variants", "mirror");
    JsonNode set = JsonMapper.shared().readTree(run("inspect", at("set"), "--json").out());
    // 6 pictures of 80 share a latent, 4 are none
    assertThat(json.get("bytes").longValue())
        .isBetween(set.get("bytes").longValue() / 2, 2 * set.get("bytes").longValue());
    assertThat(run("index", source, "-o", at("set"), "--dry-run").out())
        .contains("80 entries")
        .contains("nothing was written");
  }

  private static CommandResult run(String... args) {
    return CommandResult.of(() -> Main.run(args));
  }
}
