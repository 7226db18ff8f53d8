package spellshield.tools.codec;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import spellshield.index.store.LatentSpace;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Resample;

/// The codec without a network: the latent is the picture, scaled to a standard deviation of ½.
///
/// ```text
/// z = (pixel/255 − mean) · 0.5/std        planar, [C, H, W]
/// pixel = round(clamp((z · std/0.5 + mean) · 255, 0, 255))        half to even
/// ```
///
/// Pictures of another size are cropped first ([Resample#fit]). What was decoded is encoded again
/// without loss: `encode(decode(encode(x))) = encode(x)`, see
/// `PixelCodecTest.decoding_and_encoding_again_changes_no_bit`. The ½ is EDM's σ_data.
///
/// @param width of the pictures in pixels
/// @param height of the pictures in pixels
/// @param channels 1 or 3
/// @param mean of the samples, 0 to 1
/// @param std standard deviation of the samples, 0.0001 to 1
/// @param crop how pictures of other sizes are brought to this one
public record PixelCodec(int width, int height, int channels, double mean, double std, Crop crop)
    implements Codec {
  private static final int LARGEST = 4096; // pixels a side

  private static final Pattern DESCRIPTION =
      Pattern.compile(
          "pixels-v1 (\\d{1,4})x(\\d{1,4})x([13]) mean=([01]\\.\\d{4,30}) std=([01]\\.\\d{4,30})"
              + " crop=([a-z]+)");

  public PixelCodec {
    if (width < 1 || height < 1 || width > LARGEST || height > LARGEST) {
      throw new IllegalArgumentException(
          "pictures are 1 to %d pixels wide and high, but %d×%d was asked"
              .formatted(LARGEST, width, height));
    }
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException("channels must be 1 or 3, but was " + channels);
    }
    if (!(mean >= 0 && mean <= 1)) {
      throw new IllegalArgumentException("mean must lie in [0, 1], but was " + mean);
    }
    if (!(std >= 1e-4 && std <= 1)) {
      throw new IllegalArgumentException("std must lie in [0.0001, 1], but was " + std);
    }
  }

  /// Returns the codec for the pictures' own mean and standard deviation, to four decimals.
  ///
  /// The sums are exact, so the order of the pictures does not matter.
  ///
  /// @param images at least one; read once, one at a time
  /// @throws IllegalArgumentException if there are none, or all samples are equal
  public static PixelCodec fit(
      int width, int height, int channels, Crop crop, Stream<RgbImage> images) {
    PixelCodec raw = new PixelCodec(width, height, channels, 0, 1, crop);
    long[] sums = new long[3]; // count, Σ p, Σ p²
    images
        .sequential()
        .forEachOrdered(image -> {
          byte[] samples = raw.prepare(image).samples();
          sums[0] += samples.length;
          for (byte sample : samples) {
            int p = sample & 0xff;
            sums[1] += p;
            sums[2] += (long) p * p;
          }
        });
    if (sums[0] == 0) {
      throw new IllegalArgumentException(
          "no pictures to take the mean of; name a folder with some");
    }
    double mean = (double) sums[1] / sums[0];
    double variance = (double) sums[2] / sums[0] - mean * mean;
    double std = round(Math.sqrt(Math.max(0, variance)) / 255);
    if (!(std > 0)) {
      throw new IllegalArgumentException(
          "all samples of all pictures are %.0f; a set of one colour cannot be scaled"
              .formatted(mean));
    }
    return new PixelCodec(width, height, channels, round(mean / 255), std, crop);
  }

  private static double round(double value) {
    return BigDecimal.valueOf(value).setScale(4, RoundingMode.HALF_EVEN).doubleValue();
  }

  /// Reads what [#description] wrote.
  public static PixelCodec parse(String description) {
    Matcher match = DESCRIPTION.matcher(description);
    if (match.matches()) {
      PixelCodec codec =
          new PixelCodec(
              Integer.parseInt(match.group(1)),
              Integer.parseInt(match.group(2)),
              Integer.parseInt(match.group(3)),
              Double.parseDouble(match.group(4)),
              Double.parseDouble(match.group(5)),
              Crop.of(description));
      if (codec.description().equals(description)) { // one codec has one description
        return codec;
      }
    }
    throw new IllegalArgumentException(
        "a pixel codec reads 'pixels-v1 64x64x3 mean=0.8123 std=0.3012 crop=adm', but this was '%s'"
            .formatted(description));
  }

  /// Returns all of the codec in one line: `pixels-v1 64x64x3 mean=0.8123 std=0.3012 crop=adm`.
  public String description() {
    return "pixels-v1 %dx%dx%d mean=%s std=%s crop=%s"
        .formatted(width, height, channels, decimal(mean), decimal(std), crop);
  }

  /// The shortest decimal that reads back exactly, with at least four places.
  private static String decimal(double value) {
    BigDecimal shortest = BigDecimal.valueOf(value);
    return shortest
        .setScale(Math.max(4, shortest.scale()), RoundingMode.UNNECESSARY)
        .toPlainString();
  }

  @Override
  public LatentSpace space() {
    return new LatentSpace(description(), channels, height, width);
  }

  @Override
  public RgbImage prepare(RgbImage image) {
    return Resample.fit(image.withChannels(channels), width, height, crop);
  }

  @Override
  public float[] encode(RgbImage image) {
    byte[] samples = prepare(image).samples();
    int plane = width * height;
    float[] latent = new float[samples.length];
    for (int pixel = 0; pixel < plane; pixel++) {
      for (int c = 0; c < channels; c++) {
        int sample = samples[pixel * channels + c] & 0xff;
        latent[c * plane + pixel] = (float) ((sample / 255.0 - mean) * 0.5 / std);
      }
    }
    return latent;
  }

  @Override
  public RgbImage decode(float[] latent) {
    int plane = width * height;
    if (latent.length != plane * channels) {
      throw new IllegalArgumentException(
          "a latent of %s has %d values, but got %d"
              .formatted(description(), plane * channels, latent.length));
    }
    byte[] samples = new byte[latent.length];
    for (int i = 0; i < latent.length; i++) {
      double sample = (latent[i] * std / 0.5 + mean) * 255;
      if (Double.isNaN(sample)) {
        throw new IllegalArgumentException("value %d of the latent is NaN".formatted(i));
      }
      int c = i / plane;
      samples[(i - c * plane) * channels + c] = (byte) Math.rint(Math.clamp(sample, 0.0, 255.0));
    }
    return new RgbImage(width, height, channels, samples);
  }
}
