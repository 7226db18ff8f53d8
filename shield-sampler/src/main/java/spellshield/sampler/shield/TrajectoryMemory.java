package spellshield.sampler.shield;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import spellshield.index.kernel.Distance;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.store.LatentReader;

/// What one trajectory remembers of its last search, so that it need not search at every step.
///
/// A search at the anchor a with radius `r + skin` returned candidates, and a clearance c: every
/// other latent is at least c from a. While x̂0 has drifted from a by less than `c − r`, no other
/// latent can be within r of it, and the candidates alone, measured anew, give the whole answer.
/// With an exact search this never changes an answer, not even a bit; see
/// `TrajectoryMemoryTest.answers_are_those_of_a_fresh_search`. One thread at a time.
final class TrajectoryMemory {

  /// Covers the roundings by which "inside" exceeds the ball, for up to 2²⁸ dimensions.
  private static final double ROUNDING = 1 + 1e-7;

  private final LatentReader latents;
  private final double radius;
  private final float[] latent;
  private float @Nullable [] anchor;
  private List<Neighbor> candidates = List.of();
  private double clearance;

  TrajectoryMemory(LatentReader latents, double radius) {
    this.latents = latents;
    this.radius = radius;
    this.latent = new float[latents.dim()];
  }

  /// Returns what lies within the radius of `x`, nearest first, or null where a search is due.
  @Nullable List<Neighbor> recall(float[] x) {
    if (anchor == null) {
      return null;
    }
    double drift = Distance.upper(Distance.between(x, anchor), x.length);
    if (!(drift * ROUNDING < clearance - radius * ROUNDING)) {
      return null;
    }
    List<Neighbor> inside = new ArrayList<>();
    for (Neighbor candidate : candidates) {
      double error = latents.read(candidate.item(), latent);
      Neighbor neighbor = Neighbor.measure(candidate.item(), x, 0, latent, error);
      if (neighbor.isInside(radius)) {
        inside.add(neighbor);
      }
    }
    inside.sort(Neighbor.NEAREST_FIRST);
    return inside;
  }

  /// Remembers the answer of a search at `x` with a radius not below this memory's.
  void remember(float[] x, Neighborhood answer) {
    anchor = x.clone();
    candidates = answer.neighbors();
    clearance = answer.clearance();
  }
}
