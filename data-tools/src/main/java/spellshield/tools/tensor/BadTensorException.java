package spellshield.tools.tensor;

import java.io.IOException;

/// A file that does not hold the numbers it claims: one line that names the file, what is wrong
/// with it, and what to do.
public final class BadTensorException extends IOException {
  private static final long serialVersionUID = 1L;

  private static final int LONGEST = 400; // characters

  /// Tells what is wrong with a file.
  ///
  /// @param name of the file, as the user knows it
  /// @param reason what was found; what to do
  public BadTensorException(String name, String reason) {
    super(oneLine(name + ": " + reason));
  }

  private static String oneLine(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= LONGEST ? line : line.substring(0, LONGEST - 1) + "…";
  }
}
