package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import it.unimi.dsi.fastutil.longs.LongList;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import spellshield.index.testing.Seeds;

/// Whatever happens to the files of a set, it is noticed before a wrong value gets out.
class DamageTest {
  private static final SampleSet SET = SampleSet.of(31, Precision.FLOAT16, 5, 3);
  private static final String MANIFEST = "manifest.000001";

  private final SortedMap<String, byte[]> files = new TreeMap<>();

  @BeforeEach
  void build() throws IOException {
    MemoryStorage storage = new MemoryStorage(files);
    SET.build(storage, 64 + 2 * 16);
    assertThat(files).hasSize(7);
  }

  @Test
  void every_changed_bit_is_noticed() throws IOException {
    for (String name : List.copyOf(files.keySet())) {
      byte[] bytes = bytes(name);
      for (int bit = 0; bit < 8 * bytes.length; bit++) {
        byte[] changed = bytes.clone();
        changed[bit / 8] ^= (byte) (1 << (bit % 8));
        requireNoticed(name, changed, "bit " + bit);
      }
    }
  }

  @Test
  void every_cut_is_noticed() throws IOException {
    for (String name : List.copyOf(files.keySet())) {
      byte[] bytes = bytes(name);
      for (int length = 0; length < bytes.length; length++) {
        requireNoticed(name, Arrays.copyOf(bytes, length), "cut to " + length);
      }
      requireNoticed(name, Arrays.copyOf(bytes, bytes.length + 1), "one byte more");
    }
  }

  @Test
  void every_changed_bit_of_a_changed_set_is_noticed() throws IOException {
    SampleHistory history = new SampleHistory(5);
    MemoryStorage storage = new MemoryStorage();
    for (long generation = 1; generation <= 3; generation++) {
      history.commitNext(storage, generation);
    }
    assertThat(storage.files.keySet())
        .contains("removed.000003", "radii.000003", "items.000001", "items.000002");
    for (String name : List.copyOf(storage.files.keySet())) {
      byte[] bytes = bytes(storage.files, name);
      for (int bit = 0; bit < 8 * bytes.length; bit++) {
        byte[] changed = bytes.clone();
        changed[bit / 8] ^= (byte) (1 << (bit % 8));
        SortedMap<String, byte[]> all = new TreeMap<>(storage.files);
        all.put(name, changed);
        assertThatThrownBy(
                () -> LatentStore.open(new MemoryStorage(all), Verification.FULL).close())
            .isInstanceOf(DamagedSetException.class)
            .hasMessageStartingWith(name + ": ");
        boolean read = name.matches("(latents|items|removed|radii|manifest).*");
        try (LatentStore store = LatentStore.open(new MemoryStorage(all), Verification.ON_USE)) {
          float[] row = new float[3];
          for (int item = 0; item < store.count(); item++) {
            store.read(item, row);
            store.item(item);
          }
          assertThat(name.startsWith("items") || !read).as("%s, bit %d", name, bit).isTrue();
          history.requireEqualTo(store); // at most a byte between the records was hit
        } catch (DamagedSetException e) {
          assertThat(e).hasMessageStartingWith(name + ": ");
        }
      }
    }
  }

  @Test
  void removed_items_beyond_the_end_or_miscounted_are_refused() {
    FileEntry file = new FileEntry("removed", "removed.000002", 72, "0".repeat(64), 1);
    for (long bits : new long[] {1L << 5, 3, 0}) {
      byte[] bytes = LivingItems.all(64).changed(64, LongList.of()).toBytes(2);
      ByteBuffer changed = ByteBuffer.allocate(72).order(ByteOrder.LITTLE_ENDIAN);
      changed.put(bytes).putLong(bits);
      assertThatThrownBy(() -> LivingItems.parse(file, changed.array(), 2, 5))
          .isInstanceOf(DamagedSetException.class)
          .hasMessageContaining("as removed, but the manifest says 1 of 5");
    }
  }

  @Test
  void radius_scales_that_are_none_or_miscounted_are_refused() {
    FileEntry file = new FileEntry("radii", "radii.000002", 72, "0".repeat(64), 1);
    for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
      ByteBuffer bytes = ByteBuffer.allocate(72).order(ByteOrder.LITTLE_ENDIAN);
      bytes.put(RadiusScales.ONES.toBytes(2)).putFloat(1).putFloat(scale);
      assertThatThrownBy(() -> RadiusScales.parse(file, bytes.array(), 2))
          .isInstanceOf(DamagedSetException.class)
          .hasMessageContaining(
              "item 1: a radius scale must be positive and finite, but was " + scale);
    }
    assertThatThrownBy(() -> RadiusScales.parse(file, RadiusScales.from(2, 3).toBytes(2), 2))
        .isInstanceOf(DamagedSetException.class)
        .hasMessageContaining("2 items whose radius scale is not 1, but the manifest says 1");
  }

  @Test
  void every_missing_file_is_noticed_and_named() throws IOException {
    for (String name : List.copyOf(files.keySet())) {
      SortedMap<String, byte[]> rest = new TreeMap<>(files);
      rest.remove(name);
      MemoryStorage storage = new MemoryStorage(rest);
      for (Verification verification : Verification.values()) {
        assertThatThrownBy(() -> LatentStore.open(storage, verification))
            .isInstanceOf(
                name.equals(MANIFEST) ? NoSuchFileException.class : DamagedSetException.class)
            .hasMessageContaining(
                name.equals(MANIFEST) ? "no protected set" : name + ": is missing");
      }
    }
  }

  @Test
  void shards_of_another_place_set_or_generation_are_noticed() throws IOException {
    MemoryStorage other = new MemoryStorage();
    SampleSet.of(32, Precision.FLOAT16, 5, 3).build(other, 64 + 2 * 16);
    SET.build(other, 64 + 2 * 16);
    requireNoticed("latents.000001.000", bytes("latents.000001.001"), "another place");
    requireNoticed(
        "latents.000001.000", bytes(other.files, "latents.000002.000"), "another generation");
    requireNoticed("items.000001", bytes(other.files, "items.000002"), "another generation");
  }

  @Test
  void rows_at_each_others_place_are_noticed_when_they_are_read() throws IOException {
    byte[] shard = bytes("latents.000001.000").clone();
    byte[] first = Arrays.copyOfRange(shard, 64, 80);
    System.arraycopy(shard, 80, shard, 64, 16);
    System.arraycopy(first, 0, shard, 80, 16);
    requireNoticed("latents.000001.000", shard, "rows swapped");
  }

  @Test
  void a_damaged_newest_set_never_opens_as_the_older_one() throws IOException {
    MemoryStorage storage = new MemoryStorage(new TreeMap<>(files));
    SampleSet.of(33, Precision.FLOAT32, 2, 2).build(storage, 1 << 20);
    storage.files.putAll(files); // as if the sweep had not happened
    byte[] newest = bytes(storage.files, "manifest.000002");
    for (int length = 0; length < newest.length; length += 7) {
      storage.files.put("manifest.000002", Arrays.copyOf(newest, length));
      assertThatThrownBy(() -> LatentStore.open(storage, Verification.FULL))
          .isInstanceOf(DamagedSetException.class)
          .hasMessageContaining("manifest.000002")
          .hasMessageContaining("restore the folder from a copy or build the set again");
    }
    assertThat(SET.build(storage, 1 << 20).generation()).isEqualTo(3);
    try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
      SET.requireEqualTo(storage, store);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'\"count\":5'                | '\"count\":6'                    | the shards hold",
        "'\"added\":5'                | '\"added\":6'                    | by its epochs the set has 6",
        "'\"number\":1'               | '\"number\":2'                   | the last epoch is 2",
        "'\"number\":1'               | '\"number\":0'                   | an epoch has a number",
        "'\"reason\":\"built\"'       | '\"reason\":\"a\\nb\"'          | a reason is one line",
        "'\"role\":\"sketch\"'        | '\"role\":\"removed\"'         | should have 64 bytes",
        "'\"role\":\"sketch\"'        | '\"role\":\"radii\"'           | should have 64 bytes",
        "'\"count\":5'                | '\"count\":5,\"count\":5'        | Duplicate",
        "'\"count\":5'                | '\"count\":5.0'                  | 64-bit integer",
        "'\"count\":5'                | '\"count\":NaN'                  | NaN",
        "'\"count\":5'                | '\"count\":99999999999999999999' | 64-bit integer",
        "'\"count\":5'                | '\"count\":5,\"more\":1'         | should have the fields",
        "'\"generation\":1'           | '\"generation\":2'               | the last epoch is 1",
        "'latents.000001.000'         | 'latents.000002.000'             | or one before",
        "'sketch.000001'              | '../sketch.000001'               | is named like",
        "'sketch.000001'              | '/etc/sketch.000001'             | is named like",
        "'sketch.000001'              | 'items.000001'                   | is named twice",
        "'FLOAT16'                    | 'FLOAT32'                        | should have",
        "'FLOAT16'                    | 'FLOAT8'                         | FLOAT8",
        "'\"shape\":[3]'              | '\"shape\":[4]'                  | fingerprint",
        "'\"sections\":{'             | '\"sections\":{\"a\":1e999,'     | finite",
        "'2026-01-02T03:04:05Z'       | 'yesterday'                      | is not an instant",
        "'}\n'                        | '} {}\n'                         | Trailing"
      })
  void a_manifest_with_a_right_checksum_and_wrong_content_is_refused(
      String part, String instead, String message) {
    String body = text().substring(text().indexOf('\n') + 1);
    assertThat(body).contains(part);
    int at = part.endsWith("\n") ? body.lastIndexOf(part) : body.indexOf(part);
    String changed = body.substring(0, at) + instead + body.substring(at + part.length());
    requireRefused(signed(3, changed), message);
  }

  @Test
  void manifests_of_other_versions_or_beyond_the_limits_are_refused() {
    String body = text().substring(text().indexOf('\n') + 1);
    requireRefused(signed(4, body), "has format version 4, but this program reads up to version 3");
    requireRefused(signed(2, body), "should have the fields");
    requireRefused(signed(3, body.replace("\"format\":3", "\"format\":2")), "but it is 2");
    requireRefused(signed(1, body), "should have the fields");
    String older = body.replace("\"format\":3,", "");
    requireRefused(
        signed(2, older.replace("\"role\":\"sketch\"", "\"role\":\"radii\"")),
        "a set of version 2 has no radii");
    String deep = "[".repeat(1_000_000) + "]".repeat(1_000_000);
    requireRefused(
        signed(3, body.replace("\"sections\":{", "\"sections\":{\"a\":" + deep + ",")), "nesting");
    String long4MiB = "\"" + "x".repeat(4 << 20) + "\"";
    requireRefused(
        signed(3, body.replace("\"sections\":{", "\"sections\":{\"a\":" + long4MiB + ",")),
        "more than the 4194304 bytes");
    requireRefused(signed(3, "null"), "should have the fields");
    requireRefused(signed(3, ""), "should have the fields");
  }

  @Test
  void any_json_is_either_the_manifest_or_refused() {
    byte[] body = text().substring(text().indexOf('\n') + 1).getBytes(StandardCharsets.UTF_8);
    Seeds.check(
        20_000,
        random -> {
          byte[] changed = body.clone();
          for (int i = random.nextInt(1, 4); i > 0; i--) {
            changed[random.nextInt(changed.length)] = tokenByte(random);
          }
          String text = new String(changed, StandardCharsets.ISO_8859_1);
          try {
            Manifest.parse(MANIFEST, 1, signed(3, text));
          } catch (DamagedSetException e) {
            assertThat(e).hasMessageStartingWith(MANIFEST + ": ");
          }
        });
  }

  private static byte tokenByte(SplittableRandom random) {
    String tokens = "{}[]\",:0123456789.eE+-nulltruefalse\\/ \n\u00e9";
    return (byte) tokens.charAt(random.nextInt(tokens.length()));
  }

  /// Opens with FULL, which must refuse, and ON_USE, which must refuse at open or at a read.
  private void requireNoticed(String name, byte[] changed, String how) {
    SortedMap<String, byte[]> all = new TreeMap<>(files);
    all.put(name, changed);
    MemoryStorage storage = new MemoryStorage(all);
    List<Throwable> caught = new ArrayList<>();
    try {
      LatentStore.open(storage, Verification.FULL).close();
    } catch (DamagedSetException | IOException e) {
      caught.add(e);
    }
    try (LatentStore store = LatentStore.open(storage, Verification.ON_USE)) {
      caught.addAll(readAll(storage, store));
    } catch (DamagedSetException | IOException e) {
      caught.add(e);
    }
    assertThat(caught).as("%s, %s", name, how).hasSizeGreaterThanOrEqualTo(2);
    assertThat(caught)
        .allSatisfy(e ->
            assertThat(e)
                .isInstanceOf(DamagedSetException.class)
                .hasMessageStartingWith(name + ": "));
  }

  /// Reads each row, item and further file on its own; what is not refused must be right.
  private static List<Throwable> readAll(Storage storage, LatentStore store) throws IOException {
    List<Throwable> caught = new ArrayList<>();
    float[] row = new float[3];
    for (int i = 0; i < 5; i++) {
      try {
        store.read(i, row);
        for (int j = 0; j < 3; j++) {
          assertThat(row[j])
              .isEqualTo(Float.float16ToFloat(Float.floatToFloat16(SET.latents().get(i)[j])));
        }
      } catch (DamagedSetException e) {
        caught.add(e);
      }
      try {
        assertThat(store.item(i)).isEqualTo(SET.items().get(i));
      } catch (DamagedSetException e) {
        caught.add(e);
      }
    }
    for (String role : List.of("sketch", "hnsw")) {
      try {
        store.manifest().files(role).getFirst().read(storage);
      } catch (DamagedSetException e) {
        caught.add(e);
      }
    }
    return caught;
  }

  private void requireRefused(byte[] manifest, String message) {
    SortedMap<String, byte[]> all = new TreeMap<>(files);
    all.put(MANIFEST, manifest);
    assertThatThrownBy(() -> LatentStore.open(new MemoryStorage(all), Verification.FULL))
        .isInstanceOf(DamagedSetException.class)
        .hasMessageStartingWith(MANIFEST + ": ")
        .hasMessageContaining(message);
  }

  private String text() {
    return new String(bytes(MANIFEST), StandardCharsets.UTF_8);
  }

  private byte[] bytes(String name) {
    return bytes(files, name);
  }

  private static byte[] bytes(SortedMap<String, byte[]> files, String name) {
    assertThat(files).containsKey(name);
    return files.getOrDefault(name, new byte[0]);
  }

  private static byte[] signed(int version, String body) {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    return "SPELLSHIELD-SET %d %s\n%s"
        .formatted(version, Hashes.sha256(bytes), body)
        .getBytes(StandardCharsets.UTF_8);
  }
}
