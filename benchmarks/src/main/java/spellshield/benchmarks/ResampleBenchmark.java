package spellshield.benchmarks;

import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Resample;

/// `./shield bench Resample`
///
/// The centre crop of a picture of ImageNet's usual size, 500×375, to a square: as ADM and Pillow
/// make it, bit for bit, and by Java2D. Java2D's bicubic looks at 4×4 pixels of the picture for
/// each of the result, however many lie between: at 64 at less than half of them, where the rule
/// halves twice first. *halved* does so with Java2D, too.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class ResampleBenchmark {
  private static final int WIDTH = 500;
  private static final int HEIGHT = 375;

  @Param({"64", "256", "512"})
  int side;

  private RgbImage image;
  private BufferedImage same;

  /// Draws the picture; how long it takes does not depend on what it shows.
  @Setup
  public void draw() {
    SplittableRandom random = new SplittableRandom(4);
    byte[] samples = new byte[WIDTH * HEIGHT * 3];
    random.nextBytes(samples);
    image = new RgbImage(WIDTH, HEIGHT, 3, samples);
    same = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB); // Java2D's fastest
    for (int y = 0; y < HEIGHT; y++) {
      for (int x = 0; x < WIDTH; x++) {
        same.setRGB(
            x, y, image.sample(x, y, 0) << 16 | image.sample(x, y, 1) << 8 | image.sample(x, y, 2));
      }
    }
  }

  @Benchmark
  public RgbImage pillow() {
    return Resample.centreCrop(image, side, side);
  }

  @Benchmark
  public BufferedImage java2d() {
    return square(same);
  }

  @Benchmark
  public BufferedImage java2dHalved() {
    BufferedImage halved = same;
    while (halved.getWidth() >= 2 * side && halved.getHeight() >= 2 * side) {
      int width = halved.getWidth() / 2;
      int height = halved.getHeight() / 2;
      BufferedImage half = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
      Graphics2D graphics = half.createGraphics();
      graphics.setRenderingHint(
          RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
      graphics.drawImage(halved, 0, 0, width, height, null);
      graphics.dispose();
      halved = half;
    }
    return square(halved);
  }

  private BufferedImage square(BufferedImage from) {
    BufferedImage to = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = to.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
    int shorter = Math.min(from.getWidth(), from.getHeight());
    int left = (from.getWidth() - shorter) / 2;
    int top = (from.getHeight() - shorter) / 2;
    graphics.drawImage(from, 0, 0, side, side, left, top, left + shorter, top + shorter, null);
    graphics.dispose();
    return to;
  }
}
