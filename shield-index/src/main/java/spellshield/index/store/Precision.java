package spellshield.index.store;

/// How the values of a latent are stored.
public enum Precision {
  /// The values as they are.
  FLOAT32(32),
  /// Half the bytes, values rounded to 11 significant bits, |x| at most 65,504; the distance
  /// between a latent and what is stored of it is kept beside it.
  FLOAT16(16);

  /// The largest magnitude that float16 holds.
  static final float FLOAT16_MAX = 65_504f;

  private final int bits;

  Precision(int bits) {
    this.bits = bits;
  }

  /// Returns the bits of one value, 32 or 16.
  public int bits() {
    return bits;
  }
}
