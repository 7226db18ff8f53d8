package spellshield.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.store.DamagedSetException;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.index.store.SetWriter;
import spellshield.index.store.Storage;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class CoverageTest {
  private static final LatentSpace SPACE = new LatentSpace("test-v1", 1, 1, 4);
  private static final Coverage COVERAGE =
      new Coverage(
          1,
          1.5,
          0.3,
          List.of(
              new Coverage.Edit("jpeg:75", 500, 500, true),
              new Coverage.Edit("mirror", 500, 15, false)),
          400,
          10);

  @TempDir private Path folder = Path.of("");

  private void build() throws IOException {
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder, SPACE, Precision.FLOAT32)) {
      builder.add(new Item("a", "", ""), new float[] {1, 2, 3, 4});
      builder.add(new Item("b", "", ""), new float[] {4, 3, 2, 1});
      builder.commit(Instant.EPOCH);
    }
  }

  @Test
  void what_a_radius_covers_is_an_epoch_of_its_own_and_outlives_changes() throws IOException {
    build();
    try (ProtectedSet before = ProtectedSet.open(folder)) {
      assertThat(before.coverage()).isEmpty();
      try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
        editor.cover(COVERAGE);
        editor.commit(Instant.EPOCH, "calibrated");
      }
      try (ProtectedSet after = before.refresh().orElseThrow()) {
        assertThat(after.coverage()).hasValue(COVERAGE);
        assertThat(after.epoch()).isEqualTo(2);
        assertThat(after.count()).isEqualTo(2);
        assertThat(after.statistics()).isEqualTo(before.statistics());
        assertThat(after.manifest().epochs().getLast().reason()).isEqualTo("calibrated");
      }
    }
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
      editor.remove("a");
      editor.commit(Instant.EPOCH, "removed");
    }
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      assertThat(set.coverage()).hasValue(COVERAGE);
    }
    try (ProtectedSetBuilder builder = ProtectedSetBuilder.compacting(folder)) {
      builder.commit(Instant.EPOCH, "compacted");
    }
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      // One latent is left, and no distance of two to be a share of.
      assertThat(set.coverage()).isEmpty();
    }
  }

  @Test
  void compaction_keeps_the_radius_and_says_what_share_it_is_now() throws IOException {
    build();
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder, SPACE)) {
      editor.add(new Item("c", "", ""), new float[] {9, 9, 9, 9});
      editor.cover(COVERAGE);
      editor.commit(Instant.EPOCH, "");
    }
    try (ProtectedSetBuilder builder = ProtectedSetBuilder.compacting(folder)) {
      builder.commit(Instant.EPOCH, "compacted");
    }
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      double typical = set.statistics().typicalDistance();
      assertThat(set.coverage())
          .hasValue(new Coverage(1, 1.5, 1.5 / typical, COVERAGE.edits(), 400, 10));
    }
  }

  @Test
  void a_set_built_anew_has_none() throws IOException {
    build();
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
      editor.cover(COVERAGE);
      editor.commit(Instant.EPOCH, "");
    }
    build();
    try (ProtectedSet set = ProtectedSet.open(folder)) {
      assertThat(set.coverage()).isEmpty();
    }
  }

  @Test
  void the_section_reads_as_the_format_page_says() throws IOException {
    build();
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(folder)) {
      editor.cover(COVERAGE);
      editor.commit(Instant.EPOCH, "");
    }
    assertThat(Manifest.newest(DiskStorage.at(folder)).section("coverage").orElseThrow())
        .hasToString(
            "{\"epoch\":1,\"radius\":1.5,\"share\":0.3,\"edits\":["
                + "{\"edit\":\"jpeg:75\",\"copies\":500,\"caught\":500,\"covered\":true},"
                + "{\"edit\":\"mirror\",\"copies\":500,\"caught\":15,\"covered\":false}],"
                + "\"heldOut\":400,\"blocked\":10}");
  }

  @Test
  void it_reads_in_one_line() {
    assertThat(COVERAGE)
        .hasToString(
            "at 0.30 of typical (1.5000) jpeg:75 100.0 % (99.3–100.0); not mirror 3.0 % (1.7–4.9);"
                + " 2.5 % (1.2–4.5) of 400 other items blocked; measured at epoch 1");
  }

  @Test
  void only_a_wider_radius_is_warned_of() {
    assertThat(COVERAGE.warning(1.5)).isEmpty();
    assertThat(COVERAGE.warning(Math.nextUp(1.5)))
        .hasValue(
            "the radius 1.5000 is wider than the recommended 1.5000; expect more than 2.5 %"
                + " (1.2–4.5) of innocent pictures to be kept away from");
  }

  @Test
  void a_section_that_cannot_be_is_damage() throws IOException {
    for (String section :
        new String[] {
          "{}",
          "[]",
          "7",
          "{\"epoch\":1,\"radius\":-1,\"share\":0.3,\"edits\":[],\"heldOut\":4,\"blocked\":1}",
          "{\"epoch\":1,\"radius\":1,\"share\":0.3,\"edits\":[],\"heldOut\":4,\"blocked\":5}",
          "{\"epoch\":1,\"radius\":1,\"share\":0.3,\"edits\":[{}],\"heldOut\":4,\"blocked\":1}",
          "{\"epoch\":\"1\",\"radius\":1,\"share\":0.3,\"edits\":[],\"heldOut\":4,\"blocked\":1}"
        }) {
      Storage storage = DiskStorage.at(folder);
      JsonNode node = JsonMapper.shared().readTree(section);
      try (SetWriter writer = SetWriter.begin(storage, SPACE, Precision.FLOAT32)) {
        writer.commit(Map.of("coverage", node), Instant.EPOCH);
      }
      Manifest manifest = Manifest.newest(storage);
      assertThatThrownBy(() -> Coverage.of(manifest))
          .as(section)
          .isInstanceOf(DamagedSetException.class)
          .hasMessageContaining("section 'coverage'");
    }
  }

  @Test
  void counts_that_cannot_be_and_names_that_are_no_line_are_refused() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Coverage.Edit("a", 3, 4, true));
    assertThatIllegalArgumentException().isThrownBy(() -> new Coverage.Edit("a", 0, 0, true));
    assertThatIllegalArgumentException().isThrownBy(() -> new Coverage.Edit("a\nb", 1, 1, true));
  }
}
