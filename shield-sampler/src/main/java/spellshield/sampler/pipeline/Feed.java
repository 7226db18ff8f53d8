package spellshield.sampler.pipeline;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import spellshield.sampler.Condition.Embedding;
import spellshield.sampler.Latents;
import spellshield.sampler.onnx.Port;
import spellshield.sampler.onnx.Tensor;

/// Inputs that several families' networks share.
final class Feed {
  private Feed() {}

  /// Returns a batch of latents as `[B, C, H, W]`.
  static Tensor latents(Latents latents) {
    int[] shape = latents.shape();
    long[] extents = new long[shape.length + 1];
    extents[0] = latents.batch();
    for (int i = 0; i < shape.length; i++) {
      extents[i + 1] = shape[i];
    }
    return new Tensor(latents.values(), extents);
  }

  /// Returns a number for every row in the rank that the input has: alone, once, or B times.
  ///
  /// Whole inputs take the nearest training step: one that is interpolated may be off by a
  /// rounding.
  static Tensor level(Port port, double level, int batch) {
    if (port.rank() == 0) {
      return new Tensor(new float[] {(float) level});
    }
    int count = (int) port.extent(0, batch);
    float[] levels = new float[count];
    Arrays.fill(levels, (float) level);
    long[] shape = new long[port.rank()];
    Arrays.fill(shape, 1);
    shape[0] = count;
    return new Tensor(levels, shape);
  }

  /// Returns one part of each row's embedding, `[B, …]`.
  static Tensor rows(List<Embedding> rows, Function<Embedding, float[]> part, long... shape) {
    int size = part.apply(rows.getFirst()).length;
    float[] all = new float[Math.multiplyExact(rows.size(), size)];
    for (int i = 0; i < rows.size(); i++) {
      System.arraycopy(part.apply(rows.get(i)), 0, all, i * size, size);
    }
    long[] extents = new long[shape.length + 1];
    extents[0] = rows.size();
    System.arraycopy(shape, 0, extents, 1, shape.length);
    return new Tensor(all, extents);
  }

  /// Returns the tokens' vectors of each row, `[B, L, C]`.
  static Tensor tokens(List<Embedding> rows) {
    Embedding first = rows.getFirst();
    return rows(rows, Embedding::tokens, first.length(), first.tokens().length / first.length());
  }

  /// Returns the pooled vectors, `[B, C]`.
  static Tensor pooled(List<Embedding> rows) {
    return rows(rows, Embedding::pooled, rows.getFirst().pooled().length);
  }

  /// Returns two texts' vectors side by side, token by token: `[L, A + B]`.
  static float[] beside(float[] left, float[] right, int length) {
    int a = left.length / length;
    int b = right.length / length;
    float[] both = new float[left.length + right.length];
    for (int token = 0; token < length; token++) {
      System.arraycopy(left, token * a, both, token * (a + b), a);
      System.arraycopy(right, token * b, both, token * (a + b) + a, b);
    }
    return both;
  }

  /// Returns one array after the other.
  static float[] joined(float[] first, float[] second) {
    float[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  /// Returns the answer for latents, without what a network says beside it: channels past those of
  /// the latents are the learned variance.
  static Latents answer(Tensor answer, Latents like) {
    int size = like.dim();
    int row = answer.rowSize();
    if (answer.shape()[0] != like.batch() || (row != size && row != 2 * size)) {
      throw new IllegalArgumentException(
          "the network answered %s for %d latents of %s"
              .formatted(
                  Arrays.toString(answer.shape()), like.batch(), Arrays.toString(like.shape())));
    }
    if (row == size) {
      return like.with(answer.values());
    }
    float[] values = new float[like.values().length];
    for (int i = 0; i < like.batch(); i++) {
      System.arraycopy(answer.values(), i * row, values, i * size, size);
    }
    return like.with(values);
  }
}
