package spellshield.sampler.ball;

/// A forbidden ball: everything within `radius` of `centre`.
///
/// @param centre `[D]`, shared, not to be written to
/// @param radius r > 0
/// @param moving whether the centre is another prediction of the batch, which is pushed at the same
///   time
public record Ball(float[] centre, double radius, boolean moving) {

  /// A ball that stays where it is.
  public Ball(float[] centre, double radius) {
    this(centre, radius, false);
  }
}
