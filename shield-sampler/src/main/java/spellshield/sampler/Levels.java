package spellshield.sampler;

import java.util.Arrays;

/// The noise levels of one run: where the denoiser is asked, and where each step ends.
///
/// Step `i` asks at `sigmas[i]` and goes to `landings[i]`, and what it reaches is multiplied by
/// `gains[i]` before the next step. In a schedule of one's own a step lands where the next one asks
/// and the gains are 1; [#of(double...)] makes such levels. Some schedules of others are less tidy:
/// they land elsewhere and take the state for one of the next level, or stop above σ = 0 and hand
/// out `α·x_t`. Immutable by agreement: the arrays are shared.
///
/// @param sigmas σ_0 > … > σ_{n−1} > 0, finite, n at least 1
/// @param landings one for each step, `0 ≤ landings[i] ≤ sigmas[i]`
/// @param gains one for each step, positive and finite
/// @param startScale what the initial noise `N(0, I)` is multiplied by to be x_t at `sigmas[0]`
public record Levels(double[] sigmas, double[] landings, double[] gains, double startScale) {
  public Levels {
    int steps = sigmas.length;
    if (steps < 1 || landings.length != steps || gains.length != steps) {
      throw new IllegalArgumentException(
          "need a sigma, a landing and a gain for each of one or more steps, but there were %d, %d, %d"
              .formatted(steps, landings.length, gains.length));
    }
    for (int i = 0; i < steps; i++) {
      requireStep(i, i == 0 ? Double.POSITIVE_INFINITY : sigmas[i - 1], sigmas[i], landings[i]);
      requirePositive("gains[" + i + "]", gains[i]);
    }
    requirePositive("startScale", startScale);
  }

  private static void requireStep(int i, double before, double sigma, double landing) {
    if (!(before > sigma && sigma > 0)) { // also refuses NaN and, before the first, infinity
      throw new IllegalArgumentException(
          "sigmas must be finite, positive and decrease strictly, but sigmas[%d]=%s after %s"
              .formatted(i, sigma, before));
    }
    if (!(0 <= landing && landing <= sigma)) {
      throw new IllegalArgumentException(
          "a step must land between 0 and its sigmas[%d]=%s, but landed at %s"
              .formatted(i, sigma, landing));
    }
  }

  private static void requirePositive(String name, double value) {
    if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(name + " must be positive and finite, but was " + value);
    }
  }

  /// Returns levels in which every step lands where the next one asks.
  ///
  /// @param sigmas strictly decreasing, two or more, the last one 0
  public static Levels of(double... sigmas) {
    int steps = sigmas.length - 1;
    if (steps < 1 || sigmas[steps] != 0) {
      throw new IllegalArgumentException(
          "sigmas must be two or more levels, the last one 0, but %s"
              .formatted(
                  steps < 0
                      ? "there were none"
                      : "the last of " + (steps + 1) + " was " + sigmas[steps]));
    }
    double[] gains = new double[steps];
    Arrays.fill(gains, 1);
    return new Levels(
        Arrays.copyOf(sigmas, steps), Arrays.copyOfRange(sigmas, 1, steps + 1), gains, sigmas[0]);
  }

  /// Returns n, the number of steps.
  public int steps() {
    return sigmas.length;
  }

  /// Returns x_t at the first level: draw 0 of the noise, scaled.
  public Latents start(Draws noise, int... shape) {
    return start(noise.draw(0, shape));
  }

  /// Returns x_t at the first level from given noise.
  ///
  /// @param noise `N(0, I)`, `[B, D]`; not changed
  public Latents start(Latents noise) {
    Latents start = noise.copy();
    for (int i = 0; i < start.values().length; i++) {
      start.values()[i] = (float) (start.values()[i] * startScale);
    }
    return start;
  }
}
