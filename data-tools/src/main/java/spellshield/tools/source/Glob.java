package spellshield.tools.source;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.PatternSyntaxException;

/// A path whose last part is a pattern, such as `shards/imagenet-*.tar`, where no file is called
/// so.
///
/// The syntax is that of [java.nio.file.FileSystem#getPathMatcher]: `*`, `?`, `[a-z]`, `{a,b}`.
final class Glob {
  private Glob() {}

  static boolean is(Path path) {
    String name = String.valueOf(path.getFileName());
    return name.matches(".*[*?\\[{].*") && !Files.exists(path);
  }

  /// Returns the folder that the matches lie in.
  static Path folder(Path glob) {
    Path parent = glob.getParent();
    return parent == null ? Path.of("") : parent;
  }

  /// Returns the files and folders that match, sorted by name; hidden ones do not.
  ///
  /// @throws IOException if none do
  static List<Path> matches(Path glob) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> matches =
        Files.newDirectoryStream(folder(glob), String.valueOf(glob.getFileName()))) {
      for (Path match : matches) {
        if (!String.valueOf(match.getFileName()).startsWith(".")) {
          found.add(match);
        }
      }
    } catch (PatternSyntaxException e) {
      throw new IOException("%s: no pattern (%s)".formatted(glob, Reason.of(e)), e);
    }
    if (found.isEmpty()) {
      throw new IOException(glob + ": nothing matches this pattern; check it");
    }
    found.sort(null);
    return found;
  }
}
