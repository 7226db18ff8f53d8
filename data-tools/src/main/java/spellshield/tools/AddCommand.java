package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.FingerprintMismatchException;
import spellshield.index.ProtectedSetEditor;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Epoch;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Manifest;
import spellshield.tools.codec.Codec;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.LatentSource;
import spellshield.tools.source.SourceKind;
import tools.jackson.databind.node.ObjectNode;

/// `shield add`: more pictures into a protected set.
@Command(
    name = "add",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Adds pictures to a protected set without building it again.",
      "",
      "All of them are protected in one step, the next epoch of the set, or none is. A picture whose id"
          + " is in the set already is refused. Radii keep their meaning.",
      "",
      "Example: shield add set more/ --reason \"request 17\""
    })
final class AddCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(index = "0", paramLabel = "SET", description = "The folder of the set.")
  private Path set = Path.of("");

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "SOURCE",
      description = "Folders, archives or files of pictures, as 'shield index' reads them.")
  private List<Path> sources = new ArrayList<>();

  @Mixin private FromOption from = new FromOption();

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      defaultValue = "added",
      description = "Why, in one line; kept with the epoch (default: ${DEFAULT-VALUE}).")
  private String reason = "";

  @Mixin private ModelOption modelOption = new ModelOption();

  @Option(names = "--strict", description = "Ends with exit code 4 when a picture was left out.")
  private boolean strict;

  @Option(names = "--json", description = "Prints the result as one JSON object.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Shows no progress.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    Console console = Console.of(spec);
    Epoch.requireReason(reason);
    LatentSpace space = Manifest.newest(DiskStorage.at(set)).space();
    List<String> unreadable = new ArrayList<>();
    Manifest manifest;
    long added;
    try (ProtectedSetEditor editor = ProtectedSetEditor.begin(set, space)) {
      for (Path source : sources) {
        SourceKind kind = from.kind(source);
        if (kind.holdsLatents()) {
          LatentSource latents = LatentSource.open(source, kind);
          console.say(latents.description());
          LatentSpace theirs = from.space(latents);
          if (!theirs.equals(space)) {
            throw new FingerprintMismatchException(space, theirs);
          }
          unreadable.addAll(LatentBuild.store(latents, quiet, editor::add));
          continue;
        }
        ImageSource images = ImageSource.open(source, kind);
        console.say(images.description());
        try (Codec codec = modelOption.of(space)) {
          unreadable.addAll(
              SetBuild.encode(images, codec, Long.MAX_VALUE, quiet, editor::add, origin -> {}));
        }
      }
      added = editor.addedCount();
      SetBuild.requireSome(added, unreadable);
      manifest = editor.commit(Instant.now(), reason);
    }
    for (String line : unreadable) {
      console.say("left out: " + line);
    }
    long count = manifest.livingCount();
    if (json) {
      ObjectNode result = Json.object();
      result.put("set", set.toString()).put("id", manifest.sha256());
      result.put("epoch", manifest.generation()).put("added", added).put("count", count);
      result.put("unreadable", unreadable.size());
      console.print(Json.print(result));
    } else {
      console.print(
          "%s: %,d pictures added, %d left out; %,d protected, epoch %d"
              .formatted(set, added, unreadable.size(), count, manifest.generation()));
    }
    CompactCommand.suggest(console, manifest);
    return strict && !unreadable.isEmpty() ? ExitCode.BAD_INPUT : ExitCode.OK;
  }
}
