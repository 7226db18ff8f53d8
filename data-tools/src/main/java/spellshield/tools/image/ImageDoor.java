package spellshield.tools.image;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import spellshield.sampler.image.RgbImage;

/// The one door through which pictures come in.
///
/// Nothing about a file is believed: its first bytes decide what it is, its header is judged before
/// anything is decoded, a decoder's warning is an error (a truncated JPEG only warns), and every
/// failure is an [UnreadableImageException].
///
/// Pixels are those of Pillow 12: no colour profile, no EXIF rotation, grey stays grey (1 channel),
/// palettes are expanded, 16-bit samples are shifted to 8, of an animation the first frame counts.
/// One thing differs: what shines through is laid on white, where `convert("RGB")` would show the
/// colours hidden under it.
///
/// There is no time limit: who reads files of strangers in a service runs this in a child process.
public final class ImageDoor {
  /// Larger files are not read, in bytes.
  public static final long MAX_FILE = 256L << 20;

  /// Larger pictures are not read, in pixels.
  public static final long MAX_PIXELS = 64_000_000;

  /// Pictures with longer sides are refused: no JPEG has any, and scaling one takes gigabytes.
  private static final int MAX_SIDE = 65_535;

  /// No honest file unpacks to more samples per byte (OpenImageIO's figure).
  private static final long MAX_RATIO = 10_000;

  private ImageDoor() {}

  /// Reads a picture.
  ///
  /// @throws UnreadableImageException whatever is wrong with it
  public static RgbImage read(Path file) throws UnreadableImageException {
    return read(bytes(file), file.toString());
  }

  /// Reads a picture from a file's bytes.
  ///
  /// @param name what the user calls it, for messages
  /// @throws UnreadableImageException whatever is wrong with it
  public static RgbImage read(byte[] file, String name) throws UnreadableImageException {
    return read(file, name, Samples.Alpha.OVER_WHITE);
  }

  static RgbImage read(byte[] file, String name, Samples.Alpha alpha)
      throws UnreadableImageException {
    Container container;
    try {
      container = Container.parse(file);
      judge(container, file.length);
    } catch (IOException | ArithmeticException e) {
      throw new UnreadableImageException(name, String.valueOf(e.getMessage()));
    }
    try {
      return decode(container, alpha);
    } catch (VirtualMachineError e) {
      throw e; // out of memory is not the file's fault
    } catch (Throwable e) { // decoders throw anything at damaged files
      String said = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new UnreadableImageException(
          name,
          "damaged %s (%s); fetch the file again or remove it"
              .formatted(container.format().toUpperCase(Locale.ROOT), said));
    }
  }

  /// Says whether a file that begins so is of a format that is read, whole or not.
  public static boolean isImage(byte[] start) {
    return Container.format(start).isPresent();
  }

  /// Returns the bytes of a file, which is not decoded.
  ///
  /// @throws UnreadableImageException if it is too large, none, or cannot be read
  public static byte[] bytes(Path file) throws UnreadableImageException {
    String name = file.toString();
    if (Files.isDirectory(file)) {
      throw new UnreadableImageException(name, "a folder, not an image; name a file");
    }
    if (!Files.isRegularFile(file)) {
      boolean there = Files.exists(file, LinkOption.NOFOLLOW_LINKS);
      throw new UnreadableImageException(
          name,
          there
              ? "not a regular file (a broken link or a device); copy the image itself here"
              : "no such file; check the path");
    }
    try (InputStream in = Files.newInputStream(file)) {
      long size = Files.size(file);
      byte[] bytes = size > MAX_FILE ? new byte[0] : in.readNBytes((int) MAX_FILE + 1);
      if (Math.max(size, bytes.length) > MAX_FILE) {
        throw new UnreadableImageException(
            name,
            "%d MB, but at most %d MB are read; make it smaller"
                .formatted(size >> 20, MAX_FILE >> 20));
      }
      return bytes;
    } catch (UnreadableImageException e) {
      throw e;
    } catch (IOException e) {
      throw new UnreadableImageException(name, "cannot be read from the disk (" + e + ")");
    }
  }

  /// Judges a header before anything is decoded.
  private static void judge(Container container, int fileSize) throws IOException {
    long pixels = (long) container.width() * container.height();
    if (container.width() < 1 || container.height() < 1) {
      throw new IOException(
          "a picture of %d×%d pixels; fetch the file again or remove it"
              .formatted(container.width(), container.height()));
    }
    if (pixels > MAX_PIXELS) {
      throw new IOException(
          "%d×%d pixels, but at most %d million are read; make it smaller"
              .formatted(container.width(), container.height(), MAX_PIXELS / 1_000_000));
    }
    if (Math.max(container.width(), container.height()) > MAX_SIDE) {
      throw new IOException(
          "%d×%d pixels, but sides of at most %d are read; cut it into parts"
              .formatted(container.width(), container.height(), MAX_SIDE));
    }
    if (pixels * container.bands() > MAX_RATIO * fileSize) {
      throw new IOException(
          "%d bytes claim %d×%d pixels, as decompression bombs do; save the picture anew if it is one"
              .formatted(fileSize, container.width(), container.height()));
    }
  }

  private static RgbImage decode(Container container, Samples.Alpha alpha) throws IOException {
    ImageReader reader = reader(container.format());
    String[] warning = new String[1];
    reader.addIIOReadWarningListener((source, text) -> warning[0] = text);
    try (ImageInputStream in =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(container.bytes()))) {
      reader.setInput(in, true, true);
      if (reader.getWidth(0) > container.width() || reader.getHeight(0) > container.height()) {
        throw new IOException("it is larger than its header says");
      }
      RgbImage image =
          switch (container.layout()) {
            case Container.Layout.Plain() -> Samples.of(reader.read(0), alpha);
            case Container.Layout.Raw(Container.Ink ink) -> ink.toRgb(reader.readRaster(0, null));
            case Container.Layout.Placed(int left, int top) ->
                Samples.of(place(reader.read(0), left, top, container), alpha);
          };
      if (warning[0] != null) {
        throw new IOException(warning[0]);
      }
      return image;
    } finally {
      reader.dispose();
    }
  }

  /// Returns a frame at its place on a transparent screen.
  private static BufferedImage place(BufferedImage frame, int left, int top, Container screen) {
    if (frame.getWidth() == screen.width() && frame.getHeight() == screen.height()) {
      return frame;
    }
    BufferedImage whole =
        new BufferedImage(screen.width(), screen.height(), BufferedImage.TYPE_INT_ARGB);
    for (int y = 0; y < frame.getHeight(); y++) {
      for (int x = 0; x < frame.getWidth(); x++) {
        whole.setRGB(left + x, top + y, frame.getRGB(x, y)); // a table look-up: GIFs have palettes
      }
    }
    return whole;
  }

  /// Returns the JDK's own decoder where there is one: others manage colours.
  private static ImageReader reader(String format) throws IOException {
    ImageReader found = null;
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      if (found == null || reader.getClass().getModule() == ImageIO.class.getModule()) {
        found = reader;
      }
    }
    if (found == null) {
      throw new IOException("no decoder for it on the class path");
    }
    return found;
  }
}
