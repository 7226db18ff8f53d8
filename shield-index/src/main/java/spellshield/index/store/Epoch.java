package spellshield.index.store;

import java.time.Instant;

/// One change of a set: what was added and removed, when and why.
///
/// A build from nothing is the first one; a set that was compacted keeps its epochs.
///
/// @param number the generation that the change made
/// @param time when it was committed
/// @param added number of items
/// @param removed number of items
/// @param reason one line for people, at most 1,000 characters; may be empty
public record Epoch(long number, Instant time, long added, long removed, String reason) {
  /// The reason of a build from nothing.
  static final String BUILT = "built";

  private static final int LONGEST_REASON = 1_000;

  public Epoch {
    if (number < 1 || added < 0 || removed < 0) {
      throw new IllegalArgumentException(
          "an epoch has a number from 1 and counts from 0, but they were %d, %d and %d"
              .formatted(number, added, removed));
    }
    requireReason(reason);
  }

  /// Returns a reason that a manifest can hold, or refuses it.
  ///
  /// @throws IllegalArgumentException if it is longer than 1,000 characters or not one line
  public static String requireReason(String reason) {
    if (reason.length() > LONGEST_REASON || reason.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "a reason is one line of at most %d characters, but was '%.60s'"
              .formatted(LONGEST_REASON, reason.replaceAll("\\p{Cntrl}", " ")));
    }
    return reason;
  }
}
