package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Manifest;
import tools.jackson.databind.node.ObjectNode;

/// `shield merge`: sets of one space to one set.
@Command(
    name = "merge",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Joins protected sets of the same latent space to one: each machine encodes a part.",
      "",
      "Latents are taken over bit for bit; sketches and graph are made anew. Images of equal files"
          + " share a latent, whichever set they come from; an image that is in two sets counts once.",
      "",
      "Example: shield index SRC -o part1 --model vae --part 1/2     (and 2/2 elsewhere)",
      "         shield merge part1 part2 -o set"
    })
final class MergeCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(arity = "1..*", paramLabel = "SET", description = "The folders of the sets.")
  private List<Path> sets = new ArrayList<>();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "SET",
      required = true,
      description = "The folder of the joined set; none of the others.")
  private Path output = Path.of("");

  @Option(names = "--json", description = "Prints the result as one JSON object.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Does not say what it is at.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    Console console = Console.of(spec);
    Path target = output.toAbsolutePath().normalize();
    for (Path set : sets) {
      if (set.toAbsolutePath().normalize().equals(target)) {
        throw new IllegalArgumentException(
            "%s is one of the sets to join; choose another folder for the joined one"
                .formatted(output));
      }
    }
    Manifest first = Manifest.newest(DiskStorage.at(sets.getFirst()));
    long skipped = 0;
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(output, first.space(), first.precision())) {
      for (Path set : sets) {
        if (!quiet) {
          console.say(set.toString());
          builder.onStage(console::say);
        }
        try (ProtectedSet part = ProtectedSet.open(set)) {
          skipped += builder.addAll(part);
        }
      }
      Manifest manifest = builder.commit(Instant.now(), "merged");
      if (json) {
        ObjectNode result = Json.object();
        result.put("set", output.toString()).put("id", manifest.sha256());
        result.put("count", manifest.count()).put("inTwoSets", skipped);
        console.print(Json.print(result));
      } else {
        console.print(
            "%s: %,d latents of %d sets; %,d images were in two of them"
                .formatted(output, manifest.count(), sets.size(), skipped));
      }
    }
    return ExitCode.OK;
  }
}
