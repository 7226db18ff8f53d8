package spellshield.tools.report;

import spellshield.sampler.image.RgbImage;

/// A white picture to draw on.
final class Canvas {
  private final RgbImage image;

  Canvas(int width, int height) {
    image = RgbImage.filled(width, height, 0xffffff);
  }

  RgbImage image() {
    return image;
  }

  void fill(int left, int top, int width, int height, int rgb) {
    for (int y = top; y < top + height; y++) {
      for (int x = left; x < left + width; x++) {
        set(x, y, rgb);
      }
    }
  }

  /// Draws a picture, each pixel as `scale × scale` dots.
  void picture(RgbImage picture, int left, int top, int scale) {
    int last = picture.channels() - 1;
    for (int y = 0; y < picture.height(); y++) {
      for (int x = 0; x < picture.width(); x++) {
        int rgb =
            (picture.sample(x, y, 0) << 16)
                | (picture.sample(x, y, Math.min(1, last)) << 8)
                | picture.sample(x, y, last);
        fill(left + x * scale, top + y * scale, scale, scale, rgb);
      }
    }
  }

  /// Draws a text that [Glyphs#fit] made; (`left`, `top`) is the corner of its first capital.
  void text(String text, int left, int top, int scale, int rgb) {
    int x = left;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      for (int column = 0; column < Glyphs.width(c); column++) {
        int dots = Glyphs.column(c, column);
        for (int row = 0; row < 8; row++) {
          if (((dots >> row) & 1) == 1) {
            fill(x, top + row * scale, scale, scale, rgb);
          }
        }
        x += scale;
      }
      x += scale;
    }
  }

  /// Draws a line of `width` dots; what lies beside the picture is cut off.
  void line(double fromX, double fromY, double toX, double toY, int width, int rgb) {
    double steps = Math.max(1, Math.ceil(Math.max(Math.abs(toX - fromX), Math.abs(toY - fromY))));
    for (int i = 0; i <= steps; i++) {
      int left = (int) Math.rint(fromX + (toX - fromX) * i / steps) - width / 2;
      int top = (int) Math.rint(fromY + (toY - fromY) * i / steps) - width / 2;
      clipped(left, top, width, width, rgb);
    }
  }

  private void clipped(int left, int top, int width, int height, int rgb) {
    int x = Math.max(0, left);
    int y = Math.max(0, top);
    fill(
        x,
        y,
        Math.min(image.width(), left + width) - x,
        Math.min(image.height(), top + height) - y,
        rgb);
  }

  private void set(int x, int y, int rgb) {
    int at = (y * image.width() + x) * 3;
    image.samples()[at] = (byte) (rgb >> 16);
    image.samples()[at + 1] = (byte) (rgb >> 8);
    image.samples()[at + 2] = (byte) rgb;
  }
}
