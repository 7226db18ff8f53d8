package spellshield.sampler;

/// The Gaussian noise of one run: numbered draws, one row for each trajectory.
///
/// Samplers ask for draws and know nothing of where they come from: [Noise] makes them from seeds;
/// a recorded run can hand back its own.
public interface Draws {

  /// Returns the number of rows B.
  int batch();

  /// Returns draw number `k` for every row, `N(0, I)`, `[B, D]`, the same whenever it is asked for.
  ///
  /// By convention draw 0 is the initial noise and draw `i + 1` is used at step `i`.
  Latents draw(int k, int... shape);
}
