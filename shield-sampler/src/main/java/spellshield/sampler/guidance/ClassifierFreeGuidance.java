package spellshield.sampler.guidance;

import spellshield.sampler.Condition;
import spellshield.sampler.Latents;
import spellshield.sampler.scheduler.Network;

/// Classifier-free guidance: away from what the negative condition says, towards the positive.
///
/// ```text
/// F = F(negative) + w·(F(positive) − F(negative))
/// ```
///
/// where F is what the network says: noise, velocity or x̂0, in each of which x̂0 is affine, so
/// that x̂0 is guided by the same formula. It is applied to F because a float32 x̂0 of high noise
/// is coarser, and because clipping comes after it. Both halves are asked for in one batch, the
/// negative one first; only their combination leaves this decorator. Conditions other than
/// [Condition.Guided] pass through. A denoiser is guided as the network that says x̂0,
/// `denoiser::denoise`. Source: Ho and Salimans 2022, arXiv 2207.12598, whose w counts from 0.
///
/// @param inner the network that is guided
/// @param guidanceScale w, finite; 1 is the positive condition alone and asks for nothing else
public record ClassifierFreeGuidance(Network inner, double guidanceScale) implements Network {
  public ClassifierFreeGuidance {
    if (!Double.isFinite(guidanceScale)) {
      throw new IllegalArgumentException("guidanceScale must be finite, but was " + guidanceScale);
    }
  }

  @Override
  public Latents predict(Latents input, double timestep, Condition condition) {
    if (!(condition instanceof Condition.Guided guided)) {
      return inner.predict(input, timestep, condition);
    }
    if (guidanceScale == 1) {
      return inner.predict(input, timestep, guided.positive());
    }
    int half = input.values().length;
    float[] twice = new float[Math.multiplyExact(2, half)];
    System.arraycopy(input.values(), 0, twice, 0, half);
    System.arraycopy(input.values(), 0, twice, half, half);
    float[] both =
        inner
            .predict(
                new Latents(twice, 2 * input.batch(), input.shape()),
                timestep,
                Both.of(guided.negative(), guided.positive()))
            .values();
    float[] combined = new float[half];
    for (int i = 0; i < half; i++) {
      double negative = both[i];
      combined[i] = (float) (negative + guidanceScale * (both[half + i] - negative));
    }
    return input.with(combined);
  }
}
