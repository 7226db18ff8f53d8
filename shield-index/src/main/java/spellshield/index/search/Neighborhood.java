package spellshield.index.search;

import java.util.List;

/// The answer to one query.
///
/// @param neighbors all latents inside the radius that the search found, nearest first
/// @param clearance a distance within which no other latent lies; +∞ when there is no other. From
///   the exact search it is proven, from an approximate one it is a belief
public record Neighborhood(List<Neighbor> neighbors, double clearance) {
  public Neighborhood {
    neighbors = List.copyOf(neighbors);
  }
}
