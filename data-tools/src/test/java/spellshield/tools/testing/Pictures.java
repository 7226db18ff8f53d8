package spellshield.tools.testing;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import spellshield.sampler.image.RgbImage;

/// Pictures and files made on the spot.
public final class Pictures {
  private Pictures() {}

  /// Returns noise.
  public static RgbImage noise(SplittableRandom random, int width, int height, int channels) {
    byte[] samples = new byte[width * height * channels];
    random.nextBytes(samples);
    return new RgbImage(width, height, channels, samples);
  }

  /// Returns a smooth picture: three waves of random direction.
  public static RgbImage smooth(SplittableRandom random, int width, int height) {
    byte[] samples = new byte[width * height * 3];
    for (int c = 0; c < 3; c++) {
      double fx = random.nextDouble(0.05, 0.3);
      double fy = random.nextDouble(0.05, 0.3);
      double phase = random.nextDouble(6);
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          samples[(y * width + x) * 3 + c] = (byte) (128 + 100 * Math.sin(fx * x + fy * y + phase));
        }
      }
    }
    return new RgbImage(width, height, 3, samples);
  }

  /// Returns a JPEG file of ImageIO's default quality.
  public static byte[] jpeg(RgbImage image) throws IOException {
    boolean grey = image.channels() == 1;
    BufferedImage picture =
        new BufferedImage(
            image.width(),
            image.height(),
            grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        for (int c = 0; c < image.channels(); c++) {
          picture.getRaster().setSample(x, y, c, image.sample(x, y, c));
        }
      }
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(picture, "jpeg", out);
    return out.toByteArray();
  }

  /// Returns a PNG file from scanlines without filter bytes.
  public static byte[] png(int width, int height, int bits, int colourType, byte[] lines)
      throws IOException {
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    header.put((byte) bits).put((byte) colourType);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    int line = lines.length / height;
    try (DeflaterOutputStream deflater = new DeflaterOutputStream(packed)) {
      for (int y = 0; y < height; y++) {
        deflater.write(0);
        deflater.write(lines, y * line, line);
      }
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes("\u0089PNG\r\n\u001a\n".getBytes(StandardCharsets.ISO_8859_1));
    out.writeBytes(chunk("IHDR", header.array()));
    out.writeBytes(chunk("IDAT", packed.toByteArray()));
    out.writeBytes(chunk("IEND", new byte[0]));
    return out.toByteArray();
  }

  /// Returns one chunk of a PNG file.
  public static byte[] chunk(String type, byte[] content) {
    ByteBuffer chunk = ByteBuffer.allocate(content.length + 12).putInt(content.length);
    chunk.put(type.getBytes(StandardCharsets.ISO_8859_1)).put(content);
    CRC32 crc = new CRC32();
    crc.update(chunk.array(), 4, content.length + 4);
    return chunk.putInt((int) crc.getValue()).array();
  }
}
