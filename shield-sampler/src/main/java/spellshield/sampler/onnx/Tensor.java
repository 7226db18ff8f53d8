package spellshield.sampler.onnx;

import java.util.Arrays;

/// Numbers for a network, row-major. A network that takes whole numbers or halves is given those:
/// float32 holds whole numbers up to 2²⁴, which tokens, labels and timesteps stay below.
///
/// @param values as many as the shape has places
/// @param shape such as `[B, C, H, W]`; empty for a single number
public record Tensor(float[] values, long... shape) {
  public Tensor {
    long size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    if (size != values.length) {
      throw new IllegalArgumentException(
          "%d values do not fill the shape %s".formatted(values.length, Arrays.toString(shape)));
    }
  }

  /// Returns the number of values of one row: the product of all extents but the first.
  public int rowSize() {
    return (int) Arrays.stream(shape).skip(1).reduce(1, Math::multiplyExact);
  }
}
