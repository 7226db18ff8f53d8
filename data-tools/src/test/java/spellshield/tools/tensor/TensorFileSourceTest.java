package spellshield.tools.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.Seeds;

/// What NumPy and safetensors wrote is read; what they would not have written is refused.
class TensorFileSourceTest {
  private static final Path WRITTEN_BY_PYTHON = Path.of("src/test/resources/containers");

  @TempDir private Path folder = Path.of("");

  /// `(np.arange(24).reshape(2, 3, 2, 2) / 8 - 1).astype(np.float32)`, row by row.
  private static float[] row(int row) {
    float[] values = new float[12];
    for (int i = 0; i < 12; i++) {
      values[i] = (row * 12 + i) / 8f - 1;
    }
    return values;
  }

  private static List<float[]> rows(TensorFile file, String name) throws IOException {
    List<float[]> rows = new ArrayList<>();
    try (Tensor tensor = file.open(name)) {
      for (long i = 0; i < tensor.shape().rows(); i++) {
        rows.add(tensor.nextFloats());
      }
    }
    return rows;
  }

  @Test
  void arrays_of_numpy_are_read() throws Exception {
    for (String name : List.of("float32.npy", "float16.npy", "stored.npz", "packed.npz")) {
      TensorFile file = TensorFile.numpy(WRITTEN_BY_PYTHON.resolve(name));
      String array = file.tensors().firstEntry().getKey();
      assertThat(file.tensors().firstEntry().getValue().shape())
          .isEqualTo(name.equals("float16.npy") ? new Shape(2, 12) : new Shape(2, 3, 2, 2));
      assertThat(rows(file, array)).as(name).containsExactly(row(0), row(1));
    }
    TensorFile stored = TensorFile.numpy(WRITTEN_BY_PYTHON.resolve("stored.npz"));
    assertThat(stored.tensors().sequencedKeySet()).containsExactly("latents", "labels");
    try (Tensor labels = stored.open("labels")) {
      assertThat(labels.longs(2)).containsExactly(7, 3);
    }
    try (Tensor labels = stored.open("labels")) {
      assertThatThrownBy(() -> labels.longs(1)).hasMessageContaining("at most 1 are read");
    }
  }

  @Test
  void arrays_of_safetensors_are_read() throws Exception {
    TensorFile one = TensorFile.safetensors(WRITTEN_BY_PYTHON.resolve("one.safetensors"));
    assertThat(rows(one, "latents")).containsExactly(row(0), row(1));
    TensorFile named = TensorFile.safetensors(WRITTEN_BY_PYTHON.resolve("named.safetensors"));
    assertThat(named.tensors().sequencedKeySet()).containsExactlyInAnyOrder("cat", "dog");
    try (Tensor dog = named.open("dog")) {
      assertThat(dog.floats()).containsExactly(row(1));
    }
  }

  @Test
  void rows_can_be_jumped_over() throws Exception {
    TensorFile packed = TensorFile.numpy(WRITTEN_BY_PYTHON.resolve("packed.npz"));
    try (Tensor tensor = packed.open("latents")) {
      tensor.skip(1);
      assertThat(tensor.nextFloats()).containsExactly(row(1));
      assertThatThrownBy(tensor::nextFloats).isInstanceOf(BadTensorException.class);
    }
  }

  @Test
  void pickles_other_orders_and_other_types_are_refused_by_name() {
    refuse("pickle.npy", "Python objects (a pickle)");
    refuse("fortran.npy", "Fortran's order");
    refuse("big-endian.npy", "values of type '>f4'");
  }

  private static void refuse(String name, String why) {
    Path file = WRITTEN_BY_PYTHON.resolve(name);
    assertThatThrownBy(() -> TensorFile.numpy(file))
        .isInstanceOf(BadTensorException.class)
        .hasMessageContainingAll(name, why);
  }

  private Path npy(String header, int values) throws IOException {
    ByteBuffer out =
        ByteBuffer.allocate(10 + header.length() + values).order(ByteOrder.LITTLE_ENDIAN);
    out.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
    out.putShort((short) header.length()).put(header.getBytes(StandardCharsets.ISO_8859_1));
    return Files.write(folder.resolve("x.npy"), out.array());
  }

  @Test
  void a_shape_that_does_not_fill_its_file_is_refused_before_anything_is_allocated()
      throws Exception {
    for (String shape :
        List.of(
            "(8589934592,)", // 32 GiB
            "(4294967296, 4294967296)", // 2^64
            "(9223372036854775807, 9223372036854775807, 3)",
            "(99999999999999999999,)",
            "(1000000000000000000, 0)", // any number of rows of nothing
            "(0, 1000000000000)",
            "(3,)",
            "(1, 1, 1, 1, 1, 1, 1, 1, 2)",
            "(-2,)",
            "(2, x)")) {
      Path file = npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }\n", 8);
      assertThatThrownBy(() -> TensorFile.numpy(file))
          .as(shape)
          .isInstanceOf(BadTensorException.class)
          .hasMessageStartingWith(file + ": ");
    }
    Path good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", 8);
    assertThat(TensorFile.numpy(good).tensors()).hasSize(1);
  }

  @Test
  void headers_that_would_be_evaluated_are_refused() throws Exception {
    for (String header :
        List.of(
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os'),), }\n",
            "__import__('os').system('x')\n",
            "")) {
      Path file = npy(header, 4);
      assertThatThrownBy(() -> TensorFile.numpy(file)).isInstanceOf(BadTensorException.class);
    }
    Path huge =
        Files.write(
            folder.resolve("h.npy"),
            Arrays.copyOf(
                new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, -1, -1, -1, 127}, 64));
    assertThatThrownBy(() -> TensorFile.numpy(huge))
        .hasMessageContaining("a header of 2,147,483,647 bytes, but at most 10,000");
  }

  private static final long FITTING = -1;

  private Path safetensors(long length, String header, int values) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(8 + text.length + values).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(length == FITTING ? text.length : length).put(text);
    return Files.write(folder.resolve("x.safetensors"), out.array());
  }

  @Test
  void a_header_of_ten_gigabytes_is_refused_before_it_is_read() throws Exception {
    for (long length : new long[] {10L << 30, Long.MAX_VALUE, Long.MIN_VALUE + 5, 0, 1, 100}) {
      Path file = safetensors(length, "{}", 0);
      assertThatThrownBy(() -> TensorFile.safetensors(file))
          .isInstanceOf(BadTensorException.class)
          .hasMessageContaining("a header of %s bytes".formatted(Long.toUnsignedString(length)));
    }
  }

  @Test
  void holes_overlaps_and_shapes_that_do_not_fit_are_refused() throws Exception {
    String a = "\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 8]}";
    for (String header :
        List.of(
            "{" + a + "}", // 8 bytes more follow
            "{" + a + ", \"b\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [12, 16]}}",
            "{" + a + ", \"b\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [4, 16]}}",
            "{" + a + ", \"b\": {\"dtype\": \"F32\", \"shape\": [0], \"data_offsets\": [8, 8]}}",
            "{" + a + ", \"b\": {\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [8, 16]}}",
            "{" + a + ", \"b\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [8, 24]}}",
            "{" + a + ", \"b\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [16, 8]}}",
            "{" + a + ", \"b\": {\"dtype\": \"F32\", \"shape\": [2.0], \"data_offsets\": [8, 16]}}",
            "{" + a + ", \"b\": {\"dtype\": \"F32\", \"shape\": [-2], \"data_offsets\": [8, 16]}}",
            "{" + a + ", \"b\": {\"shape\": [2], \"data_offsets\": [8, 16]}}",
            "{" + a + ", " + a + "}",
            "{" + a + ", \"b\": 3}",
            "[]",
            "{\"a\": ",
            "{\"a\": " + "[".repeat(500) + "]".repeat(500) + "}")) {
      Path file = safetensors(FITTING, header, 16);
      assertThatThrownBy(() -> TensorFile.safetensors(file))
          .as(header)
          .isInstanceOf(BadTensorException.class)
          .hasMessageContaining("x.safetensors");
    }
  }

  @Test
  void whatever_the_bytes_are_it_ends_with_values_or_one_line() throws Exception {
    List<Path> good;
    try (var files = Files.list(WRITTEN_BY_PYTHON)) {
      good =
          files.filter(f -> f.toString().matches(".*\\.(npy|npz|safetensors)")).sorted().toList();
    }
    Seeds.check(
        3_000,
        random -> {
          Path one = good.get(random.nextInt(good.size()));
          byte[] bytes = Files.readAllBytes(one);
          ByteArrayOutputStream bad = new ByteArrayOutputStream();
          int cut = random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length;
          bad.write(bytes, 0, cut);
          byte[] mutated = bad.toByteArray();
          for (int i = random.nextInt(5); i > 0 && mutated.length > 0; i--) {
            mutated[random.nextInt(mutated.length)] = (byte) random.nextInt(256);
          }
          Path file = Files.write(folder.resolve("fuzz"), mutated);
          try {
            TensorFile tensors =
                one.toString().endsWith("safetensors")
                    ? TensorFile.safetensors(file)
                    : TensorFile.numpy(file);
            for (String name : tensors.tensors().keySet()) {
              rows(tensors, name);
            }
          } catch (BadTensorException e) {
            assertThat(String.valueOf(e.getMessage()).lines()).hasSize(1);
            assertThat(e).hasMessageContaining(file.toString());
          }
        });
  }
}
