package spellshield.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.benchmarks.latents.MakeLatents;
import spellshield.index.testing.CommandResult;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Runs `shield bench` as a user would, good input and bad.
class BenchCommandTest {
  private static final int USAGE = 2;
  private static final int BAD_INPUT = 4;

  @TempDir private Path folder;

  /// What a command printed and ended with.
  @Test
  void bad_calls_end_with_one_line_and_the_right_code() throws IOException {
    expect(USAGE, "there are BatchBenchmark.exact", "Magic");
    expect(USAGE, "no regular expression", "(Step");
    expect(USAGE, "--frobnicate", "--frobnicate");
    expect(USAGE, "there are batch, count", "-p", "colour=red");
    expect(USAGE, "regime cannot be 'noon'", "-p", "regime=early,noon");
    for (String value :
        List.of(
            "share=NaN", "share=-1", "share=0", "share=.0", "count=0", "count=many", "batch=3")) {
      expect(USAGE, "cannot be", "-p", value);
    }
    expect(USAGE, "-p", "-p", "share");
    expect(BAD_INPUT, "absent", "--cache", folder.resolve("absent").toString());
    expect(USAGE, "--cache", "make-latents");
    String cache = folder.resolve("cache").toString();
    expect(USAGE, "but was 1", "make-latents", "--cache", cache, "--count", "1");
    Path file = Files.createFile(folder.resolve("file"));
    expect(BAD_INPUT, "file", "make-latents", "--cache", file.toString(), "--count", "9");
    assertThat(run("--help").code()).isZero();
    assertThat(run("make-latents", "--help").code()).isZero();
  }

  @Test
  void a_cache_that_holds_too_few_is_refused() throws IOException {
    Path cache = folder.resolve("cache");
    MakeLatents.standIn(cache, 300, line -> {});
    expect(USAGE, "holds 300 latents, not 301", "--cache", cache.toString(), "-p", "count=301");
    expect(USAGE, "holds 300 latents, not 301", "--cache", cache.toString(), "-p", "size=301");
    expect(USAGE, "300", "make-latents", "--cache", cache.toString(), "--count", "301");
  }

  @Test
  void missing_pictures_are_told_and_a_gaussian_stands_in() {
    CommandResult result =
        run(
            "make-latents",
            "--cache",
            folder.resolve("cache").toString(),
            "--count",
            "300",
            "--from",
            folder.resolve("absent").toString());
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err())
        .contains("tiny-imagenet-train.tar or its encoder is absent")
        .contains("300 latents of a Gaussian: it stands in for real ones");
  }

  @Test
  void a_benchmark_leaves_its_table_and_its_json() throws IOException {
    CommandResult result =
        run(
            "ShieldStep",
            "--quick",
            "-p",
            "dim=16",
            "-p",
            "neighbours=0,1",
            "-o",
            folder.toString());
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(folder.resolve("results.txt")).content().contains("ShieldStepBenchmark.step");
    JsonNode json = JsonMapper.shared().readTree(folder.resolve("results.json"));
    assertThat(json.size()).isEqualTo(2);
    assertThat(json.path(1).path("params").path("neighbours").asString()).isEqualTo("1");
    assertThat(json.path(1).path("primaryMetric").path("score").asDouble()).isPositive();
  }

  private static void expect(int code, String part, String... args) {
    CommandResult result = run(args);
    assertThat(result.code()).as("%s: %s", List.of(args), result.err()).isEqualTo(code);
    List<String> complaints =
        result.err().lines().filter(line -> line.startsWith("shield: ")).toList();
    assertThat(complaints).hasSize(1);
    assertThat(complaints.getFirst()).contains(part);
    assertThat(result.out()).isEmpty();
  }

  private static CommandResult run(String... args) {
    return CommandResult.of(() -> BenchCommand.run(args));
  }
}
