package spellshield.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.lucene.index.CheckIndex;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexInput;
import org.apache.lucene.store.IndexOutput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.search.HnswSearch;
import spellshield.index.sketch.Sketcher;
import spellshield.index.sketch.Sketches;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.index.store.SetWriter;

class GraphDirectoryTest {
  private static final LatentSpace SPACE = new LatentSpace("test", 1, 1, 6);

  @TempDir private Path folder;

  @Test
  void what_lucene_writes_can_be_read_at_once_and_becomes_the_generation() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    float[] values = new float[2000 * 6];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    LatentReader latents = LatentReader.of(values, 6);
    Sketches sketches = Sketches.of(Sketcher.fit(latents, 3, 2), latents);
    List<String> written;
    Manifest manifest;
    try (SetWriter writer = begin()) {
      try (GraphDirectory directory = new GraphDirectory(writer)) {
        HnswSearch.build(sketches, directory);
        try (DirectoryReader reader = DirectoryReader.open(directory)) {
          assertThat(reader.numDocs()).isEqualTo(2000);
        }
        try (CheckIndex check = new CheckIndex(directory)) {
          assertThat(check.checkIndex().clean).isTrue();
        }
        written = List.of(directory.listAll());
        for (String name : written) {
          Path file = folder.resolve("hnsw.000001").resolve(name);
          try (IndexInput in = directory.openInput(name, IOContext.READONCE)) {
            byte[] bytes = new byte[Math.toIntExact(in.length())];
            in.readBytes(bytes, 0, bytes.length);
            assertThat(bytes).isEqualTo(Files.readAllBytes(file));
            assertThat(directory.fileLength(name)).isEqualTo(bytes.length);
          }
        }
      }
      manifest = writer.commit(Map.of(), Instant.EPOCH);
    }
    assertThat(written).anyMatch(name -> name.endsWith(".vex")).contains("segments_1");
    assertThat(manifest.files("hnsw"))
        .extracting(file -> file.name().replace("hnsw.000001/", ""))
        .containsExactlyInAnyOrderElementsOf(written);
  }

  @Test
  void what_is_deleted_or_renamed_again_reaches_no_disk() throws IOException {
    try (SetWriter writer = begin();
        GraphDirectory directory = new GraphDirectory(writer)) {
      String temporary;
      try (IndexOutput out = directory.createTempOutput("_0", "ids", IOContext.DEFAULT)) {
        temporary = out.getName();
        out.writeInt(1);
      }
      try (IndexOutput out = directory.createOutput("pending_segments_1", IOContext.DEFAULT)) {
        out.writeInt(2);
      }
      assertThat(directory.listAll()).containsExactly(temporary, "pending_segments_1");
      assertThat(folder.resolve("hnsw.000001")).doesNotExist();
      directory.rename("pending_segments_1", "segments_1");
      directory.deleteFile(temporary);
      assertThat(directory.listAll()).containsExactly("segments_1");
      assertThat(folder.resolve("hnsw.000001/segments_1")).hasSize(4);
      assertThatThrownBy(() -> directory.openInput(temporary, IOContext.READONCE))
          .isInstanceOfAny(NoSuchFileException.class, FileNotFoundException.class);
    }
  }

  @Test
  void a_file_that_is_not_closed_cannot_be_read() throws IOException {
    try (SetWriter writer = begin();
        GraphDirectory directory = new GraphDirectory(writer);
        IndexOutput out = directory.createOutput("_0.vec", IOContext.DEFAULT)) {
      out.writeInt(1);
      assertThatThrownBy(() -> directory.openInput("_0.vec", IOContext.READONCE))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(
              "'hnsw.000001/_0.vec' was not written by this build, or not closed");
    }
  }

  private SetWriter begin() throws IOException {
    return SetWriter.begin(DiskStorage.at(folder), SPACE, Precision.FLOAT32);
  }
}
