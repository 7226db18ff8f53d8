package spellshield.tools.image;

import java.io.IOException;

/// A file that is not a picture this program reads: one line that names the file, what was found,
/// and what to do.
public final class UnreadableImageException extends IOException {
  private static final long serialVersionUID = 1L;

  private static final int LONGEST = 400;

  /// Tells what is wrong with a file.
  ///
  /// @param name of the file, as the user knows it
  /// @param reason what was found; what to do
  public UnreadableImageException(String name, String reason) {
    super(oneLine(name + ": " + reason));
  }

  /// Names and decoders may say anything; a terminal and a log get one printable line.
  private static String oneLine(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= LONGEST ? line : line.substring(0, LONGEST - 1) + "…";
  }
}
