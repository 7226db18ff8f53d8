package spellshield.sampler.pipeline;

import spellshield.sampler.Condition;
import spellshield.sampler.Latents;
import spellshield.sampler.scheduler.Network;

/// Asks a network for one row at a time, so that a row's answer does not depend on the batch.
///
/// ONNX Runtime rounds a row differently by the size of the batch and the place in it: it sums over
/// the inner axis of `[B, L, C]` in another order where B is 1, and takes logarithms, sines and
/// roots of `[B]` and `[B, C]` by vectors of 8 or 16, whose last, unfilled one goes another way.
/// Either moved a latent by 1e-5; see `BatchTest`. On the CPU, where one row fills the cores, a
/// call costs about 0.1 ms beside the network's own time, and the batch needs a row's memory.
///
/// @param inner the network
record RowByRow(Network inner) implements Network {
  @Override
  public Latents predict(Latents input, double timestep, Condition condition) {
    int dim = input.dim();
    float[] answers = new float[input.values().length];
    for (int row = 0; row < input.batch(); row++) {
      Latents one = new Latents(input.row(row), 1, input.shape());
      Latents answer = inner.predict(one, timestep, condition.rows(row));
      System.arraycopy(answer.values(), 0, answers, row * dim, dim);
    }
    return input.with(answers);
  }
}
