package spellshield.tools.source;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// What the pictures of a folder show: `names.tsv`, beside them.
///
/// UTF-8, one line a picture: the file's name without ending, TAB, what it shows, TAB, its group.
/// Empty lines and lines that begin with `#` do not count.
final class NameTable {
  static final NameTable EMPTY = new NameTable(Map.of());

  private final Map<String, Row> rows;

  /// A picture's name and its group, which becomes the label.
  record Row(String name, String group) {}

  private NameTable(Map<String, Row> rows) {
    this.rows = rows;
  }

  static NameTable beside(Path folder) throws IOException {
    Path file = folder.resolve("names.tsv");
    if (!Files.isRegularFile(file)) {
      return EMPTY;
    }
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (CharacterCodingException e) {
      throw new IOException(file + ": not UTF-8; save it as UTF-8", e);
    }
    Map<String, Row> rows = new HashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      String[] columns = line.split("\t", -1);
      if (columns.length != 3) {
        throw new IOException(
            "%s: line %d has %d columns, but needs 3: file name without ending, name, group"
                .formatted(file, i + 1, columns.length));
      }
      if (rows.put(columns[0], new Row(columns[1], columns[2])) != null) {
        throw new IOException(
            "%s: line %d names '%s' a second time; remove one".formatted(file, i + 1, columns[0]));
      }
    }
    return new NameTable(rows);
  }

  Row row(String stem, Row otherwise) {
    return rows.getOrDefault(stem, otherwise);
  }
}
