package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.codec.Codec;
import spellshield.tools.codec.LatentCodec;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.ImageSource.Entry;
import spellshield.tools.source.LatentSource;
import spellshield.tools.source.SourceKind;
import tools.jackson.databind.node.ObjectNode;

/// `shield index`: pictures to a protected set.
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Builds a protected set from pictures in any of these, told apart by their content:",
      "  a folder of pictures and folders of them; ImageNet's ILSVRC/Data/CLS-LOC;",
      "  a tar of pictures, a tar of tars such as ILSVRC2012_img_train.tar, a folder of tars;",
      "  a zip of pictures, such as Kaggle's of ImageNet; WebDataset shards, one or a folder;",
      "  parquet of Hugging Face, a file or a data set's folder; an IDX file;",
      "  latents, which no encoder runs for: .npy, .npz, safetensors, EDM2's dataset zip.",
      "",
      "The set appears in one step when everything is written; a build that is stopped leaves the old"
          + " set, or none. Pictures that cannot be read are named and left out.",
      "",
      "Examples: shield index pictures/ -o set --size 64",
      "          shield index pictures/ -o set --model models/emoji"
    })
final class IndexCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "SOURCE",
      description = "A folder, an archive, a file, or a pattern such as 'shards/*.tar'; see above.")
  private Path source = Path.of("");

  @Option(
      names = {"-o", "--output"},
      paramLabel = "SET",
      required = true,
      description = "The folder of the set; made where needed.")
  private Path output = Path.of("");

  @Mixin private FromOption from = new FromOption();

  @Option(
      names = "--size",
      paramLabel = "N|WxH",
      description =
          "Crops and resizes to this many pixels; unless told, the first picture's size, or with"
              + " --model the model's.")
  private @Nullable String size;

  @Mixin private ModelOption modelOption = new ModelOption();

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
    SourceKind kind = from.kind(source);
    SetBuild build = kind.holdsLatents() ? latents(console, kind) : pictures(console, kind);
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

  private SetBuild pictures(Console console, SourceKind kind) throws IOException {
    ImageSource images = ImageSource.open(source, kind);
    console.say(images.description());
    try (Codec codec = codec(images, kind)) {
      return SetBuild.build(images, codec, precision, output, Long.MAX_VALUE, quiet, origin -> {});
    }
  }

  private Codec codec(ImageSource images, SourceKind kind) throws IOException {
    Path model = modelOption.folder();
    if (model != null) {
      if (grey) {
        throw new IllegalArgumentException("--grey is for pixels; leave it out with --model");
      }
      PixelSize asked = size == null ? new PixelSize(0, 0) : PixelSize.parse(size);
      return LatentCodec.open(model, asked.width(), asked.height());
    }
    RgbImage first = first(images);
    PixelSize pixels = size(first);
    int channels = grey || (first.channels() == 1 && kind == SourceKind.IDX) ? 1 : 3;
    return SetBuild.fit(images, pixels.width(), pixels.height(), channels, Long.MAX_VALUE, quiet);
  }

  private SetBuild latents(Console console, SourceKind kind) throws IOException {
    if (size != null || grey) {
      throw new IllegalArgumentException(
          "--size and --grey are for pictures, but %s holds latents (%s)".formatted(source, kind));
    }
    LatentSource latents = LatentSource.open(source, kind);
    console.say(latents.description());
    return LatentBuild.build(latents, space(latents), precision, output, quiet);
  }

  /// Returns the space that the user says the latents are of: that of a model, or one in words.
  private LatentSpace space(LatentSource latents) throws IOException {
    Path model = modelOption.folder();
    if (model == null) {
      return from.space(latents);
    }
    try (Codec codec = LatentCodec.open(model, new LatentSpace("of a model", latents.shape()))) {
      LatentSpace space = codec.space();
      if (!Arrays.equals(space.shape(), latents.shape())) {
        throw new IllegalArgumentException(
            "latents of %s are not those of %s, which are %s"
                .formatted(
                    Arrays.toString(latents.shape()), model, Arrays.toString(space.shape())));
      }
      return space;
    }
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

  private PixelSize size(RgbImage first) {
    if (size != null) {
      return PixelSize.parse(size);
    }
    if (first.width() > 256 || first.height() > 256) {
      throw new IllegalArgumentException(
          "the first picture has %d×%d pixels; say how large they shall be, such as --size 64"
              .formatted(first.width(), first.height()));
    }
    return new PixelSize(first.width(), first.height());
  }
}
