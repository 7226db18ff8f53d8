package spellshield.tools.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.SequencedSet;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// A safetensors file.
///
/// ```text
/// length of the header (64 bits, little-endian)
/// {"latents": {"dtype": "F32", "shape": [2, 4, 8, 8], "data_offsets": [0, 2048]}, …}
/// values
/// ```
///
/// The header may have 16 MiB, where the format allows 100. The arrays have to fill the rest of the
/// file without holes, and none may share a byte with another or have no value.
///
/// Source: huggingface/safetensors, README, "Format".
final class SafetensorsFile implements TensorFile {
  private static final long MAX_HEADER = 16 << 20; // bytes

  private final Path file;
  private final SequencedMap<String, Place> places;
  private final SequencedSet<String> others;

  /// An array: what it is, and its bytes in the file.
  private record Place(Header header, long begin, long end) {}

  /// What the header says about one array.
  private record Claim(String name, String dtype, Shape shape, long begin, long end) {}

  private SafetensorsFile(
      Path file, SequencedMap<String, Place> places, SequencedSet<String> others) {
    this.file = file;
    this.places = places;
    this.others = others;
  }

  static SafetensorsFile open(Path file) throws IOException {
    String name = file.toString();
    long size = Files.size(file);
    String header;
    long data;
    try (InputStream in = Files.newInputStream(file)) {
      byte[] start = in.readNBytes(8);
      long length =
          start.length < 8 ? 0 : ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
      if (length < 2 || length > MAX_HEADER || length > size - 8) {
        throw new BadTensorException(
            name,
            "a header of %s bytes in a file of %,d, but at most %,d are read; fetch it again"
                .formatted(Long.toUnsignedString(length), size, MAX_HEADER));
      }
      header = new String(in.readNBytes((int) length), StandardCharsets.UTF_8);
      data = 8 + length;
    }
    SequencedMap<String, Place> places = new LinkedHashMap<>();
    SequencedSet<String> others = new LinkedHashSet<>();
    long end = 0;
    for (Claim claim : claims(name, header)) {
      if (claim.begin() != end || claim.end() <= claim.begin()) {
        throw new BadTensorException(
            name,
            "array '%.80s' has bytes %d to %d, but byte %d is the next; fetch it again"
                .formatted(claim.name(), claim.begin(), claim.end(), end));
      }
      end = claim.end();
      Optional<ElementType> type = ElementType.ofSafetensors(claim.dtype());
      if (type.isEmpty()) {
        others.add(claim.name());
      } else {
        Header known = new Header(type.get(), claim.shape());
        places.put(claim.name(), new Place(known, data + claim.begin(), data + claim.end()));
      }
    }
    if (end != size - data) {
      throw new BadTensorException(
          name,
          "its arrays have %,d bytes, but %,d follow the header; fetch it again"
              .formatted(end, size - data));
    }
    SafetensorsFile tensors = new SafetensorsFile(file, places, others);
    for (String tensor : places.keySet()) {
      tensors.open(tensor).close(); // its shape has to fill its bytes
    }
    return tensors;
  }

  /// Returns what the header says, in the order of the bytes.
  private static List<Claim> claims(String name, String header) throws BadTensorException {
    List<Claim> claims = new ArrayList<>();
    try {
      JsonNode json = StrictJson.read(header);
      if (!json.isObject()) {
        throw new BadTensorException(name, "its header is no JSON object; fetch it again");
      }
      for (var entry : json.properties()) {
        if (!entry.getKey().equals("__metadata__")) {
          claims.add(claim(name, entry.getKey(), entry.getValue()));
        }
      }
    } catch (JacksonException e) {
      BadTensorException damaged =
          new BadTensorException(
              name, "its header is damaged (%s); fetch it again".formatted(e.getOriginalMessage()));
      damaged.initCause(e);
      throw damaged;
    }
    claims.sort(Comparator.comparingLong(Claim::begin));
    return claims;
  }

  private static Claim claim(String file, String name, JsonNode json) throws BadTensorException {
    JsonNode offsets = json.path("data_offsets");
    JsonNode shape = json.path("shape");
    boolean isClaim =
        json.path("dtype").isString()
            && shape.isArray()
            && offsets.size() == 2
            && isWhole(offsets.path(0))
            && isWhole(offsets.path(1))
            && shape.valueStream().allMatch(SafetensorsFile::isWhole);
    if (!isClaim) {
      throw new BadTensorException(
          file,
          "array '%.80s' has no dtype, shape and data_offsets; fetch it again".formatted(name));
    }
    try {
      return new Claim(
          name,
          json.path("dtype").stringValue(),
          new Shape(shape.valueStream().mapToLong(JsonNode::longValue).toArray()),
          offsets.path(0).longValue(),
          offsets.path(1).longValue());
    } catch (IllegalArgumentException e) {
      throw new BadTensorException(
          file, "array '%.80s': %s".formatted(name, String.valueOf(e.getMessage())));
    }
  }

  private static boolean isWhole(JsonNode node) {
    return node.isIntegralNumber() && node.canConvertToLong() && node.longValue() >= 0;
  }

  @Override
  public SequencedMap<String, Header> tensors() {
    SequencedMap<String, Header> tensors = new LinkedHashMap<>();
    places.forEach((name, place) -> tensors.put(name, place.header()));
    return tensors;
  }

  @Override
  public SequencedSet<String> others() {
    return others;
  }

  @Override
  public Tensor open(String name) throws IOException {
    Place place = places.get(name);
    if (place == null) {
      throw new IllegalArgumentException("%s: no array called '%s'".formatted(file, name));
    }
    InputStream in = TensorFile.at(file, place.begin());
    try {
      Header header = place.header();
      return Tensor.of(
          file + "[" + name + "]", header.type(), header.shape(), in, place.end() - place.begin());
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }
}
