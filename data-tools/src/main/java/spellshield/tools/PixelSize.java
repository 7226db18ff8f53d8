package spellshield.tools;

/// The width and height that a command line asks for, in pixels.
record PixelSize(int width, int height) {

  /// Reads `64` or `64x48`.
  static PixelSize parse(String size) {
    if (!size.matches("\\d{1,4}(x\\d{1,4})?")) {
      throw new IllegalArgumentException(
          "--size is a number or WIDTHxHEIGHT, such as 64 or 64x48, but was '" + size + "'");
    }
    String[] parts = size.split("x", 2);
    int width = Integer.parseInt(parts[0]);
    return new PixelSize(width, parts.length == 1 ? width : Integer.parseInt(parts[1]));
  }
}
