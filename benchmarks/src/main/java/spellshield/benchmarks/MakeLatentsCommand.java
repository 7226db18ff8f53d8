package spellshield.benchmarks;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import spellshield.benchmarks.latents.MakeLatents;

/// `shield bench make-latents`: fills a cache.
@Command(
    name = "make-latents",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Makes the latents and the queries that the searches are measured on.",
      "",
      "Encodes 40,000 pictures once (a quarter of an hour) and mixes any number of latents from"
          + " them. What the cache has is kept. Without the pictures, draws of a Gaussian with"
          + " the spectrum of real latents stand in."
    })
final class MakeLatentsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--cache",
      required = true,
      paramLabel = "DIR",
      description = "The folder to fill; 4 KiB a latent.")
  private Path cache;

  @Option(
      names = "--count",
      paramLabel = "N",
      defaultValue = "1200000",
      description = "The number of latents (default: ${DEFAULT-VALUE}).")
  private long count;

  @Option(
      names = "--from",
      paramLabel = "DIR",
      defaultValue = "../shared",
      description =
          "Has data/tiny-imagenet-train.tar and models/taef2 (default: ${DEFAULT-VALUE}).")
  private Path from;

  @Override
  public Integer call() throws IOException {
    if (count < 2) {
      throw new IllegalArgumentException("--count must be at least 2, but was " + count);
    }
    PrintWriter err = spec.commandLine().getErr();
    MakeLatents.make(
        from,
        cache,
        count,
        line -> {
          err.println(line);
          err.flush();
        });
    return CommandLine.ExitCode.OK;
  }
}
