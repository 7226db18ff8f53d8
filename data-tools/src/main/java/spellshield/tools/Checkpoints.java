package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Manifest;
import spellshield.tools.source.ImageSource.Origin;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The checkpoints of one build: every few seconds, with what was asked for, so that the same
/// command, and no other, goes on where a stopped one was.
final class Checkpoints implements Encoding.Milestone, AutoCloseable {
  private final Path folder;
  private final ObjectNode plan;
  private final ProtectedSetBuilder builder;
  private final long everyNanos;
  private final AtomicReference<@Nullable Tally> kept = new AtomicReference<>();
  private final Thread farewell;
  private long due;
  private @Nullable Tally reached;
  private @Nullable Origin last;

  /// @param folder of the set
  /// @param plan what was asked for
  /// @param every how much work may be lost
  Checkpoints(Path folder, ObjectNode plan, ProtectedSetBuilder builder, Duration every) {
    this.folder = folder;
    this.plan = plan;
    this.builder = builder;
    this.everyNanos = every.toNanos();
    this.due = System.nanoTime() + everyNanos;
    this.farewell = new Thread(this::sayGoodbye);
    Runtime.getRuntime().addShutdownHook(farewell);
  }

  /// What a stopped build had done.
  ///
  /// @param manifest of what it would have become
  /// @param tally of its source
  /// @param lastId of the last entry of that tally
  record Unfinished(Manifest manifest, Tally tally, String lastId) {}

  /// Returns the build that was stopped in a folder, if there is one.
  ///
  /// @param plan what is asked for now
  /// @throws IOException if something else was asked for then
  static Optional<Unfinished> unfinished(Path folder, JsonNode plan) throws IOException {
    Optional<Manifest> manifest = ProtectedSetBuilder.unfinished(folder);
    if (manifest.isEmpty()) {
      return Optional.empty();
    }
    JsonNode position = ProtectedSetBuilder.position(manifest.get());
    Tally tally = Tally.parse(position.get("tally"));
    if (!position.get("plan").equals(plan)) {
      throw new IOException(
          "%s: an unfinished build stands at %,d pictures of %s, with other options; repeat its command to finish it, or give it up with --restart"
              .formatted(folder, tally.pictures(), position.at("/plan/source").asString("")));
    }
    return Optional.of(new Unfinished(manifest.get(), tally, position.get("lastId").stringValue()));
  }

  @Override
  public void reached(Tally tally, Origin entry) throws IOException {
    reached = tally;
    last = entry;
    if (System.nanoTime() >= due) {
      write(tally, entry);
      due = System.nanoTime() + everyNanos;
    }
  }

  /// Keeps all that was encoded before the long work on it begins, where any of it was worth it.
  void beforeCommit() throws IOException {
    Tally all = reached;
    Origin entry = last;
    if (kept.get() != null && all != null && entry != null) {
      write(all, entry);
    }
  }

  private void write(Tally tally, Origin entry) throws IOException {
    ObjectNode position = Json.object();
    position.set("plan", plan);
    position.set("tally", tally.print());
    position.put("lastId", entry.id());
    builder.checkpoint(position);
    kept.set(tally);
  }

  private void sayGoodbye() {
    Tally tally = kept.get();
    if (tally != null) {
      System.err.printf(
          "%nstopped: %,d pictures are kept in %s; the same command goes on from there%n",
          tally.pictures(), folder);
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(farewell);
    } catch (IllegalStateException e) {
      // the JVM is going down, and the farewell with it
    }
  }
}
