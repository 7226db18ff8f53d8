package spellshield.tools;

import java.io.IOException;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One of several parts of a source, for machines that share the work: `3/16`.
///
/// @param number from 1
/// @param of how many
record Part(int number, int of) {
  static final Part ALL = new Part(1, 1);

  private static final Pattern FORM = Pattern.compile("(\\d{1,6})/(\\d{1,6})");

  static Part parse(String text) {
    Matcher form = FORM.matcher(text);
    if (form.matches()) {
      Part part = new Part(Integer.parseInt(form.group(1)), Integer.parseInt(form.group(2)));
      if (part.number >= 1 && part.number <= part.of) {
        return part;
      }
    }
    throw new IllegalArgumentException(
        "a part is named like 3/16, the third of sixteen, but was '%s'".formatted(text));
  }

  /// Returns the entries of this part; the parts are of equal size, but for one entry.
  ///
  /// @throws IOException if there are several parts and the number of entries is not known
  SetBuild.Range range(OptionalLong count) throws IOException {
    if (of == 1) {
      return SetBuild.Range.ALL;
    }
    if (count.isEmpty()) {
      throw new IOException(
          "this source does not say how many entries it has, so it has no parts; give each machine files of its own");
    }
    long all = count.getAsLong();
    return new SetBuild.Range(all * (number - 1) / of, all * number / of);
  }

  @Override
  public String toString() {
    return number + "/" + of;
  }
}
