package spellshield.index.sketch;

/// The codes of the boxes around blocks: where the cells of a value begin and end, rounded away
/// from them to whole steps that all values share.
final class BoxGrid {
  private static final int CODES = 256;

  private final Quantizer quantizer;
  private final byte[] low; // [length, 256], where fine cells begin
  private final byte[] high;

  /// Takes the steps of the first values, as many as boxes are drawn by.
  BoxGrid(Quantizer quantizer, Cells cells) {
    int length = quantizer.low().length;
    this.quantizer = quantizer;
    this.low = new byte[length * CODES];
    this.high = new byte[length * CODES];
    for (int i = 0; i < length; i++) {
      for (int code = 0; code < CODES; code++) {
        low[i * CODES + code] = quantizer.below(cells.low(i, code), i);
        high[i * CODES + code] = quantizer.above(cells.high(i, code), i);
      }
    }
  }

  /// Returns the number of values by which boxes are drawn.
  int length() {
    return quantizer.low().length;
  }

  /// Returns what turns a query into whole steps.
  Quantizer quantizer() {
    return quantizer;
  }

  /// Returns the number of steps that the values of a fine cell are not below, from 0 to 255.
  int low(int i, int code) {
    return low[i * CODES + code] & 0xff;
  }

  /// Returns the number of steps that the values of a fine cell are not above, where both are cut
  /// at 255.
  int high(int i, int code) {
    return high[i * CODES + code] & 0xff;
  }
}
