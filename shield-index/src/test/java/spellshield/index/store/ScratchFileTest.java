package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.JsonNodeFactory;

class ScratchFileTest {
  private static final LatentSpace SPACE = new LatentSpace("pixels", 1, 1, 3);
  private static final float[] LATENT = {1, 2, 3};

  @Test
  void what_was_written_is_mapped_and_gone_after_the_close(@TempDir Path folder)
      throws IOException {
    for (Storage storage : new Storage[] {DiskStorage.at(folder), new MemoryStorage()}) {
      byte[] bytes = new byte[100_000];
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = (byte) (i * 31);
      }
      try (SetWriter writer = SetWriter.begin(storage, SPACE, Precision.FLOAT32)) {
        try (ScratchFile file = writer.scratch("sketch")) {
          file.write(ByteBuffer.wrap(bytes, 0, 70_000));
          file.write(ByteBuffer.wrap(bytes, 70_000, 30_000));
          assertThat(file.map().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(bytes);
          assertThat(storage.list()).contains("scratch-sketch.000001");
        }
        assertThat(storage.list()).noneMatch(name -> name.startsWith("scratch"));
        try (ScratchFile empty = writer.scratch("sketch")) {
          assertThat(empty.map().byteSize()).isZero();
        }
      }
    }
  }

  @Test
  void a_full_disk_is_said_and_what_was_written_is_deleted() throws IOException {
    MemoryStorage memory = new MemoryStorage();
    Storage full =
        new FilterStorage(memory) {
          @Override
          public Output create(String name) throws IOException {
            return new FilterOutput(memory.create(name)) {
              @Override
              public int write(ByteBuffer bytes) throws IOException {
                return name.startsWith("scratch") ? 0 : super.write(bytes);
              }
            };
          }
        };
    try (SetWriter writer = SetWriter.begin(full, SPACE, Precision.FLOAT32)) {
      try (ScratchFile file = writer.scratch("sketch")) {
        assertThatThrownBy(() -> file.write(ByteBuffer.allocate(7)))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("scratch-sketch.000001: the disk has no room for the 7 bytes");
      }
      assertThat(memory.list()).doesNotContain("scratch-sketch.000001");
      writer.add(new Item("a", "", ""), LATENT);
      assertThat(writer.commit(Map.of(), SampleSet.CREATED).count()).isOne();
    }
  }

  @Test
  void what_a_killed_writer_left_is_cleared_away_by_the_next_one() throws IOException {
    MemoryStorage storage = new MemoryStorage();
    SetWriter killed = SetWriter.begin(storage, SPACE, Precision.FLOAT32);
    killed.add(new Item("a", "", ""), LATENT);
    killed.checkpoint(JsonNodeFactory.instance.objectNode());
    killed.scratch("sketch").write(ByteBuffer.allocate(100));
    storage.kill();
    assertThat(storage.list()).contains("scratch-sketch.000001");
    try (SetWriter next = SetWriter.resume(storage, SetWriter.SHARD_BYTES)) {
      assertThat(storage.list()).doesNotContain("scratch-sketch.000001");
      assertThat(next.commit(Map.of(), SampleSet.CREATED).count()).isOne();
    }
    SetWriter.extend(storage, SetWriter.SHARD_BYTES).scratch("sketch");
    storage.kill();
    SetWriter.begin(storage, SPACE, Precision.FLOAT32).close();
    assertThat(storage.list()).noneMatch(name -> name.startsWith("scratch"));
    try (LatentStore set = LatentStore.open(storage, Verification.FULL)) {
      assertThat(set.count()).isOne();
    }
  }

  @Test
  void a_further_file_of_the_set_cannot_have_its_name() throws IOException {
    try (SetWriter writer = SetWriter.begin(new MemoryStorage(), SPACE, Precision.FLOAT32)) {
      assertThatThrownBy(() -> writer.file("sketch", "scratch-sketch"))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
