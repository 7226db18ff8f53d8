package spellshield.sampler.testing;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/// The pipelines of `models/export/tiny_models.py`, and changed copies of them.
public final class TinyPipelines {
  private TinyPipelines() {}

  /// Returns the folder of one, not to be changed.
  public static Path folder(String name) {
    URL url = TinyPipelines.class.getResource("/pipelines/" + name);
    try {
      return Path.of(Objects.requireNonNull(url, name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(name, e);
    }
  }

  /// Copies one and returns the copy.
  public static Path copy(String name, Path to) throws IOException {
    Path from = folder(name);
    List<Path> files;
    try (Stream<Path> all = Files.walk(from)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    for (Path file : files) {
      Path copy = to.resolve(from.relativize(file).toString());
      Files.createDirectories(copy.getParent());
      Files.copy(file, copy);
    }
    return to;
  }

  /// Replaces a text in a file of a copy, which must hold it.
  public static void replace(Path file, String old, String with) throws IOException {
    String text = Files.readString(file);
    if (!text.contains(old)) {
      throw new IllegalArgumentException(file + " does not hold " + old);
    }
    Files.writeString(file, text.replace(old, with));
  }
}
