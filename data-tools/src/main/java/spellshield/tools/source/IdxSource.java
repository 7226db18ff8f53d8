package spellshield.tools.source;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import spellshield.sampler.image.RgbImage;

/// Grey pictures of one size in an IDX file, the format of MNIST and its kin, plain or gzipped.
///
/// ```text
/// images   00 00 08 03, count, height, width (big-endian, 32 bits), then the samples row by row
/// labels   00 00 08 01, count, then one byte a picture
/// ```
///
/// The labels are looked for beside the images: `train-images-idx3-ubyte.gz` goes with
/// `train-labels-idx1-ubyte.gz`, gzipped or not. The id of a picture is the file's name up to
/// `-idx3` or its first dot, `/`, and its number from 0, padded so that ids sort. The samples are
/// held in memory.
///
/// Source: Y. LeCun, "The MNIST database of handwritten digits", section on file formats.
public final class IdxSource implements ImageSource {
  private static final int IMAGES = 0x00000803;
  private static final int LABELS = 0x00000801;

  private final Path file;
  private final int count;
  private final int height;
  private final int width;
  private final byte[] samples;
  private final byte[] labels; // empty: none

  private IdxSource(Path file, int[] extents, byte[] samples, byte[] labels) {
    this.file = file;
    this.count = extents[0];
    this.height = extents[1];
    this.width = extents[2];
    this.samples = samples;
    this.labels = labels;
  }

  /// Reads a file of images, and the labels where they lie beside it.
  ///
  /// @throws IOException if a file is damaged, or the labels are not as many as the images
  public static IdxSource open(Path file) throws IOException {
    Content images = read(file, IMAGES, 3);
    Path labelFile = labelsOf(file);
    byte[] labels = new byte[0];
    if (Files.isRegularFile(labelFile)) {
      labels = read(labelFile, LABELS, 1).values();
      if (labels.length != images.extents()[0]) {
        throw new IOException(
            "%s has %d labels, but %s has %d images; they do not belong together"
                .formatted(labelFile, labels.length, file, images.extents()[0]));
      }
    }
    return new IdxSource(file, images.extents(), images.values(), labels);
  }

  /// Says whether a file begins as an IDX file of images does.
  static boolean sniff(Path file) throws IOException {
    try (InputStream in = unzipped(file)) {
      byte[] magic = in.readNBytes(4);
      return magic.length == 4 && ByteBuffer.wrap(magic).getInt() == IMAGES;
    } catch (EOFException | ZipException e) {
      return false;
    }
  }

  private record Content(int[] extents, byte[] values) {}

  private static Content read(Path file, int magic, int rank) throws IOException {
    try (InputStream in = unzipped(file)) {
      byte[] header = in.readNBytes(4 + 4 * rank);
      if (header.length < 4 + 4 * rank || ByteBuffer.wrap(header).getInt() != magic) {
        throw new IOException(
            "%s: no IDX file of %s (it has to begin with %08x and %d extents); fetch it again"
                .formatted(file, rank == 3 ? "images" : "labels", magic, rank));
      }
      int[] extents = new int[rank];
      ByteBuffer.wrap(header).position(4).asIntBuffer().get(extents);
      long size = 1;
      for (int extent : extents) {
        size = extent < 1 || size < 0 ? -1 : size * extent;
        size = size > Integer.MAX_VALUE - 64 ? -1 : size;
      }
      if (size < 0) {
        throw new IOException(
            "%s: extents %s are not read (each at least 1, at most 2 GiB together)"
                .formatted(file, Arrays.toString(extents)));
      }
      byte[] values =
          in.readNBytes((int) size); // grows as data comes: a false header costs nothing
      if (values.length < size || in.read() >= 0) {
        throw new IOException(
            "%s: its header promises %d values, but it has %s; fetch it again"
                .formatted(file, size, values.length < size ? values.length : "more"));
      }
      return new Content(extents, values);
    } catch (EOFException | ZipException e) {
      throw new IOException(
          file + ": the compressed data is cut off or damaged; fetch it again", e);
    }
  }

  private static InputStream unzipped(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file));
    in.mark(2);
    boolean gzip = in.read() == 0x1f && in.read() == 0x8b;
    in.reset();
    if (!gzip) {
      return in;
    }
    try {
      return new GZIPInputStream(in, 1 << 16);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }

  private static Path labelsOf(Path file) {
    String name = String.valueOf(file.getFileName());
    String labels = name.replace("images", "labels").replace("idx3", "idx1");
    if (labels.equals(name)) {
      return file.resolveSibling(name + ".labels");
    }
    Path same = file.resolveSibling(labels);
    if (Files.exists(same)) {
      return same;
    }
    return file.resolveSibling(
        labels.endsWith(".gz") ? labels.substring(0, labels.length() - 3) : labels + ".gz");
  }

  @Override
  public Stream<Stored> stored(long from) {
    String base = String.valueOf(file.getFileName()).replaceFirst("[-.]idx3.*|[.].*", "");
    int digits = Integer.toString(count - 1).length();
    int size = width * height;
    return IntStream.range((int) Math.min(from, count), count)
        .mapToObj(i -> {
          String number = String.format(Locale.ROOT, "%0" + digits + "d", i);
          String label = labels.length == 0 ? "" : Integer.toString(labels[i] & 0xff);
          Origin origin =
              new Origin(base + "/" + number, file + "[" + i + "]", label, base + " " + number);
          byte[] picture = Arrays.copyOfRange(samples, i * size, (i + 1) * size);
          return Stored.raw(origin, picture, bytes -> new RgbImage(width, height, 1, bytes));
        });
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(count);
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "IDX file %s: %,d grey pictures of %d×%d, %s",
        file,
        count,
        width,
        height,
        labels.length == 0 ? "without labels" : "with labels");
  }
}
