package spellshield.benchmarks.peers;

import java.io.IOException;

/// Proposes the items whose heads lie near a query's.
interface Candidates {

  /// Returns items whose heads are within `reach` of a head, as many as were found.
  int[] within(float[] head, double reach) throws IOException;

  /// Returns a score that no head within `reach` is below: Lucene and JVector both take `1 / (1 +
  /// d²)`.
  static float score(double reach) {
    return Math.nextDown((float) (1 / (1 + reach * reach * (1 + 1e-5))));
  }
}
