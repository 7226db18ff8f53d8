package spellshield.sampler.image;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import spellshield.index.store.Hashes;

/// A picture of 8-bit samples, grey or red, green, blue.
///
/// Sample `c` of the pixel in column `x` and row `y` is `samples[(y·width + x)·channels + c]`, 0 to
/// 255. The array is not copied: whoever hands it over stops writing to it.
///
/// @param width in pixels, at least 1
/// @param height in pixels, at least 1
/// @param channels 1 (grey) or 3 (red, green, blue)
/// @param samples row by row, interleaved, `width · height · channels` bytes
public record RgbImage(int width, int height, int channels, byte[] samples) {
  public RgbImage {
    if (width < 1 || height < 1) {
      throw new IllegalArgumentException(
          "an image is at least 1×1, but was %d×%d".formatted(width, height));
    }
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException("an image has 1 or 3 channels, but had " + channels);
    }
    if ((long) width * height * channels != samples.length) {
      throw new IllegalArgumentException(
          "an image of %d×%d×%d has %d samples, but got %d"
              .formatted(
                  width, height, channels, (long) width * height * channels, samples.length));
    }
  }

  /// Returns an image of one colour, `0xRRGGBB`, with 3 channels.
  public static RgbImage filled(int width, int height, int rgb) {
    byte[] samples = new byte[Math.multiplyExact(Math.multiplyExact(width, height), 3)];
    for (int i = 0; i < samples.length; i += 3) {
      samples[i] = (byte) (rgb >> 16);
      samples[i + 1] = (byte) (rgb >> 8);
      samples[i + 2] = (byte) rgb;
    }
    return new RgbImage(width, height, 3, samples);
  }

  /// Returns a sample, 0 to 255.
  public int sample(int x, int y, int channel) {
    return samples[(y * width + x) * channels + channel] & 0xff;
  }

  /// Returns this picture with so many channels: grey is repeated, colour becomes its luma.
  ///
  /// Luma is Pillow's: `(19595·R + 38470·G + 7471·B + 2¹⁵) >> 16`, ITU-R 601.
  public RgbImage withChannels(int wanted) {
    if (wanted == channels) {
      return this;
    }
    if (wanted != 1 && wanted != 3) {
      throw new IllegalArgumentException("an image has 1 or 3 channels, but " + wanted + " wanted");
    }
    byte[] out = new byte[width * height * wanted];
    for (int pixel = 0; pixel < width * height; pixel++) {
      if (wanted == 3) {
        Arrays.fill(out, 3 * pixel, 3 * pixel + 3, samples[pixel]);
      } else {
        int red = samples[3 * pixel] & 0xff;
        int green = samples[3 * pixel + 1] & 0xff;
        int blue = samples[3 * pixel + 2] & 0xff;
        out[pixel] = (byte) ((19595 * red + 38470 * green + 7471 * blue + (1 << 15)) >> 16);
      }
    }
    return new RgbImage(width, height, wanted, out);
  }

  /// Returns the SHA-256, in hex, of width and height, 4 bytes each, the higher first, and of the
  /// samples.
  public String sha256() {
    MessageDigest digest = Hashes.sha256();
    digest.update(ByteBuffer.allocate(8).putInt(width).putInt(height).array());
    return HexFormat.of().formatHex(digest.digest(samples));
  }

  /// Returns the mirror image, left and right exchanged.
  public RgbImage mirrored() {
    byte[] out = new byte[samples.length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int from = (y * width + x) * channels;
        int to = (y * width + width - 1 - x) * channels;
        System.arraycopy(samples, from, out, to, channels);
      }
    }
    return new RgbImage(width, height, channels, out);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof RgbImage that
        && width == that.width
        && height == that.height
        && channels == that.channels
        && Arrays.equals(samples, that.samples);
  }

  @Override
  public int hashCode() {
    return ((width * 31 + height) * 31 + channels) * 31 + Arrays.hashCode(samples);
  }

  @Override
  public String toString() {
    return "%d×%d, %s".formatted(width, height, channels == 1 ? "grey" : "colour");
  }
}
