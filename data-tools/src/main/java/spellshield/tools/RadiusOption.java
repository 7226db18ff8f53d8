package spellshield.tools;

import java.util.Locale;
import java.util.Optional;
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

  /// Refuses a radius that holds the mean of a set, where every trajectory begins, and returns a
  /// warning about one that is wider than was recommended.
  ///
  /// @param forced lets the first pass, with a warning
  Optional<String> judge(ProtectedSet set, double radius, boolean forced) {
    double meanClearance = set.statistics().meanClearance();
    if (radius >= meanClearance) {
      String said =
          String.format(
              Locale.ROOT,
              "the radius %.4f holds the mean of the set (the first ball does from %.4f on), where every"
                  + " trajectory begins",
              radius,
              meanClearance);
      if (!forced) {
        throw new IllegalArgumentException(
            said + "; take a smaller one, or --force-radius and failed samples");
      }
      return Optional.of("shield: " + said + "; expect crowded steps and failed samples");
    }
    return set.coverage()
        .flatMap(coverage -> coverage.warning(radius))
        .map(warning -> "shield: " + warning);
  }
}
