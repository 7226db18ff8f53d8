package spellshield.sampler.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A float32 array that numpy has saved, row-major.
public record Npy(int[] shape, float[] values) {
  private static final Pattern HEADER =
      Pattern.compile("'descr': '<f4', 'fortran_order': False, 'shape': \\(([0-9, ]*)\\)");

  /// Reads a file of format 1.
  public static Npy read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int start = 10 + bytes.getShort(8); // magic, version, length of the header
    String header = new String(bytes.array(), 10, start - 10, StandardCharsets.ISO_8859_1);
    Matcher matcher = HEADER.matcher(header);
    if (!matcher.find()) {
      throw new IOException(file + ": no row-major float32 array: " + header);
    }
    int[] shape = Stream.of(matcher.group(1).split("[, ]+")).mapToInt(Integer::parseInt).toArray();
    float[] values = new float[(bytes.limit() - start) / Float.BYTES];
    bytes.position(start).slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return new Npy(shape, values);
  }
}
