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

  @Override
  public String toString() {
    return "%s %s %s".formatted(name, type, Arrays.toString(shape));
  }
}
