package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;
import spellshield.sampler.denoiser.EmpiricalDenoiser;
import spellshield.sampler.guarantee.Certificate;

class ReadmeTest {

  @Test
  void the_example_has_at_most_15_lines_compiles_and_certifies(@TempDir Path folder)
      throws Exception {
    String readme = Files.readString(Path.of("..", "README.md"));
    Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(readme);
    assertThat(block.find()).isTrue();
    String example = block.group(1);
    assertThat(example.lines().count()).isLessThanOrEqualTo(15);
    assertThat(block.find()).isFalse();

    Path source = folder.resolve("Example.java");
    Files.writeString(
        source,
        """
        import java.nio.file.*;
        import java.util.*;
        import spellshield.index.*;
        import spellshield.sampler.*;
        import spellshield.sampler.guarantee.*;
        import spellshield.sampler.shield.*;
        public class Example {
          public static void run(Path folder, Denoiser denoiser) throws Exception {
        """
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

    float[] values = new float[40 * 12];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i * 1.3);
    }
    build(folder.resolve("set"), values);
    List<String> printed;
    PrintStream before = System.out;
    try (EmpiricalDenoiser denoiser = EmpiricalDenoiser.of(new Latents(values, 40, 3, 2, 2));
        URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      loader
          .loadClass("Example")
          .getMethod("run", Path.class, Denoiser.class)
          .invoke(null, folder.resolve("set"), denoiser);
      printed = List.of(out.toString(StandardCharsets.UTF_8).split("(?<=})\\R"));
    } finally {
      System.setOut(before);
    }
    assertThat(printed).hasSize(4);
    for (String json : printed) {
      Certificate certificate = Certificate.parse(json);
      assertThat(certificate.nearestLower()).isGreaterThan(certificate.radius());
    }
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
