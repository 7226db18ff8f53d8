package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.codec.PixelCodec;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.ImageSource.Entry;
import tools.jackson.databind.node.ObjectNode;

/// `shield index`: pictures to a protected set.
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Builds a protected set from a folder of pictures or an IDX file.",
      "",
      "The set appears in one step when everything is written; a build that is stopped leaves the old"
          + " set, or none. Pictures that cannot be read are named and left out.",
      "",
      "Example: shield index pictures/ -o set --size 64"
    })
final class IndexCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "SOURCE", description = "A folder of pictures, or an IDX file.")
  private Path source = Path.of("");

  @Option(
      names = {"-o", "--output"},
      paramLabel = "SET",
      required = true,
      description = "The folder of the set; made where needed.")
  private Path output = Path.of("");

  @Option(
      names = "--size",
      paramLabel = "N|WxH",
      description = "Crops and resizes to this many pixels; unless told, the first picture's size.")
  private @Nullable String size;

  @Option(names = "--grey", description = "One channel instead of three; as a rule for IDX files.")
  private boolean grey;

  @Option(
      names = "--precision",
      defaultValue = "float32",
      description = "How latents are stored: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Precision precision = Precision.FLOAT32;

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
    ImageSource images = ImageSource.open(source);
    console.say(images.description());
    RgbImage first = first(images);
    int[] extent = extent(first);
    int channels = grey || (first.channels() == 1 && source.toFile().isFile()) ? 1 : 3;
    PixelCodec codec = SetBuild.fit(images, extent[0], extent[1], channels, Long.MAX_VALUE, quiet);
    SetBuild build =
        SetBuild.build(images, codec, precision, output, Long.MAX_VALUE, quiet, origin -> {});
    for (String line : build.unreadable()) {
      console.say("left out: " + line);
    }
    Manifest manifest = build.manifest();
    if (json) {
      ObjectNode result = Json.object();
      result.put("set", output.toString());
      result.put("id", manifest.sha256());
      result.put("generation", manifest.generation());
      result.put("count", manifest.count());
      result.put("unreadable", build.unreadable().size());
      result.put("space", manifest.space().toString());
      console.print(Json.print(result));
    } else {
      console.print(
          "%s: %,d pictures protected, %d left out; %s"
              .formatted(output, manifest.count(), build.unreadable().size(), manifest.space()));
    }
    return strict && !build.unreadable().isEmpty() ? ExitCode.BAD_INPUT : ExitCode.OK;
  }

  private static RgbImage first(ImageSource images) throws IOException {
    try (Stream<Entry> entries = images.entries()) {
      String reason = "";
      for (Entry entry : (Iterable<Entry>) entries::iterator) {
        switch (entry) {
          case Entry.Picture picture -> {
            return picture.image();
          }
          case Entry.Unreadable unreadable ->
              reason = reason.isEmpty() ? "; the first: " + unreadable.reason() : reason;
        }
      }
      throw new IOException("none of the pictures can be read" + reason);
    }
  }

  private int[] extent(RgbImage first) {
    if (size == null) {
      if (first.width() > 256 || first.height() > 256) {
        throw new IllegalArgumentException(
            "the first picture has %d×%d pixels; say how large they shall be, such as --size 64"
                .formatted(first.width(), first.height()));
      }
      return new int[] {first.width(), first.height()};
    }
    if (!size.matches("\\d{1,4}(x\\d{1,4})?")) {
      throw new IllegalArgumentException(
          "--size is a number or WIDTHxHEIGHT, such as 64 or 64x48, but was '" + size + "'");
    }
    String[] parts = size.split("x", 2);
    int width = Integer.parseInt(parts[0]);
    return new int[] {width, parts.length == 1 ? width : Integer.parseInt(parts[1])};
  }
}
