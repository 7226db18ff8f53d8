package spellshield.tools.source;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Png;

/// What tests ask of sources.
final class Entries {
  private Entries() {}

  /// Returns a line for each entry: its id and label, or the reason why there is no picture.
  static List<String> of(ImageSource source) {
    return of(source, 0);
  }

  static List<String> of(ImageSource source, long from) {
    try (Stream<Stored> stored = source.stored(from)) {
      return stored
          .map(Stored::decode)
          .map(entry ->
              switch (entry) {
                case ImageSource.Entry.Picture(var origin, var image) ->
                    origin.id() + " " + origin.label();
                case ImageSource.Entry.Unreadable(var origin, String reason) -> reason;
              })
          .toList();
    }
  }

  /// Returns a small PNG file.
  static byte[] png(int seed) {
    byte[] samples = new byte[4 * 3 * 3];
    new SplittableRandom(seed).nextBytes(samples);
    return Png.write(new RgbImage(4, 3, 3, samples));
  }
}
