package spellshield.tools.report;

import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Resample;

/// What a plot is drawn with: dots or SVG. Coordinates are dots of the finished picture.
sealed interface Pen {
  /// Letters are this high.
  int LETTER = 7 * 2;

  void line(double fromX, double fromY, double toX, double toY, int width, int rgb);

  /// Fills between two heights at `x`, `width` wide.
  void column(double x, double width, double fromY, double toY, int rgb);

  /// Writes a text; (`left`, `top`) is the corner of its first capital.
  void text(String text, double left, double top, int rgb);

  /// Returns the width of a text, in dots.
  double width(String text);

  /// Dots, twice as fine as asked for and averaged in the end, which smooths edges.
  final class Dots implements Pen {
    private static final int FINE = 2;
    private final int width;
    private final int height;
    private final Canvas canvas;

    Dots(int width, int height) {
      this.width = width;
      this.height = height;
      this.canvas = new Canvas(width * FINE, height * FINE);
    }

    RgbImage image() {
      return Resample.resize(canvas.image(), width, height, Resample.Filter.BOX);
    }

    @Override
    public void line(double fromX, double fromY, double toX, double toY, int width, int rgb) {
      canvas.line(fromX * FINE, fromY * FINE, toX * FINE, toY * FINE, width * FINE, rgb);
    }

    @Override
    public void column(double x, double width, double fromY, double toY, int rgb) {
      int left = (int) Math.rint(x * FINE);
      int top = (int) Math.rint(Math.min(fromY, toY) * FINE);
      int bottom = (int) Math.rint(Math.max(fromY, toY) * FINE);
      int right = (int) Math.rint((x + width) * FINE);
      canvas.fill(left, top, right - left, bottom - top, rgb);
    }

    @Override
    public void text(String text, double left, double top, int rgb) {
      String printable = Glyphs.printable(text);
      canvas.text(
          printable, (int) Math.rint(left * FINE), (int) Math.rint(top * FINE), 2 * FINE, rgb);
    }

    @Override
    public double width(String text) {
      return Glyphs.width(Glyphs.printable(text)) * 2;
    }
  }

  /// SVG, for documents.
  final class Svg implements Pen {
    private final StringBuilder body = new StringBuilder();
    private final int width;
    private final int height;

    Svg(int width, int height) {
      this.width = width;
      this.height = height;
    }

    String document() {
      return """
      <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">
      <rect width="100%%" height="100%%" fill="#ffffff"/>
      <g font-family="sans-serif" font-size="%d" stroke-linecap="round">
      """
              .formatted(width, height, width, height, LETTER + 2)
          + body
          + "</g>\n</svg>\n";
    }

    @Override
    public void line(double fromX, double fromY, double toX, double toY, int width, int rgb) {
      body.append(
          "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"#%06x\" stroke-width=\"%d\"/>%n"
              .formatted(fromX, fromY, toX, toY, rgb, width));
    }

    @Override
    public void column(double x, double width, double fromY, double toY, int rgb) {
      body.append(
          "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"#%06x\"/>%n"
              .formatted(x, Math.min(fromY, toY), width, Math.abs(toY - fromY), rgb));
    }

    @Override
    public void text(String text, double left, double top, int rgb) {
      String escaped = text.replace("&", "&amp;").replace("<", "&lt;");
      body.append(
          "<text x=\"%.1f\" y=\"%.1f\" fill=\"#%06x\">%s</text>%n"
              .formatted(left, top + LETTER - 2, rgb, escaped));
    }

    @Override
    public double width(String text) {
      return text.length() * LETTER * 0.55; // about, as the font is the reader's
    }
  }
}
