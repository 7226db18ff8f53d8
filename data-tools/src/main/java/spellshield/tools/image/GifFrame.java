package spellshield.tools.image;

import java.io.IOException;

/// The first frame of a GIF and its place on the screen.
final class GifFrame {
  private GifFrame() {}

  static Container parse(byte[] file) throws IOException {
    int width = Container.little(file, 6, 2);
    int height = Container.little(file, 8, 2);
    int at = 13 + colourTable(Container.little(file, 10, 1));
    while (Container.little(file, at, 1) == 0x21) { // an extension: label, then sub-blocks
      at += 2;
      int size;
      do {
        size = Container.little(file, at, 1);
        at += 1 + size;
      } while (size > 0);
    }
    if (Container.little(file, at, 1) != 0x2c) {
      throw new IOException("damaged GIF: no frame at byte " + at + "; fetch the file again");
    }
    int left = Container.little(file, at + 1, 2);
    int top = Container.little(file, at + 3, 2);
    // A frame may reach beyond the screen; the screen then grows, as it does in Pillow.
    width = Math.max(width, left + Container.little(file, at + 5, 2));
    height = Math.max(height, top + Container.little(file, at + 7, 2));
    return new Container("gif", width, height, 1, file, new Container.Layout.Placed(left, top));
  }

  private static int colourTable(int flags) {
    return (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);
  }
}
