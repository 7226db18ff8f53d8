package spellshield.tools.source;

import tools.jackson.core.JacksonException;

/// What went wrong, in one line of readable length, whatever a library or a file says.
final class Reason {
  private static final int LONGEST = 300; // characters

  private Reason() {}

  static String of(Throwable e) {
    String said = e instanceof JacksonException json ? json.getOriginalMessage() : e.getMessage();
    return line(said == null ? e.getClass().getSimpleName() : said);
  }

  /// Returns a text of strangers, such as a name, without what a terminal would obey.
  static String line(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= LONGEST ? line : line.substring(0, LONGEST - 1) + "…";
  }
}
