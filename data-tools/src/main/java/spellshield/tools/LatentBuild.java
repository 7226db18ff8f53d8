package spellshield.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import spellshield.index.ItemSink;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.SeenIds;
import spellshield.tools.Checkpoints.Unfinished;
import spellshield.tools.source.ImageSource.Origin;
import spellshield.tools.source.LatentSource;
import spellshield.tools.source.LatentSource.Entry;

/// Latents to a protected set: no picture is decoded and no encoder runs.
final class LatentBuild {
  private LatentBuild() {}

  /// Stores every latent, or those that a stopped build had not stored yet, and commits the set.
  static SetBuild build(
      LatentSource source,
      LatentSpace space,
      SetBuild.Options options,
      Optional<Unfinished> unfinished)
      throws IOException {
    unfinished.ifPresent(stopped -> requireSame(source, stopped));
    Tally before = SetBuild.before(options, unfinished);
    try (ProtectedSetBuilder builder = SetBuild.begin(space, options, unfinished);
        Checkpoints checkpoints = SetBuild.checkpoints(builder, options)) {
      Tally tally =
          store(
              source,
              options.range().end(),
              options.quiet(),
              builder,
              options.leftOut(),
              checkpoints,
              before);
      SetBuild.requireSome(tally);
      checkpoints.beforeCommit();
      options.radii().apply(builder::rescale);
      return new SetBuild(builder.commit(Instant.now()), tally, 0);
    }
  }

  private static void requireSame(LatentSource source, Unfinished stopped) {
    try (Stream<Entry> entries = source.latents(stopped.tally().entries() - 1)) {
      String found = entries.findFirst().map(entry -> entry.origin().id()).orElse("nothing");
      SetBuild.requireSame(stopped, found);
    }
  }

  /// Gives every latent to a sink.
  ///
  /// @param end takes no entry from this number on
  /// @param leftOut is told of each one that is left out, in a line
  /// @param before what became of the entries before the first one to take
  static Tally store(
      LatentSource source,
      long end,
      boolean quiet,
      ItemSink sink,
      Consumer<String> leftOut,
      Encoding.Milestone milestone,
      Tally before)
      throws IOException {
    Tally tally = before;
    long from = before.entries();
    SeenIds ids = new SeenIds(); // an archive may hold a name twice
    long total = Math.min(end, source.count().orElse(-1)) - from;
    try (Progress progress = Progress.start("storing", total, quiet);
        Stream<Entry> entries = source.latents(from).limit(Math.max(0, end - from))) {
      for (Entry entry : (Iterable<Entry>) entries::iterator) {
        Origin origin = entry.origin();
        switch (entry) {
          case Entry.Latent latent
              when ids.add(origin.id()) && !(from > 0 && sink.contains(origin.id())) -> {
            sink.add(new Item(origin.id(), origin.source(), origin.label()), latent.values());
            tally = tally.andPicture(0);
          }
          case Entry.Latent latent -> {
            leftOut.accept(Encoding.secondOf(origin));
            tally = tally.andLeftOut();
          }
          case Entry.Unreadable unreadable -> {
            leftOut.accept(unreadable.reason());
            tally = tally.andLeftOut();
          }
        }
        milestone.reached(tally, origin);
        progress.step();
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return tally;
  }
}
