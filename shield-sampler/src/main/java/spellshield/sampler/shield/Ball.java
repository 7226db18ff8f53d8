package spellshield.sampler.shield;

/// A forbidden ball: everything within `radius` of `centre`.
///
/// @param centre `[D]`, shared, not to be written to
/// @param radius r > 0
public record Ball(float[] centre, double radius) {}
