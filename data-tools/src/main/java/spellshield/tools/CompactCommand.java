package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Epoch;
import spellshield.index.store.Manifest;

/// `shield compact`: a protected set that was changed, in one order again.
@Command(
    name = "compact",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Writes a set that was added to and removed from anew: removed pictures leave the disk, searches"
          + " are as fast as after a build.",
      "",
      "Ids, latents and the list of epochs stay; sketches, graph, typical distance and recall are made"
          + " anew. Pictures are not encoded again. Until the last step the set is the old one.",
      "",
      "Example: shield compact set"
    })
final class CompactCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "SET", description = "The folder of the set.")
  private Path set = Path.of("");

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      defaultValue = "compacted",
      description = "Why, in one line; kept with the epoch (default: ${DEFAULT-VALUE}).")
  private String reason = "";

  @Option(
      names = {"-q", "--quiet"},
      description = "Does not say what it is at.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    Console console = Console.of(spec);
    Epoch.requireReason(reason);
    Manifest before = Manifest.newest(DiskStorage.at(set));
    if (ProtectedSetBuilder.changesSinceBuild(before) == 0) {
      console.print("%s: nothing was added or removed since it was built".formatted(set));
      return ExitCode.OK;
    }
    if (!quiet) {
      console.say("latents");
    }
    try (ProtectedSetBuilder builder = ProtectedSetBuilder.compacting(set)) {
      if (!quiet) {
        builder.onStage(console::say);
      }
      Manifest manifest = builder.commit(Instant.now(), reason);
      console.print(
          "%s: %,d pictures protected, %,d removed ones cleared away, epoch %d"
              .formatted(set, manifest.count(), before.removedCount(), manifest.generation()));
    }
    return ExitCode.OK;
  }

  /// Says when a set was changed so much that searches may be slower than they could be.
  static void suggest(Console console, Manifest manifest) {
    long changes = ProtectedSetBuilder.changesSinceBuild(manifest);
    if (changes > manifest.count() / 5) {
      console.say(
          "%,d pictures were added or removed since the set was built; 'shield compact' makes searches as fast as after a build"
              .formatted(changes));
    }
  }
}
