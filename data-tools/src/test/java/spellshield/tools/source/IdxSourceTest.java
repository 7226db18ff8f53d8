package spellshield.tools.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.sampler.image.RgbImage;

class IdxSourceTest {
  private static final byte[] IMAGES = idx(0x803, new int[] {12, 2, 3}, counting(72));
  private static final byte[] LABELS = idx(0x801, new int[] {12}, counting(12));

  @TempDir Path folder;

  private static byte[] counting(int count) {
    byte[] values = new byte[count];
    for (int i = 0; i < count; i++) {
      values[i] = (byte) i;
    }
    return values;
  }

  private static byte[] idx(int magic, int[] extents, byte[] values) {
    ByteBuffer file = ByteBuffer.allocate(4 + 4 * extents.length + values.length).putInt(magic);
    for (int extent : extents) {
      file.putInt(extent);
    }
    return file.put(values).array();
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  private Path write(String name, byte[] content) throws IOException {
    return Files.write(folder.resolve(name), content);
  }

  private static List<ImageSource.Entry> entries(ImageSource source) {
    try (Stream<ImageSource.Entry> entries = source.entries()) {
      return entries.toList();
    }
  }

  @Test
  void pictures_come_with_their_labels_zipped_or_not() throws Exception {
    Path images = write("train-images-idx3-ubyte.gz", gzip(IMAGES));
    write("train-labels-idx1-ubyte", LABELS);
    ImageSource source = ImageSource.open(images);
    assertThat(source.count()).hasValue(12);
    assertThat(source.description()).endsWith("12 grey pictures of 3×2, with labels");
    ImageSource.Entry last = entries(source).get(11);
    assertThat(last.origin().id()).isEqualTo("train-images/11");
    assertThat(last.origin().label()).isEqualTo("11");
    assertThat(last)
        .isEqualTo(
            new ImageSource.Entry.Picture(
                last.origin(), new RgbImage(3, 2, 1, Arrays.copyOfRange(counting(72), 66, 72))));
    assertThat(entries(source).get(3).origin().id()).isEqualTo("train-images/03");
  }

  @Test
  void labels_may_be_absent() throws Exception {
    ImageSource source = ImageSource.open(write("digits.idx3-ubyte", IMAGES));
    assertThat(entries(source).get(0).origin().label()).isEmpty();
    assertThat(entries(source).get(0).origin().id()).isEqualTo("digits/00");
  }

  @Test
  void a_file_cut_anywhere_or_too_long_is_refused() throws Exception {
    byte[] zipped = gzip(IMAGES);
    for (byte[] whole : new byte[][] {IMAGES, zipped}) {
      for (int length = 0; length < whole.length; length++) {
        Path cut = write("x-images-idx3", Arrays.copyOf(whole, length));
        assertThatThrownBy(() -> IdxSource.open(cut))
            .as("%d of %d bytes", length, whole.length)
            .isInstanceOf(IOException.class)
            .hasMessageStartingWith(cut + ": ");
      }
    }
    Path more = write("x-images-idx3", Arrays.copyOf(IMAGES, IMAGES.length + 1));
    assertThatThrownBy(() -> IdxSource.open(more)).hasMessageContaining("has more");
  }

  @Test
  void false_headers_are_refused_before_anything_is_allocated() throws Exception {
    Path labels = write("a-images-idx3", LABELS);
    assertThatThrownBy(() -> IdxSource.open(labels)).hasMessageContaining("no IDX file of images");
    int[][] bad = {{1 << 30, 28, 28}, {-1, 28, 28}, {0, 28, 28}, {-1, -1, 28}};
    for (int[] extents : bad) {
      Path file = write("a-images-idx3", idx(0x803, extents, new byte[0]));
      assertThatThrownBy(() -> IdxSource.open(file)).hasMessageContaining("are not read");
    }
    Path promising = write("a-images-idx3", idx(0x803, new int[] {2_000_000, 32, 32}, new byte[9]));
    assertThatThrownBy(() -> IdxSource.open(promising))
        .hasMessageContainingAll("2048000000 values", "has 9");
  }

  @Test
  void labels_of_another_set_are_refused() throws Exception {
    Path images = write("t-images-idx3", IMAGES);
    write("t-labels-idx1", idx(0x801, new int[] {11}, counting(11)));
    assertThatThrownBy(() -> IdxSource.open(images)).hasMessageContainingAll("11", "12");
  }
}
