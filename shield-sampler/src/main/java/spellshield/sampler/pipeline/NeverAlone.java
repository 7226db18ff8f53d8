package spellshield.sampler.pipeline;

import java.util.Arrays;
import spellshield.sampler.Condition;
import spellshield.sampler.Latents;
import spellshield.sampler.scheduler.Network;

/// Asks for a single row twice, so that its answer does not depend on the size of the batch.
///
/// ONNX Runtime sums over the inner axis of `[B, L, C]` in another order where B is 1, which moves
/// the answer by roundings: about 1e-6 of a latent. From two rows on it does every row alike on the
/// CPU; see `BatchTest.latents_do_not_depend_on_the_batch_size`. Guidance doubles the batch, so
/// only a single picture without it costs more.
///
/// @param inner the network
record NeverAlone(Network inner) implements Network {
  @Override
  public Latents predict(Latents input, double timestep, Condition condition) {
    if (input.batch() != 1) {
      return inner.predict(input, timestep, condition);
    }
    int dim = input.dim();
    float[] twice = Arrays.copyOf(input.values(), 2 * dim);
    System.arraycopy(input.values(), 0, twice, dim, dim);
    Latents both =
        inner.predict(new Latents(twice, 2, input.shape()), timestep, condition.rows(0, 0));
    return input.with(both.row(0));
  }
}
