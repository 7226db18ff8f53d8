package spellshield.tools.source;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import spellshield.tools.source.ImageSource.Origin;

/// ImageNet's classes: `LOC_synset_mapping.txt`, where the number of a line is that of the class.
///
/// ```text
/// n01440764 tench, Tinca tinca          class 0
/// n01443537 goldfish, Carassius auratus          class 1
/// ```
///
/// The lines are sorted, so the numbers are those of the sorted class folders too, which is how all
/// loaders count; a file that is not sorted is refused.
final class SynsetMapping {
  static final String FILE = "LOC_synset_mapping.txt";

  static final SynsetMapping NONE = new SynsetMapping("", List.of(), List.of());

  private static final Pattern LINE = Pattern.compile("(n\\d{8}) (\\S.*)");
  private static final int LARGEST = 1 << 20; // bytes; ImageNet's has 31,675

  private final String file;
  private final List<String> synsets;
  private final List<String> names;

  private SynsetMapping(String file, List<String> synsets, List<String> names) {
    this.file = file;
    this.synsets = synsets;
    this.names = names;
  }

  /// Reads the mapping in a folder, if there is one.
  static SynsetMapping in(Path folder) throws IOException {
    Path file = folder.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      return NONE;
    }
    if (Files.size(file) > LARGEST) {
      throw new IOException("%s: %d bytes are no synset mapping".formatted(file, Files.size(file)));
    }
    return parse(Files.readAllBytes(file), file.toString());
  }

  /// Reads the mapping in a folder, or that of the download of ImageNet which the folder lies in.
  static SynsetMapping above(Path folder) throws IOException {
    SynsetMapping mapping = in(folder);
    for (Path part : List.of(Path.of("ILSVRC"), Path.of(ZipSource.CLS_LOC))) {
      Path root = folder.toAbsolutePath().normalize();
      if (mapping == NONE && root.endsWith(part)) {
        for (int i = 0; i < part.getNameCount(); i++) {
          root = root.resolveSibling("");
        }
        mapping = in(root);
      }
    }
    return mapping;
  }

  static SynsetMapping parse(byte[] content, String file) throws IOException {
    List<String> synsets = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (String line : new String(content, StandardCharsets.UTF_8).lines().toList()) {
      Matcher match = LINE.matcher(line);
      boolean sorted = match.matches() && (synsets.isEmpty() || later(synsets, match.group(1)));
      if (!sorted) {
        throw new IOException(
            "%s: line %d has to be a synset after the one before it and its names, but is '%.80s'"
                .formatted(file, synsets.size() + 1, line));
      }
      synsets.add(match.group(1));
      names.add(match.group(2));
    }
    return new SynsetMapping(file, synsets, names);
  }

  private static boolean later(List<String> synsets, String synset) {
    return synsets.getLast().compareTo(synset) < 0;
  }

  /// Returns the synset of a class number, or the text itself if there is no mapping or it is no
  /// number of a class.
  String synset(String number) {
    int index = number.matches("\\d{1,4}") ? Integer.parseInt(number) : -1;
    return 0 <= index && index < synsets.size() ? synsets.get(index) : number;
  }

  /// Returns the origin with the name of its class.
  ///
  /// @throws IOException if there is a mapping and it does not have that class
  Origin named(Origin origin) throws IOException {
    if (synsets.isEmpty()) {
      return origin;
    }
    int index = Collections.binarySearch(synsets, origin.label());
    if (index < 0) {
      throw new IOException(
          "%s: its class '%s' is not one of the %d in %s; remove one of the two"
              .formatted(origin.source(), origin.label(), synsets.size(), file));
    }
    return new Origin(origin.id(), origin.source(), origin.label(), names.get(index));
  }
}
