package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.index.testing.CommandResult;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.guarantee.Certificate;
import spellshield.tools.testing.Shared;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ReadmeTest {
  @TempDir private Path folder = Path.of("");

  private static List<String> examples() throws IOException {
    String readme = Files.readString(Path.of("..", "README.md"));
    Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme);
    List<String> examples = block.results().map(result -> result.group(1)).toList();
    assertThat(examples).hasSize(2);
    assertThat(examples).allMatch(example -> example.lines().count() <= 15);
    return examples;
  }

  @Test
  void the_example_of_a_pipeline_samples_and_certifies_what_the_command_does() throws Exception {
    Path model = Path.of("..", "models", "emoji");
    Path set = folder.resolve("set");
    Path pictures = Files.createDirectory(folder.resolve("pictures"));
    try (Stream<Path> emoji = Files.list(Path.of("..", "data", "emoji"))) {
      for (Path file :
          emoji.filter(f -> f.toString().endsWith(".png")).sorted().limit(60).toList()) {
        Files.copy(file, pictures.resolve(file.getFileName()));
      }
    }
    assertThat(
            Main.run(
                "index", pictures.toString(), "-o", set.toString(), "-q", "-m", model.toString()))
        .isZero();
    List<Certificate> printed = run(examples().get(0), "Path set, Path model", set, model);
    assertThat(printed).hasSize(4).allMatch(certificate -> certificate.file().isPresent());

    Path out = folder.resolve("out");
    String[] command = {
      "sample",
      set.toString(),
      "-o",
      out.toString(),
      "-q",
      "-m",
      model.toString(),
      "--label",
      "animals-nature",
      "--seed",
      "1",
      "-n",
      "4",
      "--batch",
      "2",
      "--radius",
      "0.3",
      "--json"
    };
    CommandResult sampled = CommandResult.of(() -> Main.run(command));
    assertThat(sampled.code()).isZero();
    JsonNode cost = JsonMapper.shared().readTree(sampled.out()).get("millisPerImage");
    assertThat(cost.get("firstBatch").asBoolean()).isFalse();
    assertThat(cost.get("images").asInt()).isEqualTo(2);
    for (int seed = 1; seed <= 4; seed++) {
      String written = Files.readString(out.resolve("sample-%d.json".formatted(seed)));
      assertThat(Certificate.parse(written)).isEqualTo(printed.get(seed - 1));
    }
  }

  /// Every twentieth of the 40,000 pictures; encoding them takes most of the time.
  @Test
  void the_example_of_a_pipeline_runs_on_two_thousand_photographs() throws Exception {
    Path pictures = folder.resolve("photographs");
    extract(Shared.path("data/tiny-imagenet-train.tar"), 20, pictures);
    assertSamplesOutside(pictures, 2_000);
  }

  /// Some minutes: run it with `-Dtest.slow=true -Dtest=ReadmeTest`.
  @Test
  @EnabledIfSystemProperty(named = "test.slow", matches = "true")
  void the_example_of_a_pipeline_runs_on_forty_thousand_photographs() throws Exception {
    assertSamplesOutside(Shared.path("data/tiny-imagenet-train.tar"), 40_000);
  }

  private void assertSamplesOutside(Path photographs, int count) throws Exception {
    Path model = Path.of("..", "models", "emoji");
    Path set = folder.resolve("set");
    String[] index = {
      "index", photographs.toString(), "-o", set.toString(), "-q", "-m", model.toString()
    };
    assertThat(Main.run(index)).isZero();
    List<Certificate> printed = run(examples().get(0), "Path set, Path model", set, model);
    assertThat(printed).hasSize(4);
    try (ProtectedSet opened = ProtectedSet.open(set)) {
      for (Certificate certificate : printed) {
        assertThat(certificate.setCount()).isEqualTo(count);
        assertThat(certificate.setId()).isEqualTo(opened.id());
        assertThat(certificate.file()).isPresent();
      }
    }
  }

  /// Writes each so-many-th file of a tar into a folder.
  private static void extract(Path tar, int each, Path into) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(tar));
        TarArchiveInputStream entries = new TarArchiveInputStream(in)) {
      int seen = 0;
      for (TarArchiveEntry entry = entries.getNextEntry();
          entry != null;
          entry = entries.getNextEntry()) {
        if (entry.isFile() && seen++ % each == 0) {
          Path file = into.resolve(entry.getName());
          Files.createDirectories(file.getParent());
          Files.copy(entries, file);
        }
      }
    }
  }

  @Test
  void the_example_of_a_denoiser_of_ones_own_certifies() throws Exception {
    float[] values = new float[40 * 12];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i * 1.3);
    }
    build(folder.resolve("set"), values);
    try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(new Latents(values, 40, 3, 2, 2))) {
      assertThat(
              run(
                  examples().get(1),
                  "Path folder, Denoiser denoiser",
                  folder.resolve("set"),
                  (Denoiser) denoiser))
          .hasSize(4);
    }
  }

  /// Compiles an example as the body of a method, runs it, and reads the certificates it prints.
  private List<Certificate> run(String example, String parameters, Object... arguments)
      throws Exception {
    Path source = folder.resolve("Example.java");
    Files.writeString(
        source,
        """
        import java.nio.file.*;
        import java.util.*;
        import spellshield.index.*;
        import spellshield.sampler.*;
        import spellshield.sampler.guarantee.*;
        import spellshield.sampler.pipeline.*;
        import spellshield.sampler.shield.*;
        public class Example {
          public static void run(%s) throws Exception {
        """
                .formatted(parameters)
            + example
            + "}}");
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    ByteArrayOutputStream complaints = new ByteArrayOutputStream();
    int result =
        compiler.run(
            null,
            complaints,
            complaints,
            "-cp",
            System.getProperty("java.class.path"),
            "-d",
            folder.toString(),
            source.toString());
    assertThat(result).as(complaints.toString(StandardCharsets.UTF_8)).isZero();

    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      Method run =
          Stream.of(loader.loadClass("Example").getMethods())
              .filter(method -> method.getName().equals("run"))
              .findFirst()
              .orElseThrow();
      run.invoke(null, arguments);
    } finally {
      System.setOut(before);
    }
    List<Certificate> printed =
        Stream.of(out.toString(StandardCharsets.UTF_8).split("(?<=\n})\\R"))
            .map(Certificate::parse)
            .toList();
    for (Certificate certificate : printed) {
      assertThat(certificate.nearestLower()).isGreaterThan(certificate.radius());
    }
    return printed;
  }

  private static void build(Path folder, float[] values) throws IOException {
    LatentSpace space = new LatentSpace("readme-v1", 3, 2, 2);
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder, space, Precision.FLOAT32)) {
      for (int item = 0; item < 40; item++) {
        float[] latent = new float[12];
        System.arraycopy(values, item * 12, latent, 0, 12);
        builder.add(new Item("item-" + item, "", ""), latent);
      }
      builder.commit(Instant.EPOCH);
    }
  }
}
