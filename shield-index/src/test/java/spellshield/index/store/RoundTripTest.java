package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.Seeds;
import tools.jackson.databind.node.JsonNodeFactory;

class RoundTripTest {
  private static final int[] COUNTS = {0, 1, 7, 8, 63, 64, 65, 200};
  private static final int[] DIMS = {1, 2, 3, 7, 16, 17, 64, 65, 1021};

  @TempDir private Path folder;

  @Test
  void what_was_written_is_read_whatever_the_shape_precision_and_shards() {
    Seeds.check(
        150,
        random -> {
          SampleSet set = draw(random);
          MemoryStorage storage = new MemoryStorage();
          Manifest manifest = set.build(storage, random.nextLong(1, 20_000));
          for (Verification verification : Verification.values()) {
            try (LatentStore store = LatentStore.open(storage, verification)) {
              set.requireEqualTo(storage, store);
              assertThat(store.manifest().sha256()).isEqualTo(manifest.sha256());
            }
          }
        });
  }

  @Test
  void a_disk_gives_the_same_bytes_as_the_memory() throws IOException {
    for (Precision precision : Precision.values()) {
      SampleSet set = SampleSet.of(3, precision, 65, 4, 2, 2);
      MemoryStorage memory = new MemoryStorage();
      set.build(memory, 1_000);
      DiskStorage disk = DiskStorage.at(folder.resolve("new/" + precision));
      set.build(disk, 1_000);
      memory.files.forEach((name, bytes) ->
          assertThat(folder.resolve("new/" + precision).resolve(name)).hasBinaryContent(bytes));
      try (LatentStore store = LatentStore.open(disk, Verification.FULL)) {
        set.requireEqualTo(disk, store);
      }
    }
  }

  @Test
  void float16_rows_lie_within_their_stated_error() {
    Seeds.check(
        300,
        random -> {
          int dim = DIMS[random.nextInt(DIMS.length)];
          SampleSet set = SampleSet.of(random.nextLong(), Precision.FLOAT16, 3, dim);
          MemoryStorage storage = new MemoryStorage();
          set.build(storage, 1 << 20);
          try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
            float[] stored = new float[dim];
            float[] query =
                SampleSet.of(random.nextLong(), Precision.FLOAT32, 1, dim).latents().getFirst();
            for (int i = 0; i < 3; i++) {
              double error = store.read(i, stored);
              double bound = distance(query, stored) * (1 - (dim + 4) * 0x1p-53) - error;
              assertThat(distance(query, set.latents().get(i)) * (1 + (dim + 4) * 0x1p-53))
                  .isGreaterThanOrEqualTo(bound);
              assertThat(error).isGreaterThanOrEqualTo(distance(stored, set.latents().get(i)));
            }
          }
        });
  }

  @Test
  void a_shard_takes_rows_up_to_its_limit_and_always_one() throws IOException {
    SampleSet set = SampleSet.of(1, Precision.FLOAT32, 7, 2); // 16 bytes a row
    assertThat(set.build(new MemoryStorage(), 64 + 3 * 16).files("latents"))
        .extracting(FileEntry::count)
        .containsExactly(3L, 3L, 1L);
    assertThat(set.build(new MemoryStorage(), 1).files("latents")).hasSize(7);
  }

  @Test
  void a_second_build_replaces_the_first_and_names_it_as_its_parent() throws IOException {
    DiskStorage disk = DiskStorage.at(folder);
    Manifest first = SampleSet.of(1, Precision.FLOAT32, 9, 5).build(disk, 100);
    SampleSet next = SampleSet.of(2, Precision.FLOAT16, 4, 6);
    Manifest second = next.build(disk, 1 << 20);
    assertThat(second.generation()).isEqualTo(2);
    assertThat(second.parent()).contains(first.sha256());
    assertThat(disk.list())
        .containsExactly(
            "hnsw.000002/_0.cfs",
            "items.000002",
            "latents.000002.000",
            "lock",
            "manifest.000002",
            "sketch.000002");
    try (LatentStore store = LatentStore.open(disk, Verification.FULL)) {
      next.requireEqualTo(disk, store);
      assertThat(store.manifest().section("sketch").orElseThrow().get("dim").intValue())
          .isEqualTo(3);
    }
  }

  @Test
  void a_reader_keeps_its_generation_while_the_next_one_replaces_it() throws IOException {
    DiskStorage disk = DiskStorage.at(folder);
    SampleSet old = SampleSet.of(1, Precision.FLOAT32, 9, 5);
    old.build(disk, 100);
    try (LatentStore store = LatentStore.open(disk, Verification.ON_USE)) {
      SampleSet.of(2, Precision.FLOAT32, 9, 5).build(disk, 100);
      float[] read = new float[5];
      for (int i = 0; i < 9; i++) {
        store.read(i, read);
        assertThat(read).isEqualTo(old.latents().get(i));
        assertThat(store.item(i)).isEqualTo(old.items().get(i));
      }
    }
  }

  @Test
  void a_set_that_is_replaced_while_it_is_opened_opens_as_the_new_one() throws IOException {
    SampleSet next = SampleSet.of(2, Precision.FLOAT16, 4, 6);
    for (String moment : new String[] {"manifest.000001", "latents.000001.001", "sketch.000001"}) {
      for (Verification verification : Verification.values()) {
        MemoryStorage base = new MemoryStorage();
        SampleSet.of(1, Precision.FLOAT32, 9, 5).build(base, 100);
        Storage replaced =
            new FilterStorage(base) {
              @Override
              public long length(String name) throws IOException {
                replaceAt(name);
                return super.length(name);
              }

              @Override
              public InputStream open(String name) throws IOException {
                replaceAt(name);
                return super.open(name);
              }

              private void replaceAt(String name) throws IOException {
                if (name.equals(moment) && base.list().contains("manifest.000001")) {
                  next.build(base, 100);
                }
              }
            };
        try (LatentStore store = LatentStore.open(replaced, verification)) {
          next.requireEqualTo(base, store);
        }
      }
    }
  }

  @Test
  void a_refused_item_leaves_the_build_as_it_was() throws IOException {
    SampleSet set = SampleSet.of(5, Precision.FLOAT16, 3, 2);
    MemoryStorage storage = new MemoryStorage();
    try (SetWriter writer = SetWriter.begin(storage, set.space(), Precision.FLOAT16)) {
      set.addTo(writer);
      Item item = new Item("new", "", "");
      assertRefused(writer, item, "value 1 must be finite", 0, Float.NaN);
      assertRefused(writer, item, "value 0 must be finite", Float.NEGATIVE_INFINITY, 0);
      assertRefused(writer, item, "at most 65504.0", 65_505f, 0);
      assertRefused(writer, item, "3 values do not make a latent", 1, 2, 3);
      assertRefused(writer, set.items().get(1), "is in the set already", 1, 2);
      assertThat(writer.count()).isEqualTo(3);
      writer.file("sketch", "sketch").close();
      writer.file("hnsw", "hnsw/_0.cfs").close();
      writer.commit(Map.of(), SampleSet.CREATED);
    }
    try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
      assertThat(store.count()).isEqualTo(3);
      assertThat(store.item(2)).isEqualTo(set.items().get(2));
    }
  }

  @Test
  void a_build_that_is_closed_before_its_commit_leaves_nothing() throws IOException {
    DiskStorage disk = DiskStorage.at(folder);
    SampleSet set = SampleSet.of(5, Precision.FLOAT32, 3, 2);
    try (SetWriter writer = SetWriter.begin(disk, set.space(), Precision.FLOAT32)) {
      set.addTo(writer);
      OutputStream unfinished = writer.file("sketch", "sketch");
      unfinished.write(1);
      assertThatIllegalStateException()
          .isThrownBy(() -> writer.commit(Map.of(), SampleSet.CREATED))
          .withMessageContaining("sketch.000001");
    }
    assertThat(disk.list()).containsExactly("lock");
    assertThatThrownBy(() -> LatentStore.open(disk, Verification.FULL))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("no protected set here: the folder holds no manifest");
    assertThatThrownBy(() -> Manifest.newest(DiskStorage.at(folder.resolve("missing"))))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("no protected set here: the folder does not exist");
  }

  @Test
  void only_one_writer_works_at_a_time() throws IOException {
    DiskStorage disk = DiskStorage.at(folder);
    LatentSpace space = new LatentSpace("test", 2);
    SetWriter first = SetWriter.begin(disk, space, Precision.FLOAT32);
    assertThatThrownBy(() -> SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT32))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("another build");
    first.close();
    SetWriter.begin(disk, space, Precision.FLOAT32).close();
  }

  @Test
  void a_folder_of_other_things_is_refused_and_left_alone() throws IOException {
    Path photo = Files.writeString(folder.resolve("photo 1.jpg"), "photo");
    LatentSpace space = new LatentSpace("test", 2);
    DiskStorage disk = DiskStorage.at(folder);
    assertThatThrownBy(() -> SetWriter.begin(disk, space, Precision.FLOAT32))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("photo 1.jpg");
    assertThat(photo).hasContent("photo");
  }

  @Test
  void sections_must_be_plain_finite_json() throws IOException {
    JsonNodeFactory json = JsonNodeFactory.instance;
    MemoryStorage storage = new MemoryStorage();
    LatentSpace space = new LatentSpace("test", 2);
    try (SetWriter writer = SetWriter.begin(storage, space, Precision.FLOAT32)) {
      for (var bad :
          Map.of(
                  "nan",
                  json.numberNode(Double.NaN),
                  "pojo",
                  json.pojoNode("x"),
                  "Bad Name",
                  json.nullNode())
              .entrySet()) {
        assertThatIllegalArgumentException()
            .isThrownBy(
                () -> writer.commit(Map.of(bad.getKey(), bad.getValue()), SampleSet.CREATED));
      }
      writer.commit(Map.of("good", json.numberNode(1e300)), SampleSet.CREATED);
    }
    assertThat(Manifest.newest(storage).section("good").orElseThrow().doubleValue())
        .isEqualTo(1e300);
  }

  private static void assertRefused(SetWriter writer, Item item, String message, float... latent) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> writer.add(item, latent))
        .withMessageContaining(message)
        .withMessageContaining(item.id());
  }

  private static SampleSet draw(SplittableRandom random) {
    return SampleSet.of(
        random.nextLong(),
        random.nextBoolean() ? Precision.FLOAT32 : Precision.FLOAT16,
        COUNTS[random.nextInt(COUNTS.length)],
        random.nextInt(1, 4),
        DIMS[random.nextInt(DIMS.length)]);
  }

  private static double distance(float[] a, float[] b) {
    double squares = 0;
    for (int i = 0; i < a.length; i++) {
      squares += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
    }
    return Math.sqrt(squares);
  }
}
