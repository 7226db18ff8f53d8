package spellshield.tools.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The header of a `.npy` file.
///
/// ```text
/// 93 'NUMPY', major, minor, length of the text (2 bytes in version 1, 4 in 2 and 3)
/// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 8, 8), }
/// ```
///
/// The text is read by a grammar of its own, never evaluated. Refused by name: Python objects
/// (`|O`), which would be a pickle; big-endian and structured values; Fortran's order.
///
/// Source: NumPy, `numpy/lib/format.py`, "Format Version 1.0" to "3.0".
///
/// @param type of the values
/// @param shape of the array
/// @param length of the header in bytes: values begin there
record NpyHeader(ElementType type, Shape shape, int length) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int MAX_TEXT = 10_000; // bytes, as NumPy's own limit

  private static final Pattern TEXT =
      Pattern.compile(
          "\\{ *'descr': *(?:'([^']*)'|(\\[.*\\])), *'fortran_order': *(True|False),"
              + " *'shape': *\\(([0-9, ]*)\\),? *\\} *\n?");

  /// Reads the header at the beginning of a stream.
  ///
  /// @param name of the file, for messages
  /// @throws BadTensorException if it is none, or one of an array that is not read
  static NpyHeader read(InputStream in, String name) throws IOException {
    byte[] start = in.readNBytes(8);
    if (start.length < 8 || !Arrays.equals(start, 0, 6, MAGIC, 0, 6)) {
      throw new BadTensorException(name, "no .npy file (it has to begin with '\\x93NUMPY')");
    }
    int version = start[6];
    if (version < 1 || version > 3) {
      throw new BadTensorException(
          name, "version %d of .npy is not read, but 1 to 3 are".formatted(version));
    }
    int lengthBytes = version == 1 ? 2 : 4;
    byte[] lengths = in.readNBytes(lengthBytes);
    long length = 0;
    for (int i = lengths.length - 1; i >= 0; i--) {
      length = length << 8 | (lengths[i] & 0xff);
    }
    if (lengths.length < lengthBytes || length > MAX_TEXT) {
      throw new BadTensorException(
          name,
          "a header of %,d bytes, but at most %,d are read; fetch it again"
              .formatted(length, MAX_TEXT));
    }
    byte[] text = in.readNBytes((int) length);
    if (text.length < length) {
      throw new BadTensorException(name, "it ends within its header; fetch it again");
    }
    return parse(
        new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1),
        8 + lengthBytes + (int) length,
        name);
  }

  private static NpyHeader parse(String text, int length, String name) throws BadTensorException {
    Matcher match = TEXT.matcher(text);
    if (!match.matches()) {
      throw new BadTensorException(
          name, "its header is '%.200s'; save it anew with numpy.save".formatted(text.strip()));
    }
    String descr = match.group(1);
    if (descr == null || descr.contains("O")) {
      throw new BadTensorException(
          name,
          descr == null
              ? "structured values are not read; save plain float32"
              : "it holds Python objects (a pickle), which are never read; save plain float32");
    }
    ElementType type =
        ElementType.ofNumpy(descr)
            .orElseThrow(() ->
                new BadTensorException(
                    name,
                    "values of type '%.20s' are not read, but <f2, <f4, <f8, <i4 and <i8 are; convert it"
                        .formatted(descr)));
    Shape shape = shape(match.group(4), name);
    if (match.group(3).equals("True") && shape.rank() > 1) {
      throw new BadTensorException(
          name, "Fortran's order is not read; save it with numpy.ascontiguousarray");
    }
    return new NpyHeader(type, shape, length);
  }

  private static Shape shape(String text, String name) throws BadTensorException {
    String list = text.strip().replaceFirst(",$", "");
    try {
      long[] extents =
          list.isEmpty()
              ? new long[0]
              : Arrays.stream(list.split(",", -1))
                  .mapToLong(e -> Long.parseLong(e.strip()))
                  .toArray();
      return new Shape(extents);
    } catch (IllegalArgumentException e) { // also a number that is none
      throw new BadTensorException(name, "its shape is (%.100s); save it anew".formatted(text));
    }
  }
}
