package spellshield.sampler.shield;

/// What the shield did for one trajectory.
///
/// @param steps predictions looked at; a sampler that asks twice a step counts twice
/// @param searches searches of the protected set
/// @param acted predictions that were pushed
/// @param exactHits of these, those that lay on a centre
/// @param crowded predictions left alone because too many balls held them
public record Activity(int steps, int searches, int acted, int exactHits, int crowded) {

  /// Nothing done yet.
  public static final Activity NONE = new Activity(0, 0, 0, 0, 0);

  /// Returns the sum of two.
  public Activity plus(Activity other) {
    return new Activity(
        steps + other.steps,
        searches + other.searches,
        acted + other.acted,
        exactHits + other.exactHits,
        crowded + other.crowded);
  }
}
