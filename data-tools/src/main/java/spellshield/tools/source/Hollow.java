package spellshield.tools.source;

import java.io.IOException;

/// Counts the entries of a container that hold nothing, and loses patience.
///
/// A container of a million empty entries would otherwise cost a million lines of report. One that
/// has more entries of nothing than pictures, and over 1,000 of them, is refused.
final class Hollow {
  static final int PATIENCE = 1_000;

  private final String container;
  private long pictures;
  private long hollow;

  Hollow(String container) {
    this.container = container;
  }

  void picture() {
    pictures++;
  }

  /// Counts an entry that holds no picture.
  ///
  /// @throws IOException if there are too many of them
  void hollow(String reason) throws IOException {
    hollow++;
    if (hollow > PATIENCE && hollow > pictures) {
      throw new IOException(
          "%s: %,d of its first %,d entries hold no picture (the last: %s); name a container of pictures"
              .formatted(container, hollow, hollow + pictures, reason));
    }
  }
}
