package spellshield.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.tools.source.ImageSource.Origin;
import spellshield.tools.source.LatentSource;
import spellshield.tools.source.LatentSource.Entry;

/// Latents to a protected set: no picture is decoded and no encoder runs.
final class LatentBuild {
  private LatentBuild() {}

  /// Stores every latent and commits the set.
  static SetBuild build(
      LatentSource source, LatentSpace space, Precision precision, Path folder, boolean quiet)
      throws IOException {
    try (ProtectedSetBuilder builder = ProtectedSetBuilder.begin(folder, space, precision)) {
      List<String> unreadable = store(source, quiet, builder::add);
      SetBuild.requireSome(builder.count(), unreadable);
      return new SetBuild(builder.commit(Instant.now()), unreadable);
    }
  }

  /// Gives every latent to a sink.
  ///
  /// @return a line for each one that was left out
  static List<String> store(LatentSource source, boolean quiet, SetBuild.Sink sink)
      throws IOException {
    List<String> unreadable = new ArrayList<>();
    Set<String> ids = new HashSet<>(); // an archive may hold a name twice
    try (Progress progress = Progress.start("storing", source.count().orElse(-1), quiet);
        Stream<Entry> entries = source.latents(0)) {
      for (Entry entry : (Iterable<Entry>) entries::iterator) {
        switch (entry) {
          case Entry.Latent(Origin origin, float[] values) when ids.add(origin.id()) ->
              sink.add(new Item(origin.id(), origin.source(), origin.label()), values);
          case Entry.Latent(Origin origin, float[] values) ->
              unreadable.add(SetBuild.secondOf(origin));
          case Entry.Unreadable(Origin origin, String reason) -> unreadable.add(reason);
        }
        progress.step();
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return unreadable;
  }
}
