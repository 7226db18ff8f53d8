package spellshield.sampler.scheduler;

import spellshield.sampler.Condition;
import spellshield.sampler.Latents;

/// A trained network as it is: scaled latents and a timestep in, its raw output out.
@FunctionalInterface
public interface Network {

  /// Returns the output F for every row.
  ///
  /// @param input `c_in(σ)·x_t`, `[B, D]`; not changed
  /// @param timestep what the network was trained to read the noise level from, the same for all
  ///   rows: a training step, whole or not, 1,000·t for a flow, ¼·ln σ for EDM
  /// @param condition what to sample
  /// @return F, of the same shape, whose meaning is the plan's [Prediction]
  Latents predict(Latents input, double timestep, Condition condition);
}
