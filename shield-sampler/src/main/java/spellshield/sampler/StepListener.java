package spellshield.sampler;

/// Watches a run, prediction by prediction.
@FunctionalInterface
public interface StepListener {

  /// One prediction, as the sampler gets it: after guidance and shield.
  ///
  /// @param call which call of the denoiser, from 0; a step of Heun's has two
  /// @param steps how many steps the run has
  /// @param sigma the noise level σ
  /// @param x0hat `[B, D]`; not to be changed
  record Step(int call, int steps, double sigma, Latents x0hat) {}

  /// Looks at a prediction.
  ///
  /// @return whether to go on; if not, the run ends with a
  ///   [java.util.concurrent.CancellationException]
  boolean onStep(Step step);
}
