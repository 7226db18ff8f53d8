package spellshield.tools.edit;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.codec.Codec;
import spellshield.tools.image.Resample;

/// One way to change a picture that leaves a copy of it.
public sealed interface Edit {

  /// The edits that a radius is judged by unless others are named.
  String DEFAULTS =
      "jpeg:90,jpeg:75,jpeg:50,reencode,shift:1,shift:2,crop:2%,mirror,brightness:10%,grey,noise:8,"
          + "blur:1";

  /// Returns the edited picture, of the same size and channels.
  ///
  /// @param image not changed
  /// @param codec whose latents are compared; only [Reencode] asks it
  /// @param seed of what is drawn at random
  RgbImage apply(RgbImage image, Codec codec, long seed);

  /// Returns the name, which [#parse] reads back.
  String name();

  /// Saved as JPEG by the JDK's encoder at a quality, 1 to 100, and read again.
  record Jpeg(int quality) implements Edit {
    public Jpeg {
      require("quality", quality, 1, 100);
    }

    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      return JpegTrip.of(image, quality);
    }

    @Override
    public String name() {
      return "jpeg:" + quality;
    }
  }

  /// Encoded to a latent, and decoded to a picture of 8 bits a sample: what a model's own file of
  /// the picture is.
  record Reencode() implements Edit {
    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      return codec.decode(codec.encode(image)).withChannels(image.channels());
    }

    @Override
    public String name() {
      return "reencode";
    }
  }

  /// Moved to the right by so many pixels, 0 to 4,096; its left column is repeated.
  record Shift(int pixels) implements Edit {
    public Shift {
      require("shift", pixels, 0, 4096);
    }

    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      return Samples.map(
          image, (x, y, channel) -> image.sample(Math.max(0, x - pixels), y, channel));
    }

    @Override
    public String name() {
      return "shift:" + pixels;
    }
  }

  /// Cut at each of the four sides by so many percent of the width or height, 0 to 40, a pixel at
  /// least, and enlarged to the old size (Pillow's bicubic).
  record Crop(int percent) implements Edit {
    public Crop {
      require("crop", percent, 0, 40);
    }

    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      int left = cut(image.width());
      int top = cut(image.height());
      RgbImage middle =
          Samples.map(
              image.width() - 2 * left,
              image.height() - 2 * top,
              image.channels(),
              (x, y, channel) -> image.sample(x + left, y + top, channel));
      return Resample.resize(middle, image.width(), image.height(), Resample.Filter.BICUBIC);
    }

    private int cut(int side) {
      int pixels = (int) Math.round(side * percent / 100.0);
      return percent == 0 ? 0 : Math.clamp(pixels, Math.min(1, (side - 1) / 2), (side - 1) / 2);
    }

    @Override
    public String name() {
      return "crop:" + percent + "%";
    }
  }

  /// Left and right exchanged.
  record Mirror() implements Edit {
    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      return image.mirrored();
    }

    @Override
    public String name() {
      return "mirror";
    }
  }

  /// Every sample times `1 + percent/100`, −100 to 300, rounded and clamped to 0 to 255.
  record Brightness(int percent) implements Edit {
    public Brightness {
      require("brightness", percent, -100, 300);
    }

    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      return Samples.map(
          image, (x, y, channel) -> image.sample(x, y, channel) * (100 + percent) / 100.0);
    }

    @Override
    public String name() {
      return "brightness:" + percent + "%";
    }
  }

  /// Without colour: the luma in every channel.
  record Grey() implements Edit {
    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      return image.withChannels(1).withChannels(image.channels());
    }

    @Override
    public String name() {
      return "grey";
    }
  }

  /// With Gaussian noise of a standard deviation in steps of 8 bits, 0 to 255, on every sample.
  record Noise(int sigma) implements Edit {
    public Noise {
      require("noise", sigma, 0, 255);
    }

    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      SplittableRandom random = new SplittableRandom(seed);
      return Samples.map(
          image, (x, y, channel) -> image.sample(x, y, channel) + sigma * random.nextGaussian());
    }

    @Override
    public String name() {
      return "noise:" + sigma;
    }
  }

  /// Convolved with a Gaussian of a standard deviation in pixels, 0 to 64, cut at three of them;
  /// edges are repeated.
  record Blur(int sigma) implements Edit {
    public Blur {
      require("blur", sigma, 0, 64);
    }

    @Override
    public RgbImage apply(RgbImage image, Codec codec, long seed) {
      return sigma == 0 ? image : Samples.blur(image, sigma);
    }

    @Override
    public String name() {
      return "blur:" + sigma;
    }
  }

  /// Reads a name.
  ///
  /// @throws IllegalArgumentException if it is none of an edit
  static Edit parse(String text) {
    String name = text.strip().toLowerCase(Locale.ROOT);
    Matcher match = Pattern.compile("([a-z]+)(?::(-?\\d{1,5})%?)?").matcher(name);
    if (match.matches()) {
      String amount = match.group(2);
      Edit edit =
          amount == null
              ? plain(match.group(1))
              : measured(match.group(1), Integer.parseInt(amount), text);
      if (edit.name().equals(name)) { // one edit has one name
        return edit;
      }
    }
    throw unknown(text);
  }

  private static Edit plain(String kind) {
    return switch (kind) {
      case "reencode" -> new Reencode();
      case "mirror" -> new Mirror();
      case "grey" -> new Grey();
      default -> throw unknown(kind);
    };
  }

  private static Edit measured(String kind, int amount, String text) {
    return switch (kind) {
      case "jpeg" -> new Jpeg(amount);
      case "shift" -> new Shift(amount);
      case "crop" -> new Crop(amount);
      case "brightness" -> new Brightness(amount);
      case "noise" -> new Noise(amount);
      case "blur" -> new Blur(amount);
      default -> throw unknown(text);
    };
  }

  private static IllegalArgumentException unknown(String text) {
    return new IllegalArgumentException(
        "an edit is named like one of %s, but was '%s'".formatted(DEFAULTS, text));
  }

  /// Reads names with commas between them; what is named twice counts once.
  static List<Edit> parseList(String text) {
    LinkedHashSet<Edit> edits = new LinkedHashSet<>();
    for (String name : text.split(",", -1)) {
      edits.add(parse(name));
    }
    return new ArrayList<>(edits);
  }

  private static void require(String what, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "%s must be %d to %d, but was %d".formatted(what, least, most, value));
    }
  }
}
