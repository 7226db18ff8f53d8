package spellshield.tools;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import spellshield.index.store.RadiusScales;

/// `--radii`, the pictures whose balls are wider or narrower than those of the others.
final class RadiiOption {
  private static final String HEADER = "id,scale";
  private static final Pattern NUMBER =
      Pattern.compile("[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?");

  @Option(
      names = "--radii",
      paramLabel = "FILE",
      description = {
        "Lines 'id,scale' for pictures whose balls are wider or narrower than the others': at the",
        "radius r, the ball of a picture of scale 1.5 has the radius 1.5 r."
      })
  private @Nullable Path file;

  /// Where the radius scale of a picture of the set goes.
  interface Sink {
    void rescale(String id, float scale);
  }

  /// What a line says.
  ///
  /// @param number counted from 1
  private record Line(int number, float scale) {}

  /// The scales that a file tells, by id.
  static final class Radii {
    static final Radii NONE = new Radii("");

    private final Map<String, Line> lines = new LinkedHashMap<>();
    private final String file;

    private Radii(String file) {
      this.file = file;
    }

    /// Tells every scale to a set that all its pictures were added to.
    ///
    /// @throws IllegalArgumentException if the set does not have one of the ids
    void apply(Sink sink) {
      lines.forEach((id, line) -> {
        try {
          sink.rescale(id, line.scale());
        } catch (IllegalArgumentException e) {
          throw new IllegalArgumentException(
              "%s, line %d: %s".formatted(file, line.number(), e.getMessage()), e);
        }
      });
    }

    private void add(int line, String text) {
      String place = "%s, line %d".formatted(file, line);
      int comma = text.lastIndexOf(',');
      if (comma < 1) {
        throw new IllegalArgumentException(
            "%s: a line is an id, a comma and a scale, but was '%.80s'".formatted(place, text));
      }
      String id = unquoted(text.substring(0, comma));
      String number = text.substring(comma + 1).strip();
      if (!NUMBER.matcher(number).matches()) {
        throw new IllegalArgumentException(
            "%s: the scale of '%s' is not a number: '%.40s'".formatted(place, id, number));
      }
      float scale = RadiusScales.require("%s, '%s'".formatted(place, id), Float.parseFloat(number));
      Line earlier = lines.putIfAbsent(id, new Line(line, scale));
      if (earlier != null) {
        throw new IllegalArgumentException(
            "%s: '%s' has a scale from line %d already".formatted(place, id, earlier.number()));
      }
    }
  }

  /// Reads the file, before anything is encoded; nothing is said without one.
  ///
  /// Blank lines and a first line `id,scale` say nothing. An id may hold commas, and may stand in
  /// double quotes, in which `""` is a quote.
  ///
  /// @throws IllegalArgumentException if a line is no id and scale, or an id comes twice
  Radii read() throws IOException {
    Radii radii = new Radii(String.valueOf(file));
    List<String> lines;
    try {
      lines = file == null ? List.of() : Files.readAllLines(file);
    } catch (MalformedInputException e) {
      throw new IOException(file + ": is not a text in UTF-8", e);
    }
    for (int i = 0; i < lines.size(); i++) {
      String line =
          i == 0 && lines.get(i).startsWith("\ufeff") ? lines.get(i).substring(1) : lines.get(i);
      if (!line.isBlank() && !(i == 0 && line.strip().equals(HEADER))) {
        radii.add(i + 1, line);
      }
    }
    return radii;
  }

  private static String unquoted(String text) {
    boolean quoted = text.length() > 1 && text.startsWith("\"") && text.endsWith("\"");
    return quoted ? text.substring(1, text.length() - 1).replace("\"\"", "\"") : text;
  }
}
