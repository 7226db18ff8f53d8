package spellshield.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.codec.Codec;
import spellshield.tools.codec.PixelCodec;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.ImageSource.Entry;

/// Pictures to a protected set: one pass to fit the pixel codec, one to encode.
///
/// @param manifest of the finished set
/// @param unreadable a line for each picture that was left out
record SetBuild(Manifest manifest, List<String> unreadable) {

  /// How many pictures are encoded at once.
  private static final int BATCH = 16;

  /// Fits the codec of a source.
  ///
  /// @param limit looks at no more pictures than this
  static PixelCodec fit(
      ImageSource source, int width, int height, int channels, long limit, boolean quiet)
      throws IOException {
    try (Progress progress = Progress.start("measuring", source.count().orElse(-1), quiet);
        Stream<Entry> entries = source.entries()) {
      return PixelCodec.fit(width, height, channels, pictures(entries.limit(limit), progress));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static Stream<RgbImage> pictures(Stream<Entry> entries, Progress progress) {
    return entries.<RgbImage>mapMulti((entry, next) -> {
      progress.step();
      if (entry instanceof Entry.Picture picture) {
        next.accept(picture.image());
      }
    });
  }

  /// Encodes every picture and commits the set.
  ///
  /// @param limit takes no more entries than this
  /// @param added is told of each picture that is protected, in order
  static SetBuild build(
      ImageSource source,
      Codec codec,
      Precision precision,
      Path folder,
      long limit,
      boolean quiet,
      Consumer<ImageSource.Origin> added)
      throws IOException {
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder, codec.space(), precision)) {
      List<String> unreadable = encode(source, codec, limit, quiet, builder::add, added);
      requireSome(builder.count(), unreadable);
      return new SetBuild(builder.commit(Instant.now()), unreadable);
    }
  }

  /// Where encoded pictures go.
  interface Sink {
    void add(Item item, float[] latent) throws IOException;
  }

  /// Encodes every picture.
  ///
  /// @param limit takes no more entries than this
  /// @param added is told of each picture that the sink took, in order
  /// @return a line for each picture that was left out
  static List<String> encode(
      ImageSource source,
      Codec codec,
      long limit,
      boolean quiet,
      Sink sink,
      Consumer<ImageSource.Origin> added)
      throws IOException {
    List<String> unreadable = new ArrayList<>();
    List<Entry.Picture> waiting = new ArrayList<>();
    Set<String> ids = new HashSet<>(); // an archive may hold a name twice
    long total = Math.min(limit, source.count().orElse(-1));
    try (Progress progress = Progress.start("encoding", total, quiet);
        Stream<Entry> entries = source.entries()) {
      for (Entry entry : (Iterable<Entry>) entries.limit(limit)::iterator) {
        switch (entry) {
          case Entry.Picture(ImageSource.Origin origin, RgbImage image)
              when !ids.add(origin.id()) ->
              unreadable.add(secondOf(origin));
          case Entry.Picture picture -> {
            waiting.add(picture);
            if (waiting.size() == BATCH) {
              flush(waiting, codec, sink, added);
            }
          }
          case Entry.Unreadable(ImageSource.Origin origin, String reason) -> unreadable.add(reason);
        }
        progress.step();
      }
      flush(waiting, codec, sink, added);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return unreadable;
  }

  private static void flush(
      List<Entry.Picture> waiting, Codec codec, Sink sink, Consumer<ImageSource.Origin> added)
      throws IOException {
    List<float[]> latents = codec.encode(waiting.stream().map(Entry.Picture::image).toList());
    for (int i = 0; i < waiting.size(); i++) {
      ImageSource.Origin origin = waiting.get(i).origin();
      sink.add(new Item(origin.id(), origin.source(), origin.label()), latents.get(i));
      added.accept(origin);
    }
    waiting.clear();
  }

  /// Returns the line for a picture whose id an earlier one of the same source has.
  static String secondOf(ImageSource.Origin origin) {
    return "%s: a second picture with the id '%s'; rename one of the two"
        .formatted(origin.source(), origin.id());
  }

  /// Refuses to go on with nothing.
  static void requireSome(long count, List<String> unreadable) throws IOException {
    if (count == 0) {
      String first = unreadable.isEmpty() ? "" : "; the first: " + unreadable.getFirst();
      throw new IOException("none of the pictures can be read" + first);
    }
  }
}
