package spellshield.index.store;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.NumericNode;
import tools.jackson.databind.node.ObjectNode;

/// A manifest as bytes: one line with magic, version and SHA-256 of the rest, then JSON.
///
/// The reader trusts nothing: 4 MiB, 16 levels, no duplicate keys, no NaN, no unknown fields, every
/// value of its type.
final class ManifestText {
  private static final String MAGIC = "SPELLSHIELD-SET";
  private static final Pattern FIRST_LINE =
      Pattern.compile(MAGIC + " ([1-9][0-9]{0,8}) ([0-9a-f]{64})\n");
  private static final int MAX_FIRST_LINE = MAGIC.length() + 1 + 9 + 1 + 64 + 1;
  private static final int MAX_DEPTH = 16;
  private static final Set<String> FIELDS =
      Set.of(
          "format",
          "generation",
          "created",
          "space",
          "precision",
          "count",
          "files",
          "epochs",
          "parent",
          "sections");
  private static final Set<String> FIELDS_OF_2 = without(FIELDS, "format");
  private static final Set<String> FIELDS_OF_1 = without(FIELDS_OF_2, "epochs");
  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(100)
                          .maxNameLength(1_000)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private ManifestText() {}

  static byte[] print(Manifest manifest) {
    ObjectNode root = JSON.createObjectNode();
    root.put("format", Manifest.FORMAT_VERSION); // again, as no hash covers the first line
    root.put("generation", manifest.generation());
    root.put("created", manifest.created().toString());
    ObjectNode space = root.putObject("space");
    space.put("description", manifest.space().description());
    ArrayNode shape = space.putArray("shape");
    for (int extent : manifest.space().shape()) {
      shape.add(extent);
    }
    space.put("fingerprint", manifest.space().fingerprint());
    root.put("precision", manifest.precision().name());
    root.put("count", manifest.count());
    ArrayNode files = root.putArray("files");
    for (FileEntry file : manifest.files()) {
      ObjectNode entry = files.addObject();
      entry.put("role", file.role());
      entry.put("name", file.name());
      entry.put("length", file.length());
      entry.put("sha256", file.sha256());
      entry.put("count", file.count());
    }
    ArrayNode epochs = root.putArray("epochs");
    for (Epoch epoch : manifest.epochs()) {
      ObjectNode entry = epochs.addObject();
      entry.put("number", epoch.number());
      entry.put("time", epoch.time().toString());
      entry.put("added", epoch.added());
      entry.put("removed", epoch.removed());
      entry.put("reason", epoch.reason());
    }
    manifest.parent().ifPresent(hash -> root.put("parent", hash));
    ObjectNode sections = root.putObject("sections");
    for (String name : manifest.sections()) {
      JsonNode section = manifest.section(name).orElseThrow();
      requirePlain(name, section, 3);
      sections.set(name, section);
    }
    byte[] body = (JSON.writeValueAsString(root) + "\n").getBytes(StandardCharsets.UTF_8);
    byte[] line =
        "%s %d %s\n"
            .formatted(MAGIC, Manifest.FORMAT_VERSION, Hashes.sha256(body))
            .getBytes(StandardCharsets.US_ASCII);
    if (line.length + body.length > Manifest.MAX_BYTES) {
      throw new IllegalArgumentException(
          ("a manifest has at most %d bytes, but this one %d; put bulk data into files of their own,"
                  + " and compact a set that changed often")
              .formatted(Manifest.MAX_BYTES, line.length + body.length));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(line);
    out.writeBytes(body);
    return out.toByteArray();
  }

  static Manifest parse(String name, byte[] bytes) {
    if (bytes.length > Manifest.MAX_BYTES) {
      throw new DamagedSetException(
          name, "has more than the %d bytes allowed".formatted(Manifest.MAX_BYTES));
    }
    String start =
        new String(bytes, 0, Math.min(bytes.length, MAX_FIRST_LINE), StandardCharsets.ISO_8859_1);
    Matcher line = FIRST_LINE.matcher(start);
    if (!line.lookingAt()) {
      throw new DamagedSetException(
          name, "does not begin with '%s <version> <SHA-256>'".formatted(MAGIC));
    }
    int version = Integer.parseInt(line.group(1));
    if (version > Manifest.FORMAT_VERSION) {
      throw new DamagedSetException(
          name,
          "has format version %d, but this program reads up to version %d; use the one that wrote it"
              .formatted(version, Manifest.FORMAT_VERSION));
    }
    byte[] body = Arrays.copyOfRange(bytes, line.end(), bytes.length);
    String found = Hashes.sha256(body);
    if (!found.equals(line.group(2))) {
      throw new DamagedSetException(
          name, "SHA-256 is %s, but its first line says %s".formatted(found, line.group(2)));
    }
    try {
      return manifest(version, JSON.readTree(utf8(body)), bytes);
    } catch (JacksonException | IllegalArgumentException | ArithmeticException e) {
      throw new DamagedSetException(name, "is not a manifest: " + e.getMessage(), e);
    }
  }

  private static Manifest manifest(int version, JsonNode root, byte[] bytes) {
    Set<String> fields =
        switch (version) {
          case 1 -> FIELDS_OF_1;
          case 2 -> FIELDS_OF_2;
          default -> FIELDS;
        };
    requireFields("the manifest", root, fields, Set.of("parent"));
    if (version >= 3 && integer(root.get("format")) != version) {
      throw new IllegalArgumentException(
          "its first line says format %d, but it is %s".formatted(version, root.get("format")));
    }
    JsonNode space = root.get("space");
    requireFields("space", space, Set.of("description", "shape", "fingerprint"), Set.of());
    int[] shape =
        elements(space, "shape").stream().mapToInt(n -> Math.toIntExact(integer(n))).toArray();
    LatentSpace latentSpace = new LatentSpace(text(space, "description"), shape);
    if (!latentSpace.fingerprint().equals(text(space, "fingerprint"))) {
      throw new IllegalArgumentException(
          "the space has fingerprint %s, but %s is stated"
              .formatted(latentSpace.fingerprint(), text(space, "fingerprint")));
    }
    List<FileEntry> files = new ArrayList<>();
    for (JsonNode file : elements(root, "files")) {
      requireFields("a file", file, Set.of("role", "name", "length", "sha256", "count"), Set.of());
      files.add(
          new FileEntry(
              text(file, "role"),
              text(file, "name"),
              integer(file.get("length")),
              text(file, "sha256"),
              integer(file.get("count"))));
    }
    if (version < 3 && files.stream().anyMatch(file -> file.role().equals(Manifest.RADII))) {
      // Programs of then would not have seen it, and protected less than it says.
      throw new IllegalArgumentException("a set of version %d has no radii".formatted(version));
    }
    Map<String, JsonNode> sections = new TreeMap<>();
    if (!(root.get("sections") instanceof ObjectNode object)) {
      throw new IllegalArgumentException("sections is not an object");
    }
    object.properties().forEach(section -> sections.put(section.getKey(), section.getValue()));
    long generation = integer(root.get("generation"));
    Instant created = instant(text(root, "created"));
    long count = integer(root.get("count"));
    return new Manifest(
        generation,
        created,
        latentSpace,
        Precision.valueOf(text(root, "precision")),
        count,
        files,
        version == 1
            ? List.of(new Epoch(generation, created, count, 0, Epoch.BUILT))
            : epochs(root),
        root.has("parent") ? Optional.of(text(root, "parent")) : Optional.empty(),
        sections,
        Optional.of(bytes));
  }

  private static List<Epoch> epochs(JsonNode root) {
    List<Epoch> epochs = new ArrayList<>();
    for (JsonNode epoch : elements(root, "epochs")) {
      requireFields(
          "an epoch", epoch, Set.of("number", "time", "added", "removed", "reason"), Set.of());
      epochs.add(
          new Epoch(
              integer(epoch.get("number")),
              instant(text(epoch, "time")),
              integer(epoch.get("added")),
              integer(epoch.get("removed")),
              text(epoch, "reason")));
    }
    return epochs;
  }

  private static Set<String> without(Set<String> fields, String field) {
    Set<String> rest = new HashSet<>(fields);
    rest.remove(field);
    return rest;
  }

  private static void requireFields(
      String place, JsonNode node, Set<String> fields, Set<String> optional) {
    Set<String> required = new HashSet<>(fields);
    required.removeAll(optional);
    Set<String> found = node.isObject() ? Set.copyOf(node.propertyNames()) : Set.of();
    if (!fields.containsAll(found) || !found.containsAll(required)) {
      throw new IllegalArgumentException(
          "%s should have the fields %s, but has %s".formatted(place, fields, found));
    }
  }

  private static String text(JsonNode node, String field) {
    JsonNode value = node.get(field);
    if (value == null || !value.isString()) {
      throw new IllegalArgumentException("%s is not a text: %s".formatted(field, value));
    }
    return value.stringValue();
  }

  private static long integer(JsonNode value) {
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw new IllegalArgumentException("%s is not a 64-bit integer".formatted(value));
    }
    return value.longValue();
  }

  private static List<JsonNode> elements(JsonNode node, String field) {
    if (!(node.get(field) instanceof ArrayNode array)) {
      throw new IllegalArgumentException(field + " is not an array");
    }
    List<JsonNode> elements = new ArrayList<>();
    array.forEach(elements::add);
    return elements;
  }

  private static Instant instant(String text) {
    try {
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("this is not an instant: " + text, e);
    }
  }

  private static String utf8(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("it is not UTF-8", e);
    }
  }

  /// Refuses what JSON cannot carry or this reader would not read back.
  private static void requirePlain(String place, JsonNode node, int depth) {
    boolean plain =
        node.isNull()
            || node.isBoolean()
            || node.isString()
            || node.isContainer()
            || (node instanceof NumericNode number && !number.isNaN());
    if (!plain || depth > MAX_DEPTH) {
      throw new IllegalArgumentException(
          "section '%s' must be plain JSON, finite numbers, at most %d levels, but holds %s"
              .formatted(
                  place, MAX_DEPTH, plain ? "deeper ones" : node.getNodeType() + " " + node));
    }
    node.forEach(child -> requirePlain(place, child, depth + 1));
  }
}
