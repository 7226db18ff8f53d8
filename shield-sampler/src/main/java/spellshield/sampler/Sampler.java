package spellshield.sampler;

import java.util.List;
import java.util.stream.Collectors;

/// Turns noise into latents by steps down a schedule, each towards what a denoiser predicts.
///
/// All samplers integrate the same equations in the coordinates `x_t = x0 + σ·ε`:
///
/// ```text
/// dx/dσ = (x_t − x̂0) / σ,   x̂0 = D(x_t, σ)
/// ```
///
/// and promise the same three things.
/// - A last step to σ = 0 is of first order, so that the answer is the denoiser's last x̂0 bit for
///   bit: what the last decorator allowed is what comes out. Levels that stop above 0 hand out a
///   mixture of x̂0 and the noise that is left.
/// - Rows are independent: with a denoiser that treats rows alone, a row's bits depend on its
///   start, seed and condition, not on the batch; see
///   `SamplerTest.a_row_does_not_depend_on_its_batch`.
/// - The state is float32, as denoisers see it; coefficients and each step's sum are float64.
///
/// Samplers are immutable and without state.
public sealed interface Sampler permits Euler, Heun, FlowHeun, Ancestral, Ddim, DpmSolver2M {

  /// Runs every step and returns the finished latents.
  ///
  /// @param denoiser predicts x̂0; called once a step, twice by [Heun] and [FlowHeun] in a step
  ///   that ends above σ = 0
  /// @param levels where each step asks and lands
  /// @param start x_t at the first level, `[B, D]`, such as [Levels#start]; not changed
  /// @param noise a row for each of the start's; draw `i + 1` is the fresh noise of step `i`, drawn
  ///   only if needed
  /// @param condition handed to the denoiser
  /// @return what the last step reached, a new batch of the same shape
  /// @throws IllegalArgumentException if the batches differ
  Latents sample(Denoiser denoiser, Levels levels, Latents start, Draws noise, Condition condition);

  /// Runs every step of [Levels#of].
  ///
  /// @param sigmas strictly decreasing, finite, the last 0; `sigmas.length − 1` steps
  /// @throws IllegalArgumentException if the levels are not as said, or the batches differ
  default Latents sample(
      Denoiser denoiser, double[] sigmas, Latents start, Draws noise, Condition condition) {
    return sample(denoiser, Levels.of(sigmas), start, noise, condition);
  }

  /// Returns the name that [#parse(String)] understands.
  String name();

  /// Returns the sampler of a name, with its usual parameters.
  ///
  /// @param name one of `euler`, `heun` (without churn), `flow-heun`, `ancestral` (η = 1), `ddim`
  ///   (η = 0), `dpm++2m`, `dpm++2m-sde` (η = 1)
  /// @throws IllegalArgumentException if there is no sampler of that name
  static Sampler parse(String name) {
    List<Sampler> samplers =
        List.of(
            new Euler(),
            Heun.deterministic(),
            new FlowHeun(),
            new Ancestral(1),
            new Ddim(0),
            new DpmSolver2M(),
            new DpmSolver2M(1, true));
    return samplers.stream()
        .filter(sampler -> sampler.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "a sampler is one of %s, but the name was '%s'"
                    .formatted(
                        samplers.stream().map(Sampler::name).collect(Collectors.joining(", ")),
                        name)));
  }
}
