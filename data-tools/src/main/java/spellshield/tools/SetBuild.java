package spellshield.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.Checkpoints.Unfinished;
import spellshield.tools.codec.Codec;
import spellshield.tools.codec.PixelCodec;
import spellshield.tools.edit.Edit;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.ImageSource.Entry;
import spellshield.tools.source.Stored;
import tools.jackson.databind.node.ObjectNode;

/// Pictures to a protected set: one pass to fit the pixel codec, one to encode.
///
/// @param manifest of the finished set
/// @param tally what became of the source
/// @param idleShare of the time in which this process encoded, the encoder's waiting for pictures
record SetBuild(Manifest manifest, Tally tally, double idleShare) {

  /// What is asked of a build.
  ///
  /// @param folder of the set
  /// @param variants edits whose results are protected, too
  /// @param range of the source that is taken
  /// @param plan all that decides what the set becomes, as the command line said it
  /// @param radii balls of their own, given when all is encoded
  /// @param checkpointEvery how much work a stop may cost
  /// @param leftOut is told of each picture that is left out, in a line
  record Options(
      Path folder,
      Precision precision,
      List<Edit> variants,
      Range range,
      ObjectNode plan,
      RadiiOption.Radii radii,
      Duration checkpointEvery,
      boolean quiet,
      Consumer<String> leftOut) {

    /// All of a source into a folder, whatever it holds, silently.
    static Options simple(Path folder, Precision precision, long limit, boolean quiet) {
      return new Options(
          folder,
          precision,
          List.of(),
          new Range(0, limit),
          Json.object(),
          RadiiOption.Radii.NONE,
          Duration.ofDays(365),
          quiet,
          line -> {});
    }
  }

  /// Entries of a source.
  ///
  /// @param from the first
  /// @param end the first that is not of them
  record Range(long from, long end) {
    static final Range ALL = new Range(0, Long.MAX_VALUE);
  }

  /// Fits the codec of a source.
  ///
  /// @param range looks at these pictures
  static PixelCodec fit(
      ImageSource source,
      int width,
      int height,
      int channels,
      Crop crop,
      Range range,
      boolean quiet)
      throws IOException {
    try (Progress progress = Progress.start("measuring", source.count().orElse(-1), quiet);
        Stream<Entry> entries = source.entries()) {
      return PixelCodec.fit(
          width,
          height,
          channels,
          crop,
          pictures(entries.limit(range.end).skip(range.from), progress));
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
  static SetBuild build(ImageSource source, Codec codec, Options options) throws IOException {
    return build(source, codec, options, Optional.empty());
  }

  /// Encodes every picture, or those that a stopped build had not encoded yet, and commits the set.
  static SetBuild build(
      ImageSource source, Codec codec, Options options, Optional<Unfinished> unfinished)
      throws IOException {
    unfinished.ifPresent(stopped -> requireSame(source, stopped));
    Tally before = before(options, unfinished);
    try (ProtectedSetBuilder builder = begin(codec.space(), options, unfinished);
        Checkpoints checkpoints = checkpoints(builder, options)) {
      Encoding encoding =
          new Encoding(codec, options.variants, builder, options.leftOut, checkpoints, before);
      Tally tally = encoding.run(source, options.range.end, options.quiet);
      requireSome(tally);
      checkpoints.beforeCommit();
      options.radii.apply(builder::rescale);
      return new SetBuild(builder.commit(Instant.now()), tally, encoding.idleShare());
    }
  }

  /// Returns what became of the entries before the first one to take.
  static Tally before(Options options, Optional<Unfinished> unfinished) {
    return unfinished.map(Unfinished::tally).orElse(new Tally(options.range.from, 0, 0, 0, 0));
  }

  static ProtectedSetBuilder begin(
      LatentSpace space, Options options, Optional<Unfinished> unfinished) throws IOException {
    return unfinished.isPresent()
        ? ProtectedSetBuilder.resume(options.folder)
        : ProtectedSetBuilder.begin(options.folder, space, options.precision);
  }

  static Checkpoints checkpoints(ProtectedSetBuilder builder, Options options) {
    return new Checkpoints(options.folder, options.plan, builder, options.checkpointEvery);
  }

  /// Refuses to go on with a source that is another one by now.
  private static void requireSame(ImageSource source, Unfinished stopped) {
    try (Stream<Stored> entries = source.stored(stopped.tally().entries() - 1)) {
      String found = entries.findFirst().map(entry -> entry.origin().id()).orElse("nothing");
      requireSame(stopped, found);
    }
  }

  static void requireSame(Unfinished stopped, String found) {
    if (!found.equals(stopped.lastId())) {
      throw new IllegalArgumentException(
          "the source has changed since the build was stopped: entry %,d was '%s' and is '%s'; give the build up with --restart"
              .formatted(stopped.tally().entries(), stopped.lastId(), found));
    }
  }

  /// Refuses to go on with nothing.
  static void requireSome(Tally tally) throws IOException {
    if (tally.pictures() == 0) {
      throw new IOException("none of the pictures can be read");
    }
  }
}
