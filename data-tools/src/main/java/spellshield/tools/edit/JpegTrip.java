package spellshield.tools.edit;

import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.ImageDoor;

/// To a JPEG file and back.
///
/// The JDK's encoder scales the tables of the standard by a quality as libjpeg does, and halves the
/// chroma in both directions.
final class JpegTrip {
  private JpegTrip() {}

  static RgbImage of(RgbImage image, int quality) {
    try {
      byte[] file = write(image, quality / 100f);
      return ImageDoor.read(file, "JPEG").withChannels(image.channels());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] write(RgbImage image, float quality) throws IOException {
    boolean grey = image.channels() == 1;
    BufferedImage buffered =
        new BufferedImage(
            image.width(),
            image.height(),
            grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
    WritableRaster raster = buffered.getRaster();
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        for (int channel = 0; channel < image.channels(); channel++) {
          raster.setSample(x, y, channel, image.sample(x, y, channel));
        }
      }
    }
    ImageWriter writer = jdkWriter();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(bytes)) {
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(quality);
      writer.setOutput(out);
      writer.write(null, new IIOImage(buffered, null, null), param);
    } finally {
      writer.dispose();
    }
    return bytes.toByteArray();
  }

  /// Returns the JDK's own encoder, whatever others are on the class path.
  private static ImageWriter jdkWriter() {
    var writers = ImageIO.getImageWritersByFormatName("jpeg");
    while (writers.hasNext()) {
      ImageWriter writer = writers.next();
      if (writer.getClass().getModule() == ImageIO.class.getModule()) {
        return writer;
      }
    }
    throw new AssertionError("every JDK writes JPEG");
  }
}
