package spellshield.tools.source;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/// The labels of a dataset as the tools of StyleGAN and EDM write them.
///
/// ```text
/// {"labels": [["00000/img00000000.png", 0], …]}        or null, without labels
/// ```
final class DatasetJson {
  static final String FILE = "dataset.json";

  static final DatasetJson NONE = new DatasetJson(Map.of());

  private static final long LARGEST = 1L << 30; // bytes; 1.28 million labels take about 60 million

  private final Map<String, Integer> labels;

  private DatasetJson(Map<String, Integer> labels) {
    this.labels = labels;
  }

  /// Reads the labels of a zip, if it says any.
  ///
  /// @param shown what the user calls the zip, for messages
  /// @throws IOException if what it says is not of that form
  static DatasetJson in(ZipFile zip, String shown) throws IOException {
    ZipEntry entry = zip.getEntry(FILE);
    if (entry == null) {
      return NONE;
    }
    try {
      return parse(ZipSource.read(zip, entry, LARGEST));
    } catch (IOException | JacksonException e) {
      throw new IOException("%s!/%s: %s; write it anew".formatted(shown, FILE, Reason.of(e)), e);
    }
  }

  private static DatasetJson parse(byte[] json) throws IOException {
    Map<String, Integer> labels = new HashMap<>();
    try (JsonParser in = new JsonFactory().createParser(ObjectReadContext.empty(), json)) {
      require(in, JsonToken.START_OBJECT);
      while (in.nextToken() == JsonToken.PROPERTY_NAME) {
        boolean wanted = in.currentName().equals("labels");
        JsonToken value = in.nextToken();
        if (wanted && value == JsonToken.START_ARRAY) {
          readPairs(in, labels);
        } else {
          in.skipChildren();
        }
      }
    }
    return labels.isEmpty() ? NONE : new DatasetJson(labels);
  }

  private static void readPairs(JsonParser in, Map<String, Integer> labels) throws IOException {
    for (JsonToken next = in.nextToken(); next != JsonToken.END_ARRAY; next = in.nextToken()) {
      if (next != JsonToken.START_ARRAY) {
        throw wrong(labels.size());
      }
      require(in, JsonToken.VALUE_STRING, labels.size());
      String name = in.getString();
      require(in, JsonToken.VALUE_NUMBER_INT, labels.size());
      if (labels.put(name, in.getIntValue()) != null) {
        throw new IOException("it labels '%.80s' twice".formatted(name));
      }
      require(in, JsonToken.END_ARRAY, labels.size());
    }
  }

  private static void require(JsonParser in, JsonToken token) throws IOException {
    require(in, token, 0);
  }

  private static void require(JsonParser in, JsonToken token, int label) throws IOException {
    if (in.nextToken() != token) {
      throw wrong(label);
    }
  }

  private static IOException wrong(int label) {
    return new IOException(
        "label %d has to be [\"name\", number], in {\"labels\": […]}".formatted(label));
  }

  /// Returns the label of an entry.
  String label(String name, String otherwise) {
    Integer label = labels.get(name);
    return label == null ? otherwise : label.toString();
  }
}
