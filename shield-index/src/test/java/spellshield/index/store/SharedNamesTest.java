package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

/// Images that share a latent, and variants that follow their image, against a model that keeps a
/// plain list.
class SharedNamesTest {
  private static final LatentSpace SPACE = new LatentSpace("test", 1);

  /// What one latent stands for.
  private record Row(float value, String edit, List<String> ids) {}

  @Test
  void any_history_of_equal_files_and_variants_reads_back() {
    Seeds.check(300, SharedNamesTest::history);
  }

  private static void history(SplittableRandom random) throws IOException {
    MemoryStorage storage = new MemoryStorage();
    List<Row> model = new ArrayList<>();
    List<String> everUsed = new ArrayList<>();
    for (int generation = 1; generation <= 5; generation++) {
      boolean compact = generation > 1 && random.nextInt(4) == 0;
      try (SetWriter writer =
          generation == 1
              ? SetWriter.begin(storage, SPACE, Precision.FLOAT32)
              : compact ? SetWriter.rewrite(storage, 100) : SetWriter.extend(storage, 100)) {
        for (int step = random.nextInt(1, 8); !compact && step > 0; step--) {
          if (random.nextInt(3) > 0 || model.isEmpty()) {
            add(writer, model, everUsed, random);
          } else if (generation > 1) {
            remove(writer, model, random);
          }
        }
        writer.commit(Map.of(), SampleSet.CREATED, "");
      }
      requireEqual(storage, model);
    }
  }

  private static void add(
      SetWriter writer, List<Row> model, List<String> everUsed, SplittableRandom random)
      throws IOException {
    int file = random.nextInt(6); // few, so that many images are of equal files
    String sha256 = Hashes.sha256(("file " + file).getBytes(StandardCharsets.UTF_8));
    String id = "id-" + everUsed.size();
    everUsed.add(id);
    Item item = new Item(id, "source of " + id, "", sha256, "");
    OptionalLong holding = writer.holding(sha256);
    List<Row> same = model.stream().filter(row -> (int) row.value == file).toList();
    assertThat(holding.isPresent()).isEqualTo(!same.isEmpty());
    if (holding.isPresent()) {
      writer.join(item, holding.getAsLong());
      same.forEach(row -> row.ids.add(id));
      return;
    }
    writer.add(item, new float[] {file});
    model.add(new Row(file, "", new ArrayList<>(List.of(id))));
    for (int variant = random.nextInt(3); variant > 0; variant--) {
      writer.add(item.withEdit("edit " + variant), new float[] {file + variant / 10f});
      model.add(new Row(file + variant / 10f, "edit " + variant, new ArrayList<>(List.of(id))));
    }
  }

  private static void remove(SetWriter writer, List<Row> model, SplittableRandom random)
      throws IOException {
    List<String> ids = model.get(random.nextInt(model.size())).ids;
    String id = ids.get(random.nextInt(ids.size()));
    writer.remove(id);
    model.forEach(row -> row.ids.remove(id));
    model.removeIf(row -> row.ids.isEmpty());
    assertThatThrownBy(() -> writer.remove(id)).hasMessageContaining("nothing was removed");
  }

  private static void requireEqual(MemoryStorage storage, List<Row> model) throws IOException {
    try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
      List<Row> found = new ArrayList<>();
      float[] read = new float[1];
      store
          .living()
          .items()
          .forEach(number -> {
            store.read(number, read);
            List<Item> items = store.items(number);
            assertThat(store.item(number)).isEqualTo(items.getFirst());
            items.forEach(item -> assertThat(item.source()).isEqualTo("source of " + item.id()));
            found.add(
                new Row(
                    read[0],
                    items.getFirst().edit(),
                    items.stream().map(Item::id).sorted().toList()));
          });
      List<Row> expected = new ArrayList<>();
      model.forEach(
          row -> expected.add(new Row(row.value, row.edit, row.ids.stream().sorted().toList())));
      assertThat(found).containsExactlyElementsOf(expected);
    }
  }

  @Test
  void every_changed_bit_of_the_log_is_noticed() throws IOException {
    MemoryStorage storage = new MemoryStorage();
    try (SetWriter writer = SetWriter.begin(storage, SPACE, Precision.FLOAT32)) {
      writer.add(new Item("first", "", ""), new float[1]);
      writer.join(new Item("second", "a.png", "cat"), 0);
      writer.commit(Map.of(), SampleSet.CREATED);
    }
    byte[] log = storage.files.getOrDefault("names.000001", new byte[0]);
    assertThat(log).hasSizeGreaterThan(FileHeader.BYTES);
    for (int bit = 0; bit < 8 * log.length; bit++) {
      byte[] changed = log.clone();
      changed[bit / 8] ^= (byte) (1 << bit % 8);
      SortedMap<String, byte[]> all = new TreeMap<>(storage.files);
      all.put("names.000001", changed);
      assertThatThrownBy(
              () -> LatentStore.open(new MemoryStorage(all), Verification.ON_USE).close())
          .isInstanceOf(DamagedSetException.class)
          .hasMessageStartingWith("names.000001: ");
    }
  }

  @Test
  void any_log_with_a_right_checksum_is_followed_or_refused() {
    SharedNames names = new SharedNames();
    byte[] header = FileHeader.ofNames(1).toBytes();
    byte[] one = names.join(0, new Item("a", "b", "c"));
    byte[] two = names.leave(0, "a");
    byte[] log = new byte[header.length + one.length + two.length];
    System.arraycopy(header, 0, log, 0, header.length);
    System.arraycopy(one, 0, log, header.length, one.length);
    System.arraycopy(two, 0, log, header.length + one.length, two.length);
    Seeds.check(
        20_000,
        random -> {
          byte[] changed = log.clone();
          changed[random.nextInt(FileHeader.BYTES, log.length)] = (byte) random.nextInt();
          byte[] cut =
              random.nextBoolean()
                  ? changed
                  : Arrays.copyOf(changed, random.nextInt(FileHeader.BYTES, log.length + 1));
          FileEntry entry =
              new FileEntry("names", "names.000001", cut.length, Hashes.sha256(cut), 0);
          try {
            new SharedNames().follow(entry, cut, 1);
          } catch (DamagedSetException e) {
            assertThat(e).hasMessageStartingWith("names.000001: ");
          }
        });
  }

  @Test
  void what_makes_no_sense_is_refused_and_changes_nothing() throws IOException {
    MemoryStorage storage = new MemoryStorage();
    try (SetWriter writer = SetWriter.begin(storage, SPACE, Precision.FLOAT32)) {
      Item image = new Item("image", "", "");
      assertThatThrownBy(() -> writer.add(image.withEdit("mirror"), new float[1]))
          .hasMessageContaining("must follow the image that it is made of");
      writer.add(image, new float[1]);
      writer.add(image.withEdit("mirror"), new float[1]);
      assertThatThrownBy(() -> writer.join(image, 0)).hasMessageContaining("ids are unique");
      assertThatThrownBy(() -> writer.join(new Item("b", "", ""), 2))
          .hasMessageContaining("cannot share the latent of item 2 of 2");
      writer.add(new Item("other", "", ""), new float[1]);
      assertThatThrownBy(() -> writer.add(image.withEdit("shift:1"), new float[1]))
          .hasMessageContaining("must follow the image that it is made of");
      writer.commit(Map.of(), SampleSet.CREATED);
    }
    try (LatentStore store = LatentStore.open(storage, Verification.FULL)) {
      assertThat(store.count()).isEqualTo(3);
    }
  }
}
