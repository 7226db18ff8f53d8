package spellshield.tools.image;

import java.io.ByteArrayOutputStream;

/// JPEG files of one flat 8×8 block per component, written bit by bit.
final class JpegBlocks {
  private JpegBlocks() {}

  /// Returns a file whose components have these samples.
  ///
  /// @param adobe the colour transform of an Adobe segment; below 0: none, and the components are
  ///   called R, G, B
  static byte[] flat(int[] samples, int adobe) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    put(out, 0xff, 0xd8);
    if (adobe >= 0) {
      put(out, 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, adobe);
    }
    put(out, 0xff, 0xdb, 0, 67, 0);
    for (int i = 0; i < 64; i++) {
      put(out, 1); // quantised by 1
    }
    int n = samples.length;
    put(out, 0xff, 0xc0, 0, 8 + 3 * n, 8, 0, 8, 0, 8, n);
    for (int c = 0; c < n; c++) {
      put(out, id(c, adobe), 0x11, 0);
    }
    // DC: 12 categories, all with codes of 4 bits; AC: only "end of block", one bit
    put(out, 0xff, 0xc4, 0, 19 + 12, 0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    for (int category = 0; category < 12; category++) {
      put(out, category);
    }
    put(out, 0xff, 0xc4, 0, 19 + 1, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    put(out, 0xff, 0xda, 0, 6 + 2 * n, n);
    for (int c = 0; c < n; c++) {
      put(out, id(c, adobe), 0);
    }
    put(out, 0, 63, 0);
    StringBuilder bits = new StringBuilder();
    for (int sample : samples) {
      int dc = (sample - 128) * 8; // the DC term is eight times the mean
      int category = 32 - Integer.numberOfLeadingZeros(Math.abs(dc));
      bits.append(binary(category, 4));
      bits.append(binary(dc < 0 ? dc + (1 << category) - 1 : dc, category));
      bits.append('0'); // end of block
    }
    while (bits.length() % 8 != 0) {
      bits.append('1');
    }
    for (int i = 0; i < bits.length(); i += 8) {
      int value = Integer.parseInt(bits, i, i + 8, 2);
      put(out, value);
      if (value == 0xff) {
        put(out, 0);
      }
    }
    put(out, 0xff, 0xd9);
    return out.toByteArray();
  }

  private static int id(int component, int adobe) {
    return switch (adobe) {
      case -1 -> "RGB".charAt(component);
      case -2 -> component + 7;
      default -> component + 1;
    };
  }

  private static String binary(int value, int bits) {
    StringBuilder text = new StringBuilder();
    for (int bit = bits - 1; bit >= 0; bit--) {
      text.append((value >> bit) & 1);
    }
    return text.toString();
  }

  private static void put(ByteArrayOutputStream out, int... values) {
    for (int value : values) {
      out.write(value);
    }
  }
}
