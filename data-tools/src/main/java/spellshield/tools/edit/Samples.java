package spellshield.tools.edit;

import spellshield.sampler.image.RgbImage;

/// Pictures sample by sample.
final class Samples {
  private Samples() {}

  /// What a sample becomes, before it is rounded (half to even) and clamped to 0 to 255.
  @FunctionalInterface
  interface Formula {
    double at(int x, int y, int channel);
  }

  static RgbImage map(RgbImage like, Formula formula) {
    return map(like.width(), like.height(), like.channels(), formula);
  }

  /// Returns the picture of a formula, asked row by row, from the left, channel by channel.
  static RgbImage map(int width, int height, int channels, Formula formula) {
    byte[] samples = new byte[width * height * channels];
    int at = 0;
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        for (int channel = 0; channel < channels; channel++) {
          samples[at++] = (byte) Math.rint(Math.clamp(formula.at(x, y, channel), 0.0, 255.0));
        }
      }
    }
    return new RgbImage(width, height, channels, samples);
  }

  /// Returns the picture convolved with a Gaussian, rows first, rounded once at the end.
  static RgbImage blur(RgbImage image, double sigma) {
    int reach = (int) Math.ceil(3 * sigma);
    double[] weights = new double[2 * reach + 1];
    double sum = 0;
    for (int i = -reach; i <= reach; i++) {
      weights[i + reach] = Math.exp(-i * i / (2 * sigma * sigma));
      sum += weights[i + reach];
    }
    int width = image.width();
    int channels = image.channels();
    double[] rows = new double[image.samples().length];
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < width; x++) {
        for (int channel = 0; channel < channels; channel++) {
          double value = 0;
          for (int i = -reach; i <= reach; i++) {
            value += weights[i + reach] * image.sample(Math.clamp(x + i, 0, width - 1), y, channel);
          }
          rows[(y * width + x) * channels + channel] = value / sum;
        }
      }
    }
    double total = sum;
    int last = image.height() - 1;
    return map(
        image,
        (x, y, channel) -> {
          double value = 0;
          for (int i = -reach; i <= reach; i++) {
            int row = Math.clamp(y + i, 0, last);
            value += weights[i + reach] * rows[(row * width + x) * channels + channel];
          }
          return value / total;
        });
  }
}
