package spellshield.sampler.onnx;

import java.util.Arrays;

/// An input or output of a network, as its file describes it.
///
/// @param type as ONNX Runtime calls it, such as `FLOAT`, `FLOAT16` or `INT64`
/// @param shape an extent of −1 may be any
public record Port(String name, String type, long... shape) {

  /// Returns the number of extents; 0 for a single number.
  public int rank() {
    return shape.length;
  }

  /// Returns an extent, or a fallback where it may be any or there is none.
  public long extent(int axis, long fallback) {
    return axis < shape.length && shape[axis] > 0 ? shape[axis] : fallback;
  }

  /// Returns whether a row of this shape can be given: each extent is this one's, or this one's may
  /// be any.
  ///
  /// @param row without the batch
  public boolean takes(int... row) {
    if (rank() != row.length + 1) {
      return false;
    }
    for (int axis = 0; axis < row.length; axis++) {
      if (extent(axis + 1, row[axis]) != row[axis]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return "%s %s %s".formatted(name, type, Arrays.toString(shape));
  }
}
