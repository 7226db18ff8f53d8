package spellshield.tools.tensor;

import java.util.Arrays;

/// The extents of an array, checked before anything is allocated for it.
///
/// @param extents from the outermost to the innermost, each at least 0
public record Shape(long... extents) {
  private static final int MAX_RANK = 8;

  public Shape {
    if (extents.length > MAX_RANK || Arrays.stream(extents).anyMatch(extent -> extent < 0)) {
      throw new IllegalArgumentException(
          "an array has up to %d extents of at least 0, but the shape was %s"
              .formatted(MAX_RANK, Arrays.toString(extents)));
    }
    long count = 1;
    for (long extent : extents) {
      count = Math.multiplyHigh(count, extent) == 0 ? count * extent : -1;
      if (count < 0) {
        throw new IllegalArgumentException(
            "shape %s has more values than 64 bits count".formatted(Arrays.toString(extents)));
      }
    }
  }

  /// Returns the number of extents.
  public int rank() {
    return extents.length;
  }

  /// Returns the number of values.
  public long count() {
    return Arrays.stream(extents).reduce(1, (a, b) -> a * b);
  }

  /// Returns the first extent; 1 for a single value.
  public long rows() {
    return extents.length == 0 ? 1 : extents[0];
  }

  /// Returns the shape of what the first extent counts.
  public Shape row() {
    return new Shape(
        extents.length == 0 ? extents : Arrays.copyOfRange(extents, 1, extents.length));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape that && Arrays.equals(extents, that.extents);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(extents);
  }

  @Override
  public String toString() {
    return Arrays.toString(extents);
  }
}
