package spellshield.index.search;

import java.util.ArrayList;
import java.util.List;

/// The answer to one query.
///
/// @param neighbors all latents that the search found whose balls cannot be shown not to hold the
///   query, nearest first
/// @param clearance c: for every other latent the distance d_k is at least `s_k·c`, s_k its scale,
///   so that no other ball of a radius below c holds the query; where all scales are 1, a distance
///   within which no other latent lies. +∞ when there is no other. From the exact search it is
///   proven, from an approximate one it is a belief
public record Neighborhood(List<Neighbor> neighbors, double clearance) {
  public Neighborhood {
    neighbors = List.copyOf(neighbors);
  }

  /// Returns the answer about the items of both, which have none in common.
  Neighborhood and(Neighborhood other) {
    List<Neighbor> both = new ArrayList<>(neighbors);
    both.addAll(other.neighbors);
    both.sort(Neighbor.NEAREST_FIRST);
    return new Neighborhood(both, Math.min(clearance, other.clearance));
  }
}
