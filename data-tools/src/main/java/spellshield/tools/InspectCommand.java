package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.Coverage;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Epoch;
import spellshield.index.store.FileEntry;
import spellshield.index.store.Manifest;
import spellshield.index.store.RadiusScales;
import spellshield.index.store.Storage;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `shield inspect`: what a set is, from its manifest; needs neither tensors nor the index.
@Command(
    name = "inspect",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Tells what is in a protected set: latent space, count, epochs, scale, recall, files.",
      "",
      "Example: shield inspect set --verify"
    })
final class InspectCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "SET", description = "The folder of the set.")
  private Path set = Path.of("");

  @Option(names = "--verify", description = "Compares every file with its checksum.")
  private boolean verify;

  @Option(names = "--json", description = "Prints the manifest's facts as one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    Storage storage = DiskStorage.at(set);
    Manifest manifest = Manifest.newest(storage);
    if (verify) {
      for (FileEntry file : manifest.files()) {
        file.verify(storage);
      }
    }
    Console console = Console.of(spec);
    RadiusScales scales = RadiusScales.read(storage, manifest);
    console.print(json ? asJson(manifest, scales) : asText(manifest, scales));
    return ExitCode.OK;
  }

  private String asJson(Manifest manifest, RadiusScales scales) {
    ObjectNode result = Json.object();
    result.put("id", manifest.sha256());
    result.put("generation", manifest.generation());
    result.put("created", manifest.created().toString());
    result.put("count", manifest.livingCount());
    result.put("removed", manifest.removedCount());
    if (!scales.areOnes()) {
      ObjectNode radii = result.putObject("radiusScales").put("items", scales.otherCount());
      radii.put("least", (float) scales.least()).put("largest", (float) scales.largest());
    }
    result.put("space", manifest.space().description());
    result.put("fingerprint", manifest.space().fingerprint());
    result.put("dim", manifest.space().dim());
    result.put("precision", manifest.precision().toString());
    result.put("bytes", bytes(manifest));
    result.put("verified", verify);
    ArrayNode epochs = result.putArray("epochs");
    for (Epoch epoch : manifest.epochs()) {
      ObjectNode entry = epochs.addObject();
      entry.put("number", epoch.number()).put("time", epoch.time().toString());
      entry.put("added", epoch.added()).put("removed", epoch.removed());
      entry.put("reason", epoch.reason());
    }
    for (String name : manifest.sections()) {
      manifest.section(name).ifPresent(section -> result.set(name, section));
    }
    return Json.print(result);
  }

  private String asText(Manifest manifest, RadiusScales scales) {
    StringBuilder text = new StringBuilder();
    line(text, "set", "%s, generation %d".formatted(set, manifest.generation()));
    line(text, "id", manifest.sha256());
    line(text, "created", manifest.created().toString());
    line(text, "space", manifest.space().toString());
    line(text, "fingerprint", manifest.space().fingerprint());
    long count = manifest.livingCount();
    line(text, "latents", "%,d of %s".formatted(count, manifest.precision()));
    if (manifest.removedCount() > 0) {
      line(
          text,
          "removed",
          "%,d, on disk until 'shield compact'".formatted(manifest.removedCount()));
    }
    if (!scales.areOnes()) {
      line(
          text,
          "radius scales",
          "%,d have another than 1; all are from %s to %s"
              .formatted(scales.otherCount(), (float) scales.least(), (float) scales.largest()));
    }
    for (Epoch epoch : manifest.epochs()) {
      line(
          text,
          "epoch " + epoch.number(),
          "%s  +%,d −%,d  %s"
              .formatted(epoch.time(), epoch.added(), epoch.removed(), epoch.reason()));
    }
    line(text, "size", "%,d bytes in %d files".formatted(bytes(manifest), manifest.files().size()));
    JsonNode statistics = manifest.section("statistics").orElse(Json.object());
    double typical = statistics.path("typicalDistance").asDouble(0);
    long built = statistics.path("epoch").asLong(manifest.generation());
    String asOf = built == manifest.generation() ? "" : "; measured at epoch " + built;
    line(text, "typical distance", "%.4f%s".formatted(typical, asOf));
    double meanClearance = statistics.path("meanClearance").asDouble(0);
    line(
        text,
        "mean to nearest",
        "%.4f (%.3f of typical): a larger radius holds the mean"
            .formatted(meanClearance, meanClearance / typical));
    Coverage.of(manifest).ifPresent(coverage -> line(text, "covers", coverage.toString()));
    for (JsonNode recall : manifest.section("hnsw").orElse(Json.object()).path("recall")) {
      double radius = recall.path("radius").asDouble(0);
      long pairs = recall.path("pairs").asLong(0);
      long found = recall.path("found").asLong(0);
      line(
          text,
          "graph's recall",
          "%.4f at %.2f of typical (%,d of %,d pairs%s)"
              .formatted(
                  pairs == 0 ? 1 : (double) found / pairs, radius / typical, found, pairs, asOf));
    }
    text.append(verify ? "every file has its checksum" : "files not compared; --verify does");
    return text.toString();
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append("%-17s %s%n".formatted(name, value));
  }

  private static long bytes(Manifest manifest) {
    return manifest.files().stream().mapToLong(FileEntry::length).sum();
  }
}
