package spellshield.tools.calibrate;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.Stored;

/// Entries of a source drawn at random, each as likely as any other; kept as they are stored.
public final class PictureSample {

  /// Where a source has so many times more entries than are wanted, each is sought on its own.
  private static final int SPARSE = 20;

  private PictureSample() {}

  /// Draws entries; all of them, in their order, where there are no more than wanted.
  ///
  /// @param wanted at least 1
  /// @param seed draws the same ones from the same source
  public static List<Stored> draw(ImageSource source, int wanted, long seed) {
    if (wanted < 1) {
      throw new IllegalArgumentException("a sample has at least 1 picture, but was " + wanted);
    }
    SplittableRandom random = new SplittableRandom(seed);
    OptionalLong count = source.count();
    if (count.isPresent() && count.getAsLong() / SPARSE >= wanted) {
      return seek(source, wanted, count.getAsLong(), random);
    }
    return pass(source, wanted, random);
  }

  private static List<Stored> seek(
      ImageSource source, int wanted, long count, SplittableRandom random) {
    LongStream numbers = LongStream.generate(() -> random.nextLong(count)).distinct();
    List<Stored> drawn = new ArrayList<>();
    for (long number : numbers.limit(wanted).sorted().toArray()) {
      try (Stream<Stored> from = source.stored(number)) {
        from.findFirst().ifPresent(drawn::add);
      }
    }
    return drawn;
  }

  /// Reads the source once: entry n, counted from 1, takes a place with probability wanted / n.
  /// Source: Vitter 1985, algorithm R.
  private static List<Stored> pass(ImageSource source, int wanted, SplittableRandom random) {
    List<Stored> drawn = new ArrayList<>();
    try (Stream<Stored> entries = source.stored(0)) {
      long seen = 0;
      for (Stored entry : (Iterable<Stored>) entries::iterator) {
        seen++;
        if (drawn.size() < wanted) {
          drawn.add(entry);
        } else {
          long place = random.nextLong(seen);
          if (place < wanted) {
            drawn.set((int) place, entry);
          }
        }
      }
    }
    return drawn;
  }
}
