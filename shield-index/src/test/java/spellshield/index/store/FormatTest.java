package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads a set from what `docs/FORMAT.md` says alone, without the store's code.
class FormatTest {
  private static final int D = 3;
  private static final int COUNT = 5;

  @TempDir private Path folder;

  @ParameterizedTest
  @EnumSource
  void a_parser_written_from_the_page_reads_every_byte(Precision precision) throws IOException {
    DiskStorage disk = DiskStorage.at(folder);
    SampleSet.of(1, precision, 2, 2).build(disk, 1 << 20);
    byte[] parent = Files.readAllBytes(folder.resolve("manifest.000001"));
    SampleSet set = SampleSet.of(2, precision, COUNT, 1, D);
    set.build(disk, 64 + 2 * 24);

    byte[] file = Files.readAllBytes(folder.resolve("manifest.000002"));
    String text = new String(file, StandardCharsets.UTF_8);
    String line = text.substring(0, text.indexOf('\n'));
    byte[] body = text.substring(text.indexOf('\n') + 1).getBytes(StandardCharsets.UTF_8);
    assertThat(line).isEqualTo("SPELLSHIELD-SET 3 " + sha256(body));
    assertThat(text).endsWith("}\n");
    JsonNode manifest = JsonMapper.shared().readTree(body);
    assertThat(manifest.propertyNames())
        .containsExactly(
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
    assertThat(manifest.get("epochs").toString())
        .isEqualTo(
            "[{\"number\":2,\"time\":\"2026-01-02T03:04:05Z\",\"added\":5,\"removed\":0,"
                + "\"reason\":\"built\"}]");
    assertThat(manifest.get("format").longValue()).isEqualTo(3);
    assertThat(manifest.get("generation").longValue()).isEqualTo(2);
    assertThat(manifest.get("created").stringValue()).isEqualTo("2026-01-02T03:04:05Z");
    assertThat(manifest.at("/space/description").stringValue()).isEqualTo("test");
    assertThat(manifest.at("/space/shape").toString()).isEqualTo("[1,3]");
    assertThat(manifest.at("/space/fingerprint").stringValue())
        .isEqualTo(sha256("test\n[1, 3]".getBytes(StandardCharsets.UTF_8)));
    assertThat(manifest.get("precision").stringValue()).isEqualTo(precision.name());
    assertThat(manifest.get("count").longValue()).isEqualTo(COUNT);
    assertThat(manifest.get("parent").stringValue()).isEqualTo(sha256(parent));
    assertThat(manifest.get("sections").toString()).isEqualTo("{\"sketch\":{\"dim\":3}}");

    long first = 0;
    int shard = 0;
    for (JsonNode entry : manifest.get("files")) {
      String name = entry.get("name").stringValue();
      byte[] bytes = Files.readAllBytes(folder.resolve(name));
      assertThat(bytes).hasSize(entry.get("length").intValue());
      assertThat(sha256(bytes)).isEqualTo(entry.get("sha256").stringValue());
      ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      int count = entry.get("count").intValue();
      switch (entry.get("role").stringValue()) {
        case "latents" -> {
          assertThat(name).isEqualTo("latents.000002.%03d", shard++);
          readHeader(in, "SPELLLAT", precision.bits(), first, D);
          readShard(in, set, precision, (int) first, 0, count);
          first += count;
        }
        case "items" -> {
          assertThat(name).isEqualTo("items.000002");
          readHeader(in, "SPELLITM", 0, 0, 0);
          readItems(in, set, 0, count);
        }
        case "sketch" -> assertThat(name).isEqualTo("sketch.000002");
        case "hnsw" -> assertThat(name).isEqualTo("hnsw.000002/_0.cfs");
        default -> throw new AssertionError(entry.toString());
      }
    }
    assertThat(first).isEqualTo(COUNT);
  }

  @ParameterizedTest
  @EnumSource
  void a_parser_written_from_the_page_reads_every_byte_of_a_changed_set(Precision precision)
      throws IOException {
    DiskStorage disk = DiskStorage.at(folder);
    SampleSet built = SampleSet.of(3, precision, COUNT, 1, D);
    SampleSet added = SampleSet.of(4, precision, 3, 1, D);
    built.build(disk, 1 << 20);
    byte[] before = Files.readAllBytes(folder.resolve("latents.000001.000"));
    try (SetWriter writer = SetWriter.extend(disk, 64 + 2 * 24)) {
      writer.remove(built.items().get(2).id());
      added.addTo(writer);
      writer.remove(added.items().get(1).id());
      writer.join(new Item("twin", "b.png", "", "", ""), 0);
      writer.remove(built.items().get(0).id());
      writer.rescale(built.items().get(4).id(), 0.25f);
      writer.rescale(added.items().get(0).id(), 4);
      writer.commit(Map.of(), SampleSet.CREATED.plusSeconds(1), "why");
    }
    assertThat(Files.readAllBytes(folder.resolve("latents.000001.000"))).isEqualTo(before);
    String text = Files.readString(folder.resolve("manifest.000002"));
    JsonNode manifest = JsonMapper.shared().readTree(text.substring(text.indexOf('\n') + 1));
    assertThat(manifest.get("count").intValue()).isEqualTo(8);
    assertThat(manifest.get("epochs").toString())
        .isEqualTo(
            "[{\"number\":1,\"time\":\"2026-01-02T03:04:05Z\",\"added\":5,\"removed\":0,"
                + "\"reason\":\"built\"},{\"number\":2,\"time\":\"2026-01-02T03:04:06Z\","
                + "\"added\":3,\"removed\":2,\"reason\":\"why\"}]");
    List<String> names = new ArrayList<>();
    for (JsonNode entry : manifest.get("files")) {
      String name = entry.get("name").stringValue();
      names.add(name);
      byte[] bytes = Files.readAllBytes(folder.resolve(name));
      assertThat(bytes).hasSize(entry.get("length").intValue());
      assertThat(sha256(bytes)).isEqualTo(entry.get("sha256").stringValue());
      ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      int count = entry.get("count").intValue();
      switch (name) {
        case "latents.000002.000", "latents.000002.001" -> {
          int first = name.endsWith("0") ? 0 : 3 - count; // of the added ones
          readHeader(in, "SPELLLAT", precision.bits(), 5 + first, D);
          readShard(in, added, precision, first, 5, count);
        }
        case "items.000002" -> {
          readHeader(in, "SPELLITM", 0, 5, 0);
          readItems(in, added, 5, count);
        }
        case "removed.000002" -> {
          assertThat(count).isEqualTo(2);
          readHeader(in, "SPELLREM", 0, 0, 0);
          assertThat(bytes).hasSize(64 + 8);
          assertThat(in.getLong(64)).isEqualTo(1 << 2 | 1 << 6);
        }
        case "names.000002" -> {
          assertThat(count).isZero();
          readHeader(in, "SPELLNAM", 0, 0, 0);
          int next = readChange(in, 64, 0, 1, "twin", "b.png");
          next = readChange(in, next, 0, 2, built.items().get(0).id(), "");
          assertThat(next).isEqualTo(bytes.length);
        }
        case "radii.000002" -> {
          assertThat(count).isEqualTo(2);
          readHeader(in, "SPELLRAD", 0, 0, 0);
          assertThat(bytes).hasSize(64 + 6 * 4); // items 6 and 7 have 1
          for (int item = 0; item < 6; item++) {
            assertThat(in.getFloat(64 + 4 * item))
                .isEqualTo(new float[] {1, 1, 1, 1, 0.25f, 4}[item]);
          }
        }
        default -> assertThat(name).contains(".000001");
      }
    }
    assertThat(names)
        .contains("removed.000002", "names.000002", "radii.000002", "items.000001", "items.000002");
    assertThat(names).contains("latents.000001.000", "latents.000002.000");
  }

  @Test
  void the_page_is_about_the_version_that_this_code_writes() throws IOException {
    Path page = Path.of("..", "docs", "FORMAT.md");
    assertThat(Files.readString(page))
        .startsWith("# The protected set on disk, version " + Manifest.FORMAT_VERSION + "\n");
  }

  private static void readHeader(ByteBuffer in, String magic, int bits, long first, int dim) {
    byte[] start = new byte[8];
    in.get(0, start);
    assertThat(new String(start, StandardCharsets.US_ASCII)).isEqualTo(magic);
    assertThat(in.getInt(8)).isEqualTo(1);
    assertThat(in.getInt(12)).isEqualTo(bits);
    assertThat(in.getLong(16)).isEqualTo(2);
    assertThat(in.getLong(24)).isEqualTo(first);
    assertThat(in.getInt(32)).isEqualTo(dim);
    for (int i = 36; i < 60; i++) {
      assertThat(in.get(i)).isZero();
    }
    assertThat(in.getInt(60)).isEqualTo(crc(in, 0, 60));
  }

  private static void readShard(
      ByteBuffer in, SampleSet set, Precision precision, int first, int before, int count) {
    int b = precision == Precision.FLOAT32 ? 4 : 2;
    int rowBytes = precision == Precision.FLOAT32 ? 24 : 16; // 3·4 + 8 and 3·2 + 8, rounded up
    assertThat(in.capacity()).isEqualTo(64 + count * rowBytes);
    for (int i = 0; i < count; i++) {
      int row = 64 + i * rowBytes;
      double squares = 0;
      for (int j = 0; j < D; j++) {
        float value = set.latents().get(first + i)[j];
        if (precision == Precision.FLOAT32) {
          assertThat(in.getFloat(row + 4 * j)).isEqualTo(value);
        } else {
          assertThat(in.getShort(row + 2 * j)).isEqualTo(Float.floatToFloat16(value));
          double lost = value - (double) Float.float16ToFloat(in.getShort(row + 2 * j));
          squares += lost * lost;
        }
      }
      assertThat((double) in.getFloat(row + D * b))
          .isBetween(Math.sqrt(squares), Math.sqrt(squares) * (1 + 0x1p-20));
      for (int j = D * b + 4; j < rowBytes - 4; j++) {
        assertThat(in.get(row + j)).isZero();
      }
      assertThat(in.getInt(row + rowBytes - 4))
          .isEqualTo(crc(in, row, rowBytes - 4, before + first + i));
    }
  }

  private static void readItems(ByteBuffer in, SampleSet set, int before, int count) {
    int table = in.capacity() - 8 * count;
    int at = 64;
    for (int i = 0; i < count; i++) {
      assertThat(in.getLong(table + 8 * i)).isEqualTo(at);
      int body = in.getInt(at);
      in.position(at + 4);
      Item item = set.items().get(i);
      for (String expected : new String[] {item.id(), item.source(), item.label()}) {
        byte[] text = new byte[in.getInt()];
        in.get(text);
        assertThat(new String(text, StandardCharsets.UTF_8)).isEqualTo(expected);
      }
      byte[] hash = new byte[in.getInt()];
      in.get(hash);
      assertThat(HexFormat.of().formatHex(hash)).isEqualTo(item.sha256());
      assertThat(in.getInt()).isZero(); // no edit
      assertThat(in.position()).isEqualTo(at + 4 + body);
      assertThat(in.getInt()).isEqualTo(crc(in, at, 4 + body, before + i));
      at += 4 + body + 4;
    }
    assertThat(at).isEqualTo(table);
  }

  /// Reads one change of the shared names and returns where the next one begins.
  private static int readChange(
      ByteBuffer in, int at, long item, int change, String id, String source) {
    assertThat(in.getLong(at)).isEqualTo(item);
    assertThat(in.getInt(at + 8)).isEqualTo(change);
    int body = in.getInt(at + 12);
    in.position(at + 16);
    for (String expected : new String[] {id, source, "", "", ""}) {
      byte[] text = new byte[in.getInt()];
      in.get(text);
      assertThat(new String(text, StandardCharsets.UTF_8)).isEqualTo(expected);
    }
    assertThat(in.position()).isEqualTo(at + 16 + body);
    assertThat(in.getInt()).isEqualTo(crc(in, at + 12, 4 + body, item));
    return at + 12 + 4 + body + 4;
  }

  private static int crc(ByteBuffer in, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(in.slice(offset, length));
    return (int) crc.getValue();
  }

  private static int crc(ByteBuffer in, int offset, int length, long item) {
    ByteBuffer all = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(item).put(in.slice(offset, length));
    return crc(all, 0, 8 + length);
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
