package spellshield.tools.image;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import spellshield.sampler.image.RgbImage;

/// From a decoder's raster to 8-bit samples, without any colour management.
///
/// `BufferedImage.getRGB` is avoided: it takes greys for linear light and moves them by up to 73
/// levels. Samples of more than 8 bits are shifted down, of less are spread over 0 to 255.
final class Samples {
  private Samples() {}

  /// What happens to what shines through.
  enum Alpha {
    /// The picture lies on white.
    OVER_WHITE,
    /// The colours stay as they are stored: what Pillow's `convert("RGB")` does.
    DROPPED
  }

  /// Returns the samples of a decoded picture.
  static RgbImage of(BufferedImage image, Alpha alpha) {
    if (image.getColorModel() instanceof IndexColorModel palette) {
      return ofPalette(image.getRaster(), palette, alpha);
    }
    Raster raster = image.getRaster();
    boolean transparent = image.getColorModel().hasAlpha() && alpha == Alpha.OVER_WHITE;
    int channels = raster.getNumBands() < 3 ? 1 : 3;
    return map(
        raster,
        channels,
        (in, out) -> {
          for (int c = 0; c < channels; c++) {
            out[c] = transparent ? overWhite(in[c], in[in.length - 1]) : in[c];
          }
        });
  }

  /// Returns the colours of four inks, stored inverted as Adobe does, by Pillow's plain formula: `R
  /// = K − C·K/255` with the stored K and `C = 255 − stored`, rounded.
  static RgbImage ofCmyk(Raster raster) {
    return map(
        raster,
        3,
        (in, out) -> {
          for (int c = 0; c < 3; c++) {
            out[c] = in[3] - by255((255 - in[c]) * in[3]);
          }
        });
  }

  /// The same for YCCK: libjpeg turns YCC into three inverted inks first.
  ///
  /// ```text
  /// C = 255 − (Y + 1.402·Cr), M = 255 − (Y − 0.34414·Cb − 0.71414·Cr), Y = 255 − (Y + 1.772·Cb)
  /// ```
  ///
  /// Source: `ycck_cmyk_convert` in libjpeg's jdcolor.c, 16-bit fixed point.
  static RgbImage ofYcck(Raster raster) {
    return map(
        raster,
        3,
        (in, out) -> {
          int cb = in[1] - 128;
          int cr = in[2] - 128;
          out[0] = in[0] + ((91881 * cr + 32768) >> 16);
          out[1] = in[0] + ((-22554 * cb - 46802 * cr + 32768) >> 16);
          out[2] = in[0] + ((116130 * cb + 32768) >> 16);
          for (int c = 0; c < 3; c++) {
            out[c] = in[3] - by255(Math.clamp(out[c], 0, 255) * in[3]);
          }
        });
  }

  private static RgbImage ofPalette(Raster raster, IndexColorModel palette, Alpha alpha) {
    int size = palette.getMapSize();
    int[] rgb = new int[size];
    boolean grey = true;
    for (int i = 0; i < size; i++) {
      int argb = palette.getRGB(i);
      for (int shift = 16; shift >= 0; shift -= 8) {
        int colour = (argb >> shift) & 0xff;
        int shown = alpha == Alpha.OVER_WHITE ? overWhite(colour, argb >>> 24) : colour;
        rgb[i] |= shown << shift;
      }
      grey &= (rgb[i] & 0xff) * 0x010101 == rgb[i];
    }
    int channels = grey ? 1 : 3;
    int width = raster.getWidth();
    byte[] samples = new byte[width * raster.getHeight() * channels];
    int[] row = new int[width];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
      for (int index : row) {
        for (int c = 0; c < channels; c++) {
          samples[at++] = (byte) (rgb[index] >> (8 * (channels - 1 - c)));
        }
      }
    }
    return new RgbImage(width, raster.getHeight(), channels, samples);
  }

  /// One pixel's samples, scaled to 0 to 255, to its colours.
  private interface PixelMap {
    void map(int[] in, int[] out);
  }

  private static RgbImage map(Raster raster, int channels, PixelMap pixelMap) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    int[] bits = raster.getSampleModel().getSampleSize();
    byte[] samples = new byte[width * raster.getHeight() * channels];
    int[] row = new int[width * bands];
    int[] in = new int[bands];
    int[] out = new int[channels];
    int at = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
      for (int x = 0; x < width; x++) {
        for (int b = 0; b < bands; b++) {
          in[b] = to8Bits(row[x * bands + b], bits[b]);
        }
        pixelMap.map(in, out);
        for (int sample : out) {
          samples[at++] = (byte) sample;
        }
      }
    }
    return new RgbImage(width, raster.getHeight(), channels, samples);
  }

  private static int to8Bits(int sample, int bits) {
    return bits >= 8 ? sample >> (bits - 8) : sample * 255 / ((1 << bits) - 1);
  }

  private static int overWhite(int colour, int alpha) {
    return by255(colour * alpha + 255 * (255 - alpha));
  }

  /// Returns `product / 255`, rounded to nearest.
  private static int by255(int product) {
    return (product + 127) / 255;
  }
}
