package spellshield.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.ProtectedSet;
import spellshield.index.search.Neighbor;
import spellshield.index.store.Item;
import spellshield.sampler.guarantee.Certificate;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.codec.Codec;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.Png;
import spellshield.tools.image.UnreadableImageException;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `shield audit`: how near pictures are to a set.
@Command(
    name = "audit",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Tells for each picture the nearest protected one, the distance, and whether it is inside.",
      "",
      "Where pictures of the set have balls of their own, the nearest is the one whose ball comes first as"
          + " the radius grows, and how wide its ball is stands behind it.",
      "",
      "The search is exact. Ends with exit code 3 when a picture lies inside or a certificate fails,"
          + " else 4 when one cannot be read.",
      "",
      "Example: shield audit set out/ --certificates"
    })
final class AuditCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(index = "0", paramLabel = "SET", description = "The folder of the set.")
  private Path set = Path.of("");

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "PICTURE",
      description = "Pictures, or folders of them.")
  private List<Path> pictures = new ArrayList<>();

  @Mixin private RadiusOption radiusOption = new RadiusOption();

  @Mixin private ModelOption modelOption = new ModelOption();

  @Option(
      names = "--certificates",
      description = "Also checks the certificate inside each PNG file, by brute force.")
  private boolean certificates;

  @Option(names = "--json", description = "Prints one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    Console console = Console.of(spec);
    try (ProtectedSet protectedSet = ProtectedSet.open(set);
        Codec codec = modelOption.of(protectedSet.space())) {
      double radius = radiusOption.of(protectedSet);
      ObjectNode result = Json.object();
      result.put("set", protectedSet.id()).put("radius", radius);
      protectedSet
          .coverage()
          .ifPresent(coverage -> {
            result.put("covers", coverage.toString());
            coverage.warning(radius).ifPresent(warning -> result.put("warning", warning));
          });
      ArrayNode list = result.putArray("pictures");
      int code = ExitCode.OK;
      for (Path picture : expand(pictures)) {
        ObjectNode entry = list.addObject().put("picture", picture.toString());
        int one = audit(picture, protectedSet, codec, radius, entry);
        // A picture inside matters more than one that nobody can read.
        code = code == ExitCode.INSIDE || one == ExitCode.OK ? code : one;
        if (!json) {
          console.print(line(entry));
        }
      }
      if (json) {
        console.print(Json.print(result));
      } else {
        for (String name : List.of("covers", "warning")) {
          if (result.has(name)) {
            console.print(name + ": " + result.path(name).asString());
          }
        }
      }
      return code;
    }
  }

  private int audit(
      Path picture, ProtectedSet protectedSet, Codec codec, double radius, ObjectNode entry)
      throws IOException {
    RgbImage image;
    try {
      image = ImageDoor.read(picture);
    } catch (UnreadableImageException e) {
      entry.put("verdict", "unreadable").put("reason", e.getMessage());
      return ExitCode.BAD_INPUT;
    }
    float[] latent = codec.encode(image);
    Optional<Neighbor> nearest = protectedSet.exact().nearest(latent, 1).getFirst();
    // Stored as float16, another than the nearest may be the one that is not surely outside.
    boolean inside =
        !protectedSet.exact().search(latent, 1, radius).getFirst().neighbors().isEmpty();
    entry.put("verdict", inside ? "inside" : "outside");
    nearest.ifPresent(neighbor -> {
      Item item = protectedSet.item(neighbor.item());
      entry.put("nearest", item.id()).put("nearestLabel", item.label());
      entry.put("nearestEdit", item.edit());
      entry.put("distance", neighbor.distance());
      entry.put("share", neighbor.distance() / protectedSet.statistics().typicalDistance());
      if (!protectedSet.radiusScales().areOnes()) {
        entry.put("radiusScale", (float) neighbor.scale());
      }
    });
    boolean valid = !certificates || checkCertificate(picture, protectedSet, image, latent, entry);
    return inside || !valid ? ExitCode.INSIDE : ExitCode.OK;
  }

  private static boolean checkCertificate(
      Path picture, ProtectedSet protectedSet, RgbImage image, float[] latent, ObjectNode entry)
      throws IOException {
    List<String> problems;
    try {
      String text = Png.texts(Files.readAllBytes(picture)).get(SampleWriter.CERTIFICATE);
      problems =
          text == null
              ? List.of("the file carries no certificate")
              : check(Certificate.parse(text), protectedSet, image, latent);
    } catch (IOException | IllegalArgumentException e) {
      problems = List.of(String.valueOf(e.getMessage()));
    }
    entry.put("certificate", problems.isEmpty() ? "valid" : String.join("; ", problems));
    return problems.isEmpty();
  }

  private static List<String> check(
      Certificate certificate, ProtectedSet protectedSet, RgbImage image, float[] latent) {
    return certificate.file().isPresent()
        ? certificate.checkFile(protectedSet, latent, image.sha256())
        : certificate.check(protectedSet, latent);
  }

  private static String line(ObjectNode entry) {
    String verdict = entry.path("verdict").asString();
    if (verdict.equals("unreadable")) {
      return "%-10s %s".formatted(verdict, entry.path("reason").asString());
    }
    String line =
        String.format(
            Locale.ROOT,
            "%-10s %s  %.4f (%.3f of typical) from %s %s%s",
            verdict,
            entry.path("picture").asString(),
            entry.path("distance").asDouble(Double.POSITIVE_INFINITY),
            entry.path("share").asDouble(Double.POSITIVE_INFINITY),
            entry.path("nearest").asString("nothing"),
            entry.path("nearestLabel").asString(""),
            entry.path("nearestEdit").asString("").transform(e -> e.isEmpty() ? e : " edit: " + e));
    float scale = entry.path("radiusScale").asFloat(1);
    line = scale == 1 ? line : line + " (ball of %s radii)".formatted(scale);
    return entry.has("certificate")
        ? line + "  certificate: " + entry.path("certificate").asString()
        : line;
  }

  private static List<Path> expand(List<Path> paths) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path path : paths) {
      if (Files.isDirectory(path)) {
        try (Stream<Path> inside = Files.list(path)) {
          inside
              .filter(file -> file.toString().matches("(?i).*\\.(png|jpe?g|gif|bmp|webp)"))
              .sorted()
              .forEach(files::add);
        }
      } else {
        files.add(path);
      }
    }
    if (files.isEmpty()) {
      throw new IOException(paths + ": no pictures here; name files or a folder of them");
    }
    return files;
  }
}
