package spellshield.tools.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;

/// The segments of a JPEG file in front of its first scan.
///
/// Of the application segments none reaches the decoder: no colour profile (Pillow does not apply
/// it, ImageIO would), no EXIF, no thumbnails. The colour space is decided here by the rules of
/// libjpeg and told the decoder by an Adobe segment: ImageIO has rules of its own, and takes a file
/// with a JFIF segment and unusual names of components for RGB.
///
/// ```text
/// 1 component    grey
/// 3 components   JFIF: YCbCr; else Adobe: RGB if its transform is 0, else YCbCr;
///                else RGB if the components are called R, G, B, else YCbCr
/// 4 components   Adobe with transform 2: YCCK; else CMYK
/// ```
///
/// Source: `default_decompress_parms` in libjpeg's jdapimin.c.
final class JpegSegments {
  private static final byte[] ADOBE = {
    (byte) 0xff, (byte) 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0
  };

  private final byte[] file;
  private final ByteArrayOutputStream kept = new ByteArrayOutputStream();
  private boolean jfif;
  private int adobeTransform = -1; // -1: no Adobe segment
  private int frame; // where the frame header's content begins, 0 before it was met

  private JpegSegments(byte[] file) {
    this.file = file;
  }

  static Container parse(byte[] file) throws IOException {
    return new JpegSegments(file).parse();
  }

  private Container parse() throws IOException {
    int at = 2; // behind SOI
    while (true) {
      Container.require(at, 4, file.length);
      if ((file[at] & 0xff) != 0xff) {
        throw new IOException("damaged JPEG: no marker at byte " + at + "; fetch the file again");
      }
      int marker = file[at + 1] & 0xff;
      if (marker == 0xff) { // fill byte
        at++;
        continue;
      }
      if (marker == 0xda) { // the first scan: the rest is the decoder's
        return container(at);
      }
      int length = Container.big(file, at + 2, 2);
      if (length < 2 || marker == 0xd8 || marker == 0xd9) {
        throw new IOException("damaged JPEG: no picture before byte " + at + "; fetch it again");
      }
      Container.require(at + 2, length, file.length);
      segment(marker, at, length);
      at += 2 + length;
    }
  }

  private void segment(int marker, int at, int length) throws IOException {
    switch (marker) {
      case 0xe0 -> jfif |= Container.startsWith(file, at + 4, "JFIF\0");
      case 0xee -> {
        if (length >= 14 && Container.startsWith(file, at + 4, "Adobe")) {
          adobeTransform = file[at + 15] & 0xff;
        }
      }
      case 0xc0, 0xc1, 0xc2 -> {
        if (frame != 0 || length < 11) {
          throw new IOException("damaged JPEG: a second or short frame header; fetch it again");
        }
        frame = at + 4;
        kept.write(file, at, length + 2);
      }
      case 0xc4, 0xdb, 0xdd -> kept.write(file, at, length + 2); // tables, restart interval
      case 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf ->
          throw new IOException(
              "a lossless, hierarchical or arithmetic JPEG (marker %02x) is not read; save it as PNG"
                  .formatted(marker));
      default -> {} // application data and comments
    }
  }

  private Container container(int scan) throws IOException {
    if (frame == 0) {
      throw new IOException("damaged JPEG: no frame header before the scan; fetch it again");
    }
    int precision = file[frame] & 0xff;
    int height = Container.big(file, frame + 1, 2);
    int width = Container.big(file, frame + 3, 2);
    int components = file[frame + 5] & 0xff;
    if (precision != 8 || (components != 1 && components != 3 && components != 4)) {
      throw new IOException(
          "a JPEG of %d components of %d bits is not read; save it as PNG"
              .formatted(components, precision));
    }
    Container.require(frame + 6, 3L * components, file.length);
    Container.Layout layout =
        components < 4
            ? new Container.Layout.Plain()
            : new Container.Layout.Raw(adobeTransform == 2 ? Samples::ofYcck : Samples::ofCmyk);
    ByteArrayOutputStream out = new ByteArrayOutputStream(file.length + ADOBE.length + 1);
    out.write(0xff);
    out.write(0xd8);
    if (components == 3) {
      out.writeBytes(ADOBE);
      out.write(rgb() ? 0 : 1);
    }
    kept.writeTo(out);
    out.write(file, scan, file.length - scan);
    return new Container("jpeg", width, height, components, out.toByteArray(), layout);
  }

  private boolean rgb() {
    if (jfif || adobeTransform >= 0) {
      return !jfif && adobeTransform == 0;
    }
    return file[frame + 6] == 'R' && file[frame + 9] == 'G' && file[frame + 12] == 'B';
  }
}
