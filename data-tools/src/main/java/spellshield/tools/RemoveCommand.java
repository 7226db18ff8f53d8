package spellshield.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.ProtectedSetEditor;
import spellshield.index.store.Epoch;
import spellshield.index.store.Manifest;
import tools.jackson.databind.node.ObjectNode;

/// `shield remove`: pictures out of a protected set.
@Command(
    name = "remove",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Takes pictures out of a protected set without building it again.",
      "",
      "All of them go in one step, the next epoch of the set; an id that is not in the set is refused"
          + " before anything is written. Edited copies go with their picture; a latent that equal files share"
          + " goes with the last of them. Latents stay on disk until 'shield compact'.",
      "",
      "Example: shield remove set cats/tom.png --reason \"licence ended\""
    })
final class RemoveCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(index = "0", paramLabel = "SET", description = "The folder of the set.")
  private Path set = Path.of("");

  @Parameters(
      index = "1..*",
      arity = "0..*",
      paramLabel = "ID",
      description = "Ids of pictures, as 'shield audit' names them.")
  private List<String> ids = new ArrayList<>();

  @Option(
      names = "--from",
      paramLabel = "FILE",
      description = "A text file with one id a line, besides or instead of ID.")
  private @Nullable Path from;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      defaultValue = "removed",
      description = "Why, in one line; kept with the epoch (default: ${DEFAULT-VALUE}).")
  private String reason = "";

  @Option(names = "--json", description = "Prints the result as one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    Epoch.requireReason(reason);
    Set<String> wanted = new LinkedHashSet<>(ids);
    if (from != null) {
      Files.readAllLines(from).stream().filter(line -> !line.isBlank()).forEach(wanted::add);
    }
    if (wanted.isEmpty()) {
      throw new IllegalArgumentException("name the ids to remove, or a file of them with --from");
    }
    Manifest manifest;
    int shared = 0; // whose latents stay
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(set)) {
      for (String id : wanted) {
        long before = editor.removedCount();
        editor.remove(id);
        shared += editor.removedCount() == before ? 1 : 0;
      }
      manifest = editor.commit(Instant.now(), reason);
    }
    long count = manifest.livingCount();
    Console console = Console.of(spec);
    if (json) {
      ObjectNode result = Json.object();
      result.put("set", set.toString()).put("id", manifest.sha256());
      result.put("epoch", manifest.generation()).put("removed", wanted.size()).put("count", count);
      result.put("stillProtected", shared);
      console.print(Json.print(result));
    } else {
      console.print(
          "%s: %,d pictures removed; %,d latents protected, epoch %d"
              .formatted(set, wanted.size(), count, manifest.generation()));
    }
    if (shared > 0) {
      console.say(
          "%,d of them are protected still: other pictures of the set are equal files; 'shield audit' names one"
              .formatted(shared));
    }
    CompactCommand.suggest(console, manifest);
    return ExitCode.OK;
  }
}
