package spellshield.index.store;

/// How much of a set is read and checked before it is used.
public enum Verification {
  /// Every file against its SHA-256: about one second per GB. The default.
  FULL,
  /// Lengths and headers only; rows and items are checked one by one when they are read.
  ON_USE
}
