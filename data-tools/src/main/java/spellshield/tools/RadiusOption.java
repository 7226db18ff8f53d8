package spellshield.tools;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import spellshield.index.ProtectedSet;
import spellshield.index.search.NeighborSearch;

/// The radius, said as a share of the typical distance or as a distance.
final class RadiusOption {

  /// 2.3 % of the held-out pictures of Fashion-MNIST lie inside at this share.
  static final double DEFAULT_SHARE = 0.15;

  @Option(
      names = {"-r", "--radius"},
      paramLabel = "SHARE",
      description =
          "The radius as a share of the typical distance between two protected pictures"
              + " (default: 0.15).")
  private @Nullable Double share;

  @Option(
      names = "--distance",
      paramLabel = "R",
      description = "The radius as a distance in the latent space instead.")
  private @Nullable Double distance;

  /// Returns r for a set.
  double of(ProtectedSet set) {
    if (distance != null && share != null) {
      throw new IllegalArgumentException("--radius and --distance exclude each other; give one");
    }
    if (distance != null) {
      return NeighborSearch.requireRadius(distance);
    }
    return set.radius(share == null ? DEFAULT_SHARE : share);
  }
}
