package spellshield.index.sketch;

import org.jspecify.annotations.Nullable;

/// The lookups of a query and a radius.
///
/// Groups have limits of their own: their errors differ by a little, balls of different widths by
/// much. A group takes the lookup whose limit is less than twice its own. Which that is depends on
/// query and set alone, so that answers do not depend on threads or batches. Any number of threads
/// may ask.
public final class Lookups {
  private static final int MOST = 16;

  private final SketchQuery query;
  private final double largest;
  private final @Nullable Lookup[] halves = new Lookup[MOST];

  /// Takes the largest limit of all groups that is finite; 0 where there is none.
  public Lookups(SketchQuery query, double largest) {
    this.query = query;
    this.largest = largest;
    halves[0] = query.lookup(largest);
  }

  /// Returns the largest limit.
  public double largest() {
    return largest;
  }

  /// Returns the lookup of the largest limit.
  public Lookup widest() {
    return of(largest);
  }

  /// Returns the lookup for a limit, in which one that is none lets all pass.
  public synchronized Lookup of(double limit) {
    int half = 0;
    double own = largest;
    while (half < MOST - 1 && limit <= own / 2) {
      own /= 2;
      half++;
    }
    Lookup lookup = halves[half];
    if (lookup == null) {
      lookup = query.lookup(own);
      halves[half] = lookup;
    }
    return lookup;
  }
}
