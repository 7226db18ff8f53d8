package spellshield.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.kernel.Distance;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.search.Recall;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Epoch;
import spellshield.index.store.FileEntry;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.index.store.RadiusScales;
import spellshield.index.testing.Seeds;

class ProtectedSetEditorTest {
  private static final Instant TIME = Instant.parse("2026-01-02T03:04:05Z");
  private static final LatentSpace SPACE = new LatentSpace("test-v1", 3, 2, 2);
  private static final int DIM = 12;

  /// How far a float64 sum of 12 squares may be off, relatively.
  private static final double MARGIN = (DIM + 8) * 0x1p-53;

  @TempDir private Path folder = Path.of("");

  @Test
  void random_changes_answer_as_a_brute_force_over_what_lives() {
    Seeds.check(
        40,
        random -> {
          Path path = folder.resolve("set" + random.nextLong());
          Model model = Model.build(path, random, new int[] {0, 1, 7, 65, 300}[random.nextInt(5)]);
          ProtectedSet moving = ProtectedSet.open(path);
          if (random.nextBoolean()) {
            moving.hnsw();
          }
          try {
            for (int step = random.nextInt(1, 6); step > 0; step--) {
              model.changeAtRandom(random, 120);
              ProtectedSet newer = moving.refresh().orElseThrow();
              moving.close();
              moving = newer;
              model.check(moving, random);
            }
          } finally {
            moving.close();
          }
        });
  }

  @Test
  void changes_of_several_groups_answer_as_a_brute_force_over_what_lives() {
    Seeds.check(
        2,
        random -> {
          Path path = folder.resolve("large" + random.nextLong());
          Model model = Model.build(path, random, 4_500);
          model.change(random, 4_300, 1_500, 1);
          try (ProtectedSet set = ProtectedSet.open(path)) {
            model.check(set, random);
          }
          model.change(random, 10, 3_000, 1e3f);
          try (ProtectedSet set = ProtectedSet.open(path)) {
            model.check(set, random);
          }
        });
  }

  @Test
  void items_that_no_code_reaches_are_found_at_the_very_edge_of_the_ball() throws IOException {
    // The build spans ±1e-3 in each value; added ones lie from just outside to 1e18 away.
    float[] scales = {2e-3f, 5e-3f, 1e-2f, 1, 1e3f, 1e10f, 1e18f};
    SplittableRandom random = new SplittableRandom(3);
    Model model = new Model(folder);
    model.commitBuild(model.draw(random, 500, 1e-3f));
    Map<String, float[]> far = new LinkedHashMap<>();
    for (float scale : scales) {
      far.putAll(model.draw(random, 20, scale));
    }
    model.commit(far, Set.of());
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      int edges = 0;
      for (Map.Entry<String, float[]> item : far.entrySet()) {
        float[] query = item.getValue().clone();
        float scale = Math.abs(query[0]) + Float.MIN_NORMAL;
        query[random.nextInt(DIM)] += 0.25f * scale;
        double edge = distance(query, 0, item.getValue());
        for (double radius : new double[] {edge, Math.nextUp(edge), edge * (1 + 1e-7)}) {
          model.checkBoth(set, query, 1, radius);
          edges++;
        }
        model.checkBoth(set, query, 1, edge * (1 - 1e-6));
        model.checkNearest(set, query, 1);
      }
      assertThat(edges).isEqualTo(3 * 20 * scales.length);
    }
  }

  @Test
  void float16_never_misses_a_latent_that_lives_and_keeps_its_rounding_when_compacted() {
    Seeds.check(
        6,
        random -> {
          Path path = folder.resolve("half" + random.nextLong());
          Model model = new Model(path, Precision.FLOAT16);
          model.commitBuild(model.draw(random, 90, 1));
          model.change(random, 80, 50, 1);
          Map<String, String> before = model.storedLatents();
          model.compact();
          assertThat(model.storedLatents()).isEqualTo(before);
          try (ProtectedSet set = ProtectedSet.open(path)) {
            float[] queries = model.queries(random, 5);
            double radius = 0.5 + 3 * random.nextDouble();
            List<Neighborhood> answers = set.exact().search(queries, 5, radius);
            for (int q = 0; q < 5; q++) {
              Set<String> found = ids(set, answers.get(q));
              for (Map.Entry<String, float[]> item : model.living.entrySet()) {
                if (distance(queries, q, item.getValue()) <= radius) {
                  assertThat(found).contains(item.getKey());
                }
              }
            }
          }
        });
  }

  @Test
  void what_was_removed_takes_no_clearance_away() throws IOException {
    Map<String, float[]> near = new LinkedHashMap<>();
    Map<String, float[]> far = new LinkedHashMap<>();
    SplittableRandom random = new SplittableRandom(8);
    for (int i = 0; i < 100; i++) {
      near.put("near-" + i, gaussian(random, 0.1f));
      float[] latent = gaussian(random, 0.1f);
      latent[0] += 40;
      far.put("far-" + i, latent);
    }
    Model model = new Model(folder);
    Map<String, float[]> all = new LinkedHashMap<>(near);
    all.putAll(far);
    model.commitBuild(all);
    model.commit(Map.of(), near.keySet());
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      Neighborhood answer = set.exact().search(new float[DIM], 1, 1).getFirst();
      assertThat(answer.neighbors()).isEmpty();
      assertThat(answer.clearance()).isBetween(10.0, 41.0);
    }
    model.commit(Map.of(), far.keySet());
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      assertThat(set.count()).isZero();
      assertThat(set.statistics().meanClearance()).isEqualTo(Double.MAX_VALUE);
      for (boolean graph : new boolean[] {false, true}) {
        Neighborhood answer =
            (graph ? set.hnsw() : set.exact()).search(new float[DIM], 1, 50).getFirst();
        assertThat(answer).isEqualTo(new Neighborhood(List.of(), Double.POSITIVE_INFINITY));
      }
      assertThat(set.exact().nearest(new float[DIM], 1).getFirst()).isEmpty();
    }
  }

  @Test
  void the_graph_still_leads_to_nearly_all_that_lives() throws IOException {
    SplittableRandom random = new SplittableRandom(9);
    Model model = Model.build(folder, random, 3_000);
    for (int removed : new int[] {900, 1_300, 700}) { // a third, most, nearly all of the build
      model.change(random, 100, removed, 1);
      try (ProtectedSet set = ProtectedSet.open(folder)) {
        double radius = 0.4 * set.statistics().typicalDistance();
        Recall recall =
            Recall.measure(set.exact(), set.hnsw(), set.latents(), radius, 200, removed);
        assertThat(recall.pairs()).isGreaterThan(50);
        assertThat(recall.share()).isBetween(0.95, 1.0);
      }
    }
  }

  @Test
  void what_cannot_be_done_is_refused_in_a_line_and_leaves_every_file_as_it_was() throws Exception {
    Model model = Model.build(folder, new SplittableRandom(10), 20);
    Map<String, String> before = files();
    float[] latent = new float[DIM];
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder, SPACE)) {
      assertThatThrownBy(() -> editor.remove("nobody"))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("item 'nobody' is not in the set; nothing was removed");
      assertThatThrownBy(() -> editor.rescale("nobody", 2))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("item 'nobody' is not in the set; no radius scale was changed");
      String known = model.living.keySet().iterator().next();
      for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
        String message =
            "item '%s': a radius scale must be positive and finite, but was %s"
                .formatted(known, scale);
        assertThatThrownBy(() -> editor.rescale(known, scale)).hasMessage(message);
        assertThatThrownBy(() -> editor.add(new Item(known, "", ""), latent, scale))
            .hasMessage(message);
      }
      editor.rescale(known, 1); // as it is
      assertThatThrownBy(() -> editor.add(new Item(known, "", ""), latent))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("item '%s' is in the set already; ids are unique".formatted(known));
      assertThat(files()).isEqualTo(before);
      assertThatIllegalStateException()
          .isThrownBy(() -> editor.commit(TIME, ""))
          .withMessageContaining("nothing was added or removed");
      editor.remove(known);
      assertThatThrownBy(() -> editor.remove(known)).hasMessageContaining("not in the set");
      assertThatThrownBy(() -> editor.commit(TIME, "two\nlines")).hasMessageContaining("one line");
      assertThatThrownBy(() -> ProtectedSetEditor.begin(folder))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another build is writing");
    }
    assertThat(files()).isEqualTo(before);
    assertThatThrownBy(() -> ProtectedSetEditor.begin(folder, new LatentSpace("other-v2", 3, 2, 2)))
        .isInstanceOf(FingerprintMismatchException.class)
        .hasMessageContaining("test-v1")
        .hasMessageContaining("other-v2");
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
      assertThatIllegalStateException()
          .isThrownBy(() -> editor.add(new Item("new", "", ""), latent))
          .withMessageContaining("without the latent space");
    }
    assertThat(files()).isEqualTo(before);
    Path absent = folder.resolve("absent");
    assertThatThrownBy(() -> ProtectedSetEditor.begin(absent))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> ProtectedSetBuilder.compacting(absent))
        .isInstanceOf(NoSuchFileException.class);
    assertThat(absent).doesNotExist();
  }

  @Test
  void each_change_is_an_epoch_and_numbers_of_items_stay() throws IOException {
    SplittableRandom random = new SplittableRandom(11);
    Model model = Model.build(folder, random, 30);
    String first = "item-0";
    float[] replacement = gaussian(random, 1);
    model.commit(Map.of(first, replacement), Set.of(first, "item-5"));
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      assertThat(set.epoch()).isEqualTo(2);
      assertThat(set.count()).isEqualTo(29);
      assertThat(set.living().contains(0)).isFalse();
      assertThat(set.item(30).id()).isEqualTo(first);
      assertThat(set.item(7).id()).isEqualTo("item-7");
      Neighbor nearest = set.exact().nearest(replacement, 1).getFirst().orElseThrow();
      assertThat(nearest.item()).isEqualTo(30);
      assertThat(set.manifest().epochs())
          .containsExactly(
              new Epoch(1, TIME, 30, 0, "built"), new Epoch(2, TIME, 1, 2, "a change"));
    }
    model.compact();
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      assertThat(set.manifest().epochs())
          .hasSize(3)
          .endsWith(new Epoch(3, TIME, 0, 0, "compacted"));
      assertThat(set.count()).isEqualTo(29);
      assertThat(set.manifest().count()).isEqualTo(29);
      assertThat(set.item(0).id()).isEqualTo("item-1");
      assertThat(set.item(28).id()).isEqualTo(first);
      assertThat(set.statistics().typicalDistance()).isPositive();
      assertThat(ProtectedSetBuilder.changesSinceBuild(set.manifest())).isZero();
    }
  }

  @Test
  void radii_keep_their_meaning_and_the_clearance_of_the_mean_is_measured_anew()
      throws IOException {
    SplittableRandom random = new SplittableRandom(12);
    Model model = Model.build(folder, random, 200);
    double typical;
    float[] mean;
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      typical = set.statistics().typicalDistance();
      mean = meanOf(model.living.values());
    }
    float[] near = mean.clone();
    near[3] += 0.125f;
    model.commit(Map.of("near", near), Set.of());
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      assertThat(set.statistics().typicalDistance()).isEqualTo(typical);
      assertThat(set.statistics().meanClearance()).isBetween(0.1249, 0.1251);
      assertThat(set.manifest().section("statistics").orElseThrow().path("epoch").intValue())
          .isEqualTo(1);
      assertThat(set.manifest().section("hnsw").orElseThrow().path("epoch").intValue())
          .isEqualTo(1);
      assertThat(ProtectedSetBuilder.changesSinceBuild(set.manifest())).isEqualTo(1);
    }
    model.commit(Map.of(), Set.of("near"));
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      double nearest = Double.POSITIVE_INFINITY;
      for (float[] latent : model.living.values()) {
        nearest = Math.min(nearest, Distance.between(mean, latent));
      }
      assertThat(set.statistics().meanClearance()).isBetween(nearest * 0.9999, nearest * 1.0001);
    }
  }

  @Test
  void an_open_set_moves_to_the_newest_epoch_and_both_can_be_used_and_closed() throws IOException {
    SplittableRandom random = new SplittableRandom(13);
    Model model = Model.build(folder, random, 150);
    for (boolean olderFirst : new boolean[] {true, false}) {
      ProtectedSet older = ProtectedSet.open(folder);
      float[] query = model.latent("item-3").clone();
      List<Neighborhood> exact = older.exact().search(query, 1, 2);
      List<Neighborhood> graph = older.hnsw().search(query, 1, 2);
      assertThat(older.refresh()).isEmpty();
      model.change(random, 40, 30, 1);
      Optional<ProtectedSet> refreshed = older.refresh();
      ProtectedSet newer = refreshed.orElseThrow();
      assertThat(newer.epoch()).isEqualTo(older.epoch() + 1);
      assertThat(newer.refresh()).isEmpty();
      assertThat(older.exact().search(query, 1, 2)).isEqualTo(exact);
      assertThat(older.hnsw().search(query, 1, 2)).isEqualTo(graph);
      try (ProtectedSet opened = ProtectedSet.open(folder)) {
        float[] queries = model.queries(random, 16);
        assertThat(newer.exact().search(queries, 16, 2))
            .isEqualTo(opened.exact().search(queries, 16, 2));
        assertThat(newer.hnsw().search(queries, 16, 2))
            .isEqualTo(opened.hnsw().search(queries, 16, 2));
      }
      (olderFirst ? older : newer).close();
      ProtectedSet left = olderFirst ? newer : older;
      assertThat(left.hnsw().search(query, 1, 2)).hasSize(1);
      assertThat(left.exact().search(query, 1, 2)).hasSize(1);
      if (olderFirst) {
        assertThatIllegalStateException().isThrownBy(older::refresh);
        model.check(newer, random);
      }
      left.close();
      assertThatIllegalStateException().isThrownBy(left::hnsw);
    }
  }

  @Test
  void many_small_additions_leave_few_files() throws Exception {
    SplittableRandom random = new SplittableRandom(14);
    Model model = Model.build(folder, random, 100);
    for (int i = 0; i < 12; i++) {
      model.change(random, 3, 1, 1);
    }
    assertThat(addedCounts()).containsExactly(36L);
    model.change(random, 5_000, 0, 1);
    assertThat(addedCounts()).containsExactly(5_036L);
    model.change(random, 4_200, 0, 1);
    assertThat(addedCounts()).containsExactly(5_036L, 4_200L);
    model.change(random, 4_200, 0, 1);
    assertThat(addedCounts()).containsExactly(13_436L);
    model.change(random, 10, 0, 1);
    assertThat(addedCounts()).containsExactly(13_436L, 10L);
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      model.check(set, random);
    }
    // One manifest, its files, and the lock: nothing of the epochs between is left.
    Set<String> expected = new HashSet<>(Set.of("lock", "manifest.000017"));
    newest().files().forEach(file -> expected.add(file.name()));
    assertThat(files().keySet()).isEqualTo(expected);
  }

  @Test
  void a_set_of_format_1_opens_and_can_be_changed() throws Exception {
    SplittableRandom random = new SplittableRandom(15);
    Model model = Model.build(folder, random, 40);
    Path file = folder.resolve("manifest.000001");
    String text = Files.readString(file);
    String body = text.substring(text.indexOf('\n') + 1);
    String old =
        body.replaceFirst("\"epochs\":\\[[^\\]]*\\],", "")
            .replace("\"epoch\":1,", "")
            .replace("\"format\":3,", "");
    assertThat(old.length()).isLessThan(body.length() - 80);
    byte[] bytes = old.getBytes(StandardCharsets.UTF_8);
    Files.writeString(file, "SPELLSHIELD-SET 1 %s\n%s".formatted(sha256(bytes), old));
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      assertThat(set.manifest().epochs()).containsExactly(new Epoch(1, TIME, 40, 0, "built"));
      assertThat(ProtectedSetBuilder.changesSinceBuild(set.manifest())).isZero();
      model.check(set, random);
    }
    model.change(random, 10, 5, 1);
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      model.check(set, random);
      assertThat(set.manifest().epochs()).hasSize(2);
      assertThat(set.manifest().section("statistics").orElseThrow().path("epoch").intValue())
          .isEqualTo(1);
    }
  }

  @Test
  void a_change_of_balls_alone_is_an_epoch_that_writes_nothing_else() throws Exception {
    Model model = Model.build(folder, new SplittableRandom(17), 100);
    Map<String, String> before = files();
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
        editor.rescale("item-7", 2);
        editor.rescale("item-8", 3);
        editor.rescale("item-8", 1);
        assertThat(editor.rescaledCount()).isEqualTo(1);
        editor.commit(TIME, "wider");
      }
      Map<String, String> after = files();
      before.remove("manifest.000001");
      assertThat(after).containsAllEntriesOf(before);
      assertThat(after).hasSize(before.size() + 2).containsKeys("radii.000002", "manifest.000002");
      model.scales.put("item-7", 2f);
      try (ProtectedSet newer = set.refresh().orElseThrow()) {
        model.check(newer, new SplittableRandom(18));
      }
      try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
        editor.rescale("item-7", 1);
        editor.commit(TIME, "as all others");
      }
      assertThat(files().keySet()).noneMatch(name -> name.startsWith("radii"));
      model.scales.clear();
      try (ProtectedSet newest = set.refresh().orElseThrow()) {
        model.check(newest, new SplittableRandom(19));
        assertThat(newest.radiusScales()).isSameAs(RadiusScales.ONES);
      }
    }
  }

  private List<Long> addedCounts() throws IOException {
    return newest().files("sketch-more").stream().map(FileEntry::count).toList();
  }

  private Manifest newest() throws IOException {
    return Manifest.newest(DiskStorage.at(folder));
  }

  /// Returns the SHA-256 of every file of the folder.
  private Map<String, String> files() throws Exception {
    Map<String, String> hashes = new TreeMap<>();
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        hashes.put(
            folder.relativize(file).toString().replace('\\', '/'),
            sha256(Files.readAllBytes(file)));
      }
    }
    return hashes;
  }

  private static String sha256(byte[] bytes) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  /// A set on disk, and beside it what should be in it.
  private static final class Model {
    final Path path;
    final Precision precision;
    final Map<String, float[]> living = new LinkedHashMap<>();
    final Map<String, Float> scales = new TreeMap<>(); // of those that live and have not 1
    private int ids;

    Model(Path path) {
      this(path, Precision.FLOAT32);
    }

    Model(Path path, Precision precision) {
      this.path = path;
      this.precision = precision;
    }

    static Model build(Path path, SplittableRandom random, int count) throws IOException {
      Model model = new Model(path);
      model.commitBuild(model.draw(random, count, 1));
      return model;
    }

    Map<String, float[]> draw(SplittableRandom random, int count, float scale) {
      Map<String, float[]> items = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        items.put("item-" + ids++, gaussian(random, scale));
      }
      return items;
    }

    float[] latent(String id) {
      assertThat(living).containsKey(id);
      return living.getOrDefault(id, new float[0]);
    }

    void commitBuild(Map<String, float[]> items) throws IOException {
      try (ProtectedSetBuilder builder = ProtectedSetBuilder.begin(path, SPACE, precision)) {
        for (Map.Entry<String, float[]> item : items.entrySet()) {
          builder.add(new Item(item.getKey(), "source", "label"), item.getValue());
        }
        builder.commit(TIME);
      }
      living.putAll(items);
    }

    /// Removes, then adds, in one epoch.
    void commit(Map<String, float[]> added, Set<String> removed) throws IOException {
      try (ProtectedSetEditor editor = ProtectedSetEditor.begin(path, SPACE)) {
        for (String id : removed) {
          editor.remove(id);
          living.remove(id);
          scales.remove(id);
        }
        for (Map.Entry<String, float[]> item : added.entrySet()) {
          editor.add(new Item(item.getKey(), "source", "label"), item.getValue());
        }
        assertThat(editor.addedCount()).isEqualTo(added.size());
        assertThat(editor.removedCount()).isEqualTo(removed.size());
        editor.commit(TIME, "a change");
      }
      living.putAll(added);
    }

    void change(SplittableRandom random, int added, int removed, float scale) throws IOException {
      List<String> all = new ArrayList<>(living.keySet());
      Set<String> gone = new HashSet<>();
      while (gone.size() < Math.min(removed, all.size())) {
        gone.add(all.get(random.nextInt(all.size())));
      }
      commit(draw(random, added, scale), gone);
    }

    /// Makes some balls wider and some narrower, the widest ones of before as the others, and adds
    /// two with balls of their own.
    void rescale(SplittableRandom random) throws IOException {
      float[] choice = {0.25f, 0.5f, 2, 4, 0.7f, 1e-3f, 30};
      Map<String, float[]> added = draw(random, 2, 1);
      try (ProtectedSetEditor editor = ProtectedSetEditor.begin(path, SPACE)) {
        for (String id : living.keySet()) {
          if (random.nextInt(4) == 0 || scale(id) > 2) {
            float scale = scale(id) > 2 ? 1 : choice[random.nextInt(choice.length)];
            editor.rescale(id, scale);
            scales.put(id, scale);
          }
        }
        for (Map.Entry<String, float[]> item : added.entrySet()) {
          float scale = choice[random.nextInt(choice.length)];
          editor.add(new Item(item.getKey(), "source", "label"), item.getValue(), scale);
          scales.put(item.getKey(), scale);
        }
        editor.commit(TIME, "rescaled");
      }
      living.putAll(added);
      scales.values().removeIf(scale -> scale == 1);
    }

    double scale(String id) {
      return scales.getOrDefault(id, 1f);
    }

    void changeAtRandom(SplittableRandom random, int most) throws IOException {
      float scale = new float[] {1, 1, 3, 1e3f}[random.nextInt(4)];
      int half = living.size() / 2;
      switch (random.nextInt(7)) {
        case 0 -> compact();
        case 4, 5 -> rescale(random);
        case 1 -> change(random, random.nextInt(1, most), 0, scale);
        case 2 -> change(random, half > 0 ? 0 : 1, random.nextInt(half + 1) + 1, scale);
        case 3 -> change(random, 1, living.size(), 1); // all but what comes now
        default -> change(random, random.nextInt(1, most), random.nextInt(half + 1), scale);
      }
    }

    void compact() throws IOException {
      try (ProtectedSetBuilder builder = ProtectedSetBuilder.compacting(path)) {
        builder.commit(TIME, "compacted");
      }
    }

    /// Returns the bits and the rounding error of each latent, by id.
    Map<String, String> storedLatents() throws IOException {
      Map<String, String> stored = new TreeMap<>();
      try (ProtectedSet set = ProtectedSet.open(path)) {
        float[] latent = new float[DIM];
        set.living()
            .items()
            .forEach(item -> {
              double error = set.latents().read(item, latent);
              assertThat(error).isPositive();
              stored.put(set.item(item).id(), Arrays.toString(latent) + " ± " + error);
            });
      }
      return stored;
    }

    /// Draws queries on, near and between what lives, and anywhere.
    float[] queries(SplittableRandom random, int count) {
      float[] queries = new float[count * DIM];
      List<float[]> all = new ArrayList<>(living.values());
      for (int q = 0; q < count; q++) {
        float[] query = gaussian(random, 1);
        if (!all.isEmpty() && random.nextInt(4) > 0) {
          float[] at = all.get(random.nextInt(all.size()));
          float share = new float[] {0, 0.1f, 0.5f}[random.nextInt(3)];
          for (int i = 0; i < DIM; i++) {
            query[i] = at[i] + share * query[i];
          }
        }
        System.arraycopy(query, 0, queries, q * DIM, DIM);
      }
      return queries;
    }

    /// Compares an open set with this model, at several batches.
    void check(ProtectedSet set, SplittableRandom random) throws IOException {
      assertThat(set.count()).isEqualTo(living.size());
      Set<String> ids = new HashSet<>();
      set.living().items().forEach(item -> ids.add(set.item(item).id()));
      assertThat(ids).isEqualTo(living.keySet());
      Map<String, Float> found = new TreeMap<>();
      for (long item = 0; item < set.living().end(); item++) {
        if (set.radiusScales().of(item) != 1) {
          found.put(set.item(item).id(), (float) set.radiusScales().of(item));
        }
      }
      assertThat(found).isEqualTo(scales);
      assertThat(set.manifest().rescaledCount()).isEqualTo(scales.size());
      float[] queries = queries(random, 64);
      double radius = radius(random, queries);
      List<Neighborhood> all = set.exact().search(queries, 64, radius);
      for (int batch : new int[] {1, 3, 16}) {
        float[] part = Arrays.copyOfRange(queries, 0, batch * DIM);
        assertThat(set.exact().search(part, batch, radius)).isEqualTo(all.subList(0, batch));
      }
      checkBoth(set, queries, 64, radius);
      checkNearest(set, queries, 8);
    }

    /// Draws a radius, often exactly the distance of a query to something that lives.
    double radius(SplittableRandom random, float[] queries) {
      if (!living.isEmpty() && random.nextInt(3) > 0) {
        String id = new ArrayList<>(living.keySet()).get(random.nextInt(living.size()));
        double edge = distance(queries, random.nextInt(4), latent(id)) / scale(id);
        if (edge > 0) {
          return edge;
        }
      }
      return 0.1 + 4 * random.nextDouble();
    }

    void checkBoth(ProtectedSet set, float[] queries, int count, double radius) throws IOException {
      List<Neighborhood> exact = set.exact().search(queries, count, radius);
      List<Neighborhood> graph = set.hnsw().search(queries, count, radius);
      for (int q = 0; q < count; q++) {
        Neighborhood answer = exact.get(q);
        Set<String> found = ids(set, answer);
        assertThat(found).hasSize(answer.neighbors().size());
        assertThat(answer.neighbors()).isSortedAccordingTo(Neighbor.NEAREST_FIRST);
        assertThat(answer.neighbors()).containsAll(graph.get(q).neighbors());
        assertThat(graph.get(q).neighbors()).doesNotHaveDuplicates();
        double nearestOther = Double.POSITIVE_INFINITY;
        int inside = 0;
        for (Map.Entry<String, float[]> item : living.entrySet()) {
          double distance = distance(queries, q, item.getValue());
          boolean is = found.contains(item.getKey());
          inside += is ? 1 : 0;
          double scale = scale(item.getKey());
          if (distance <= scale * radius) {
            assertThat(is).as("%s at %s", item.getKey(), distance).isTrue();
          } else if (distance > scale * radius * (1 + 2 * MARGIN)) {
            assertThat(is).as("%s at %s", item.getKey(), distance).isFalse();
          }
          nearestOther = is ? nearestOther : Math.min(nearestOther, distance / scale);
        }
        assertThat(inside).as("only what lives").isEqualTo(found.size());
        assertThat(answer.clearance()).isLessThanOrEqualTo(nearestOther * (1 + MARGIN));
      }
    }

    void checkNearest(ProtectedSet set, float[] queries, int count) {
      List<Optional<Neighbor>> nearest = set.exact().nearest(queries, count);
      for (int q = 0; q < count; q++) {
        double least = Double.POSITIVE_INFINITY;
        for (Map.Entry<String, float[]> item : living.entrySet()) {
          double distance = distance(queries, q, item.getValue());
          least = Math.min(least, distance / scale(item.getKey()));
        }
        assertThat(nearest.get(q).isPresent()).isEqualTo(!living.isEmpty());
        if (nearest.get(q).isPresent()) {
          Neighbor neighbor = nearest.get(q).get();
          assertThat(set.living().contains(neighbor.item())).isTrue();
          assertThat(neighbor.reachedAt()).isBetween(least * (1 - MARGIN), least * (1 + MARGIN));
          String id = set.item(neighbor.item()).id();
          assertThat(distance(queries, q, latent(id)) / scale(id))
              .isBetween(least * (1 - MARGIN), least * (1 + MARGIN));
        }
      }
    }
  }

  private static Set<String> ids(ProtectedSet set, Neighborhood answer) {
    Set<String> ids = new HashSet<>();
    answer.neighbors().forEach(neighbor -> ids.add(set.item(neighbor.item()).id()));
    return ids;
  }

  private static float[] meanOf(Iterable<float[]> latents) {
    double[] sum = new double[DIM];
    int count = 0;
    for (float[] latent : latents) {
      count++;
      for (int i = 0; i < DIM; i++) {
        sum[i] += latent[i];
      }
    }
    float[] mean = new float[DIM];
    for (int i = 0; i < DIM; i++) {
      mean[i] = (float) (sum[i] / count);
    }
    return mean;
  }

  private static float[] gaussian(SplittableRandom random, float scale) {
    float[] values = new float[DIM];
    for (int i = 0; i < DIM; i++) {
      values[i] = scale * (float) random.nextGaussian();
    }
    return values;
  }

  private static double distance(float[] queries, int q, float[] latent) {
    double sum = 0;
    for (int i = 0; i < DIM; i++) {
      double difference = (double) queries[q * DIM + i] - latent[i];
      sum += difference * difference;
    }
    return Math.sqrt(sum);
  }
}
