package spellshield.sampler;

/// What a denoiser is told beside the noisy latents.
public sealed interface Condition {

  /// Nothing.
  Condition NONE = new None();

  /// No condition.
  record None() implements Condition {}

  /// One class per row of the batch, as the model counts its classes.
  record Labels(int... labels) implements Condition {}
}
