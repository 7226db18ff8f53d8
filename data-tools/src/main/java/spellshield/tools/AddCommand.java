package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
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

  @Mixin private VariantsOption variants = new VariantsOption();

  @Mixin private RadiiOption radiiOption = new RadiiOption();

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
    RadiiOption.Radii radii = radiiOption.read();
    LatentSpace space = Manifest.newest(DiskStorage.at(set)).space();
    Consumer<String> leftOut = line -> console.say("left out: " + line);
    Encoding.Milestone none = (tally, last) -> {};
    Tally tally = Tally.NONE;
    Manifest manifest;
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
          tally =
              tally.plus(
                  LatentBuild.store(
                      latents, Long.MAX_VALUE, quiet, editor, leftOut, none, Tally.NONE));
          continue;
        }
        ImageSource images = ImageSource.open(source, kind);
        console.say(images.description());
        try (Codec codec = modelOption.of(space)) {
          Encoding encoding =
              new Encoding(codec, variants.edits(), editor, leftOut, none, Tally.NONE);
          tally = tally.plus(encoding.run(images, Long.MAX_VALUE, quiet));
        }
      }
      SetBuild.requireSome(tally);
      radii.apply(editor::rescale);
      manifest = editor.commit(Instant.now(), reason);
    }
    long count = manifest.livingCount();
    if (json) {
      ObjectNode result = Json.object();
      result.put("set", set.toString()).put("id", manifest.sha256());
      result.put("epoch", manifest.generation()).put("count", count);
      result.put("added", tally.pictures()).put("duplicates", tally.duplicates());
      result.put("variants", tally.variants()).put("unreadable", tally.leftOut());
      console.print(Json.print(result));
    } else {
      console.print(
          "%s: %s; %,d latents protected, epoch %d"
              .formatted(set, tally.inWords("added"), count, manifest.generation()));
    }
    CompactCommand.suggest(console, manifest);
    return strict && tally.leftOut() > 0 ? ExitCode.BAD_INPUT : ExitCode.OK;
  }
}
