package spellshield.tools.report;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;

/// Letters of five by seven dots, for the printable characters of ASCII.
///
/// Accents are dropped, dashes and curly quotes become plain ones, anything else becomes `?`.
final class Glyphs {
  /// Dots from the capitals' top to the base line; one more row holds descenders.
  static final int HEIGHT = 7;

  private static final int SPACE = 2;

  /// Five columns a character from ' ' to '~', then '…'; the lowest bit is the top dot.
  // spotless:off
  private static final String COLUMNS =
      "0000000000 00005F0000 0007000700 147F147F14 242A7F2A12 2313086462 3649562050 0000070000 "
    + "001C224100 0041221C00 2A1C7F1C2A 08083E0808 0080600000 0808080808 0000606000 2010080402 "
    + "3E5149453E 00427F4000 4261514946 2141454B31 1814127F10 2745454539 3C4A494930 0171090503 "
    + "3649494936 064949291E 0000360000 0080760000 0814224100 1414141414 0041221408 0201510906 "
    + "324979413E 7E1111117E 7F49494936 3E41414122 7F4141221C 7F49494941 7F09090901 3E4149497A "
    + "7F0808087F 00417F4100 2040413F01 7F08142241 7F40404040 7F020C027F 7F0408107F 3E4141413E "
    + "7F09090906 3E4151215E 7F09192946 4649494931 01017F0101 3F4040403F 1F2040201F 3F4038403F "
    + "6314081463 0708700807 6151494543 007F414100 0204081020 0041417F00 0402010204 4040404040 "
    + "0001020400 2054545478 7F48444438 3844444428 384444487F 3854545418 087E090102 18A4A4A47C "
    + "7F08040478 00447D4000 4080847D00 7F10284400 00417F4000 7C04180478 7C08040478 3844444438 "
    + "FC24242418 18242428FC 7C08040408 4854545420 043F444020 3C4040207C 1C2040201C 3C4030403C "
    + "4428102844 1CA0A0A07C 4464544C44 0008364100 00007F0000 0041360800 0804081008 4000400040";
  // spotless:on

  private Glyphs() {}

  /// Returns the text in characters that there are letters for.
  static String printable(String text) {
    StringBuilder out = new StringBuilder();
    for (char c : Normalizer.normalize(text, Normalizer.Form.NFKD).toCharArray()) {
      switch (c) {
        case '‐', '‑', '–', '—', '−' -> out.append('-');
        case '‘', '’' -> out.append('\'');
        case '“', '”' -> out.append('"');
        case '×' -> out.append('x');
        default -> {
          if (Character.getType(c) != Character.NON_SPACING_MARK) {
            out.append(c >= ' ' && c <= '~' ? c : '?');
          }
        }
      }
    }
    return out.toString().replace("...", "…");
  }

  /// Returns a column of a letter of its own width, 0 to `width(c) − 1`.
  static int column(char c, int column) {
    return raw(c, first(c) + column);
  }

  /// Returns the width of a letter, without the gap behind it.
  static int width(char c) {
    int last = 4;
    while (last >= 0 && raw(c, last) == 0) {
      last--;
    }
    return last < 0 ? SPACE : last + 1 - first(c);
  }

  /// Returns the width of a text, one column between letters.
  static int width(String text) {
    int width = 0;
    for (int i = 0; i < text.length(); i++) {
      width += width(text.charAt(i)) + (i > 0 ? 1 : 0);
    }
    return width;
  }

  /// Returns the text, or as much of its begin as fits with an ellipsis.
  static String fit(String text, int width) {
    String printable = printable(text);
    if (width(printable) <= width) {
      return printable;
    }
    int length = printable.length();
    while (length > 0 && width(printable.substring(0, length).stripTrailing() + "…") > width) {
      length--;
    }
    return printable.substring(0, length).stripTrailing() + "…";
  }

  /// Returns the text in at most `most` lines, broken between words; what does not fit is cut off.
  static List<String> wrap(String text, int width, int most) {
    List<String> lines = new ArrayList<>();
    String rest = printable(text).strip();
    while (lines.size() < most - 1 && width(rest) > width) {
      int end = rest.lastIndexOf(' ');
      while (end > 0 && width(rest.substring(0, end)) > width) {
        end = rest.lastIndexOf(' ', end - 1);
      }
      if (end <= 0) { // one long word: broken nowhere
        break;
      }
      lines.add(rest.substring(0, end).stripTrailing());
      rest = rest.substring(end).strip();
    }
    lines.add(fit(rest, width));
    return lines;
  }

  private static int first(char c) {
    int first = 0;
    while (first < 4 && raw(c, first) == 0) {
      first++;
    }
    return c == ' ' ? 0 : first;
  }

  private static int raw(char c, int column) {
    int index = c == '…' ? 95 : c - ' ';
    int at = index * 11 + 2 * column;
    return Integer.parseInt(COLUMNS, at, at + 2, 16);
  }
}
