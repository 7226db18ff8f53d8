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
/// other latent z_k is at least `s_k·c` from a, where its ball has the radius `s_k·r`. At a drift δ
/// of x̂0 from a that distance is at least `s_k·c − δ`, which is more than `s_k·r` while `δ <
/// s_k·(c − r)`. So while `δ < s·(c − r)`, s the least scale of the set, no other ball can hold
/// x̂0, and the candidates alone, measured anew, give the whole answer. Where all scales are 1,
/// that is `δ < c − r`. With an exact search this never changes an answer, not even a bit; see
/// `TrajectoryMemoryTest.answers_are_those_of_a_fresh_search`. One thread at a time.
///
/// # How wide the skin
///
/// A skin of s serves `1 + s / step` calls where x̂0 moves by `step` a call, and the cost of a
/// search grows about as `exp(s / w)`; the cost a call is least at `s = w − step`. So a trajectory
/// that rests gets the widest skin, and one that jumps, whose next search nothing can save, almost
/// none.
final class TrajectoryMemory {

  /// Covers the roundings by which "inside" exceeds the ball, for up to 2²⁸ dimensions.
  private static final double ROUNDING = 1 + 1e-7;

  /// The least skin as a share of the radius: what has come to rest must not search for a rounding.
  private static final double LEAST_SKIN = 0.02;

  private final LatentReader latents;
  private final double leastScale;
  private final double radius;
  private final double widestSkin;
  private final float[] latent;
  private float @Nullable [] before;
  private double step;
  private float @Nullable [] anchor;
  private List<Neighbor> candidates = List.of();
  private double clearance;

  /// Begins a trajectory.
  ///
  /// @param leastScale s, which no scale of an item is below
  /// @param widestSkin w, how much farther than the radius a search looks while x̂0 rests
  TrajectoryMemory(LatentReader latents, double leastScale, double radius, double widestSkin) {
    this.latents = latents;
    this.leastScale = leastScale;
    this.radius = radius;
    this.widestSkin = widestSkin;
    this.latent = new float[latents.dim()];
  }

  /// Returns the items whose balls hold `x`, nearest first, or null where a search is due.
  @Nullable List<Neighbor> recall(float[] x) {
    step = before == null ? 0 : Distance.between(x, before);
    before = x.clone();
    if (anchor == null) {
      return null;
    }
    double drift = Distance.upper(Distance.between(x, anchor), x.length);
    if (!(drift * ROUNDING < leastScale * (clearance - radius * ROUNDING))) {
      return null;
    }
    List<Neighbor> inside = new ArrayList<>();
    for (Neighbor candidate : candidates) {
      double error = latents.read(candidate.item(), latent);
      Neighbor neighbor =
          Neighbor.measure(candidate.item(), x, 0, latent, error, candidate.scale());
      if (neighbor.isInside(radius)) {
        inside.add(neighbor);
      }
    }
    inside.sort(Neighbor.NEAREST_FIRST);
    return inside;
  }

  /// Returns the radius that a search should have which is due at the point last recalled.
  double reach() {
    double skin = step < widestSkin ? widestSkin - step : 0;
    return radius + Math.max(skin, Math.min(widestSkin, LEAST_SKIN * radius));
  }

  /// Remembers the answer of a search at `x` with a radius not below this memory's.
  void remember(float[] x, Neighborhood answer) {
    anchor = x.clone();
    candidates = answer.neighbors();
    clearance = answer.clearance();
  }
}
