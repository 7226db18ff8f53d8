package spellshield.index.testing;

import java.util.SplittableRandom;

/// Randomised properties: each case is drawn from its own seed and can be repeated alone.
public final class Seeds {
  private Seeds() {}

  /// One case of a property.
  @FunctionalInterface
  public interface Property {
    void check(SplittableRandom random) throws Exception;
  }

  /// Runs `cases` cases, or only the one named by `-Dtest.seed`.
  public static void check(int cases, Property property) {
    Long only = Long.getLong("test.seed");
    long first = only == null ? 0 : only;
    long end = only == null ? cases : only + 1;
    for (long seed = first; seed < end; seed++) {
      try {
        property.check(new SplittableRandom(seed));
      } catch (Exception | AssertionError e) {
        throw new AssertionError("seed " + seed + "; repeat it with -Dtest.seed=" + seed, e);
      }
    }
  }
}
