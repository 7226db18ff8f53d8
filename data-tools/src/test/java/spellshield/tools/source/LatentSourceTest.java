package spellshield.tools.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.Seeds;
import spellshield.tools.source.LatentSource.Entry;
import spellshield.tools.testing.Containers;

class LatentSourceTest {
  private static final Path WRITTEN_BY_PYTHON = Path.of("src/test/resources/containers");

  @TempDir private Path folder = Path.of("");

  private static LatentSource open(Path file) throws IOException {
    return LatentSource.open(file, SourceKind.sniff(file));
  }

  private static List<Entry> entries(LatentSource source, long from) {
    try (Stream<Entry> entries = source.latents(from)) {
      return entries.toList();
    }
  }

  private static List<String> lines(LatentSource source, long from) {
    return entries(source, from).stream()
        .map(entry ->
            switch (entry) {
              case Entry.Latent(var origin, float[] values) ->
                  origin.id() + " " + origin.label() + " " + values[0];
              case Entry.Unreadable(var origin, String reason) -> reason;
            })
        .toList();
  }

  @Test
  void rows_of_one_array_are_latents_with_their_labels() throws Exception {
    LatentSource one = open(WRITTEN_BY_PYTHON.resolve("one.safetensors"));
    assertThat(one.shape()).containsExactly(3, 2, 2);
    assertThat(one.description()).endsWith("2 of [3, 2, 2], with labels");
    assertThat(lines(one, 0)).containsExactly("one/0 7 -1.0", "one/1 3 0.5");
    assertThat(lines(one, 1)).containsExactly("one/1 3 0.5");
    assertThat(lines(one, 2)).isEmpty();
    assertThat(lines(open(WRITTEN_BY_PYTHON.resolve("stored.npz")), 0))
        .containsExactly("stored/0 7 -1.0", "stored/1 3 0.5");
    assertThat(lines(open(WRITTEN_BY_PYTHON.resolve("float32.npy")), 1))
        .containsExactly("float32/1  0.5");
    LatentSource flat = open(WRITTEN_BY_PYTHON.resolve("float16.npy"));
    assertThat(flat.shape()).containsExactly(12);
  }

  @Test
  void named_arrays_are_a_latent_each() throws Exception {
    LatentSource named = open(WRITTEN_BY_PYTHON.resolve("named.safetensors"));
    assertThat(named.shape()).containsExactly(3, 2, 2);
    assertThat(lines(named, 0)).containsExactlyInAnyOrder("cat  -1.0", "dog  0.5");
    assertThat(lines(named, 1)).hasSize(1);
  }

  private static byte[] npy(float[] values, int... shape) {
    String extents = Arrays.toString(shape).replace("[", "").replace("]", ",");
    String header =
        "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }\n".formatted(extents);
    ByteBuffer out =
        ByteBuffer.allocate(10 + header.length() + 4 * values.length)
            .order(ByteOrder.LITTLE_ENDIAN);
    out.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    out.putShort((short) header.length()).put(header.getBytes(StandardCharsets.ISO_8859_1));
    for (float value : values) {
      out.putFloat(value);
    }
    return out.array();
  }

  @Test
  void values_that_are_none_are_entries_with_a_reason() throws Exception {
    float[] values = {1, 2, Float.NaN, 4, 5, Float.NEGATIVE_INFINITY, 7, 8};
    LatentSource source = open(Files.write(folder.resolve("x.npy"), npy(values, 4, 2)));
    assertThat(lines(source, 0))
        .containsExactly(
            "x/0  1.0",
            folder.resolve("x.npy") + "[1]: value 0 is NaN; encode the picture again",
            folder.resolve("x.npy") + "[2]: value 1 is -Infinity; encode the picture again",
            "x/3  7.0");
  }

  @Test
  void arrays_of_other_forms_are_refused() throws Exception {
    for (int[] shape : new int[][] {{8}, {0, 8}, {1, 2, 2, 2, 1}}) {
      int count = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
      Path file = Files.write(folder.resolve("x.npy"), npy(new float[count], shape));
      if (shape.length == 1) {
        assertThat(open(file).count()).hasValue(1); // a single latent of 8 values
      } else {
        assertThatThrownBy(() -> open(file))
            .as(Arrays.toString(shape))
            .hasMessageContaining("x.npy");
      }
    }
    assertThatThrownBy(() -> LatentSource.open(folder, SourceKind.FOLDER))
        .hasMessageContaining("not latents");
    assertThatThrownBy(() -> ImageSource.open(WRITTEN_BY_PYTHON.resolve("float32.npy")))
        .hasMessageContaining("not pictures");
  }

  @Test
  void edm2s_latents_are_the_normalised_means() throws Exception {
    SplittableRandom random = new SplittableRandom(4);
    SequencedMap<String, byte[]> members = new LinkedHashMap<>();
    float[][] stored = new float[5][8 * 6];
    StringBuilder labels = new StringBuilder("{\"labels\": [");
    for (int k = 0; k < 5; k++) {
      for (int i = 0; i < stored[k].length; i++) {
        stored[k][i] = (float) (10 * random.nextGaussian());
      }
      String name = "00000/img-mean-std-%08d.npy".formatted(k);
      members.put(name, npy(stored[k], 8, 2, 3));
      labels.append(k == 0 ? "" : ", ").append("[\"%s\", %d]".formatted(name, 100 + k));
    }
    members.put("dataset.json", labels.append("]}").toString().getBytes(StandardCharsets.UTF_8));
    Path zip = Containers.zip(folder.resolve("img512-sd"), members, true);
    assertThat(SourceKind.sniff(zip)).isEqualTo(SourceKind.EDM2_ZIP);
    LatentSource source = open(zip);
    assertThat(source.shape()).containsExactly(4, 2, 3);
    assertThat(source.count()).hasValue(5);
    assertThat(source.space().orElseThrow()).startsWith("edm2-v1 3x2x4 vae=sd-vae-ft-mse");
    double[] mean = {5.81, 3.25, .12, -2.15};
    double[] std = {4.17, 4.62, 3.71, 3.28};
    List<Entry> entries = entries(source, 0);
    for (int k = 0; k < 5; k++) {
      Entry.Latent latent = (Entry.Latent) entries.get(k);
      assertThat(latent.origin().id()).isEqualTo("00000/img-mean-std-%08d.npy".formatted(k));
      assertThat(latent.origin().label()).isEqualTo(Integer.toString(100 + k));
      for (int c = 0; c < 4; c++) {
        for (int i = 0; i < 6; i++) {
          double z = (stored[k][c * 6 + i] - mean[c]) / std[c] * 0.5;
          // One rounding to float32: half an ulp.
          assertThat((double) latent.values()[c * 6 + i])
              .isCloseTo(z, Offset.offset(Math.ulp((float) z) / 2.0));
        }
      }
    }
    assertThat(lines(source, 3)).hasSize(2).first().asString().contains("00000003.npy 103");
  }

  @Test
  void latents_of_edm2_that_are_damaged_or_of_another_shape_are_entries_with_a_reason()
      throws Exception {
    SequencedMap<String, byte[]> members = new LinkedHashMap<>();
    members.put("00000/img-mean-std-00000000.npy", npy(new float[8 * 4], 8, 2, 2));
    members.put("00000/img-mean-std-00000001.npy", npy(new float[8 * 6], 8, 2, 3));
    members.put("00000/img-mean-std-00000002.npy", new byte[30]);
    members.put("../img-mean-std-00000003.npy", npy(new float[8 * 4], 8, 2, 2));
    members.put("00000/img-mean-std-00000004.npy", npy(new float[8 * 4], 8, 2, 2));
    List<String> lines = lines(open(Containers.zip(folder.resolve("x"), members, true)), 0);
    assertThat(lines).hasSize(5);
    assertThat(lines.get(0)).startsWith("00000/img-mean-std-00000000.npy ");
    assertThat(lines.get(1)).contains("FLOAT32[8, 2, 3], but the first one is FLOAT32[8, 2, 2]");
    assertThat(lines.get(2)).contains("00000002.npy: no .npy file");
    assertThat(lines.get(3)).contains("leads out of the container");
    assertThat(lines.get(4)).startsWith("00000/img-mean-std-00000004.npy ");
  }

  @Test
  void whatever_the_bytes_are_it_ends_with_entries_or_one_line() throws Exception {
    SequencedMap<String, byte[]> members = new LinkedHashMap<>();
    members.put("00000/img-mean-std-00000000.npy", npy(new float[8 * 4], 8, 2, 2));
    members.put("00000/img-mean-std-00000001.npy", npy(new float[8 * 4], 8, 2, 2));
    members.put(
        "dataset.json",
        "{\"labels\": [[\"00000/img-mean-std-00000000.npy\", 1]]}"
            .getBytes(StandardCharsets.UTF_8));
    byte[] whole = Files.readAllBytes(Containers.zip(folder.resolve("x"), members, false));
    Seeds.check(
        400,
        random -> {
          byte[] bad = whole.clone();
          for (int i = random.nextInt(1, 8); i > 0; i--) {
            bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
          }
          Path file = Files.write(folder.resolve("fuzz"), bad);
          try {
            assertThat(lines(LatentSource.open(file, SourceKind.EDM2_ZIP), 0))
                .allMatch(line -> line.lines().count() <= 1);
          } catch (IOException e) {
            assertThat(String.valueOf(e.getMessage()).lines()).hasSize(1);
            assertThat(e).hasMessageContaining("fuzz");
          }
        });
  }
}
