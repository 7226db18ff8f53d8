package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
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
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.Checkpoints.Unfinished;
import spellshield.tools.codec.Codec;
import spellshield.tools.codec.LatentCodec;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.ImageSource.Entry;
import spellshield.tools.source.LatentSource;
import spellshield.tools.source.SourceKind;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// `shield index`: pictures to a protected set.
@Command(
    name = "index",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Builds a protected set from pictures in any of these, told apart by their content:",
      "  a folder of pictures and folders of them; ImageNet's ILSVRC/Data/CLS-LOC;",
      "  a tar of pictures, a tar of tars such as ILSVRC2012_img_train.tar, a folder of tars, each as"
          + " it is or gzipped (unpacked while it is read, and again where a stopped build goes on);",
      "  a zip of pictures, such as Kaggle's of ImageNet; WebDataset shards, one or a folder;",
      "  parquet of Hugging Face, a file or a data set's folder; an IDX file;",
      "  latents, which no encoder runs for: .npy, .npz, safetensors, EDM2's dataset zip.",
      "",
      "The set appears in one step when everything is written. A build that is stopped, by Ctrl-C,"
          + " kill -9 or a power cut, leaves the old set, or none; the same command then goes on where it"
          + " was. Pictures that cannot be read are named and left out; equal files are stored once,"
          + " with all their ids.",
      "",
      "Examples: shield index pictures/ -o set --size 64",
      "          shield index pictures/ -o set --model models/emoji"
    })
final class IndexCommand implements Callable<Integer> {
  /// From so many pictures on it is told how busy the encoder was.
  private static final int MANY = 1_000;

  private static final int SHOWN_PAIRS = 5;

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

  @Option(
      names = "--crop",
      paramLabel = "HOW",
      description = {
        "How pictures of other sizes are brought to that one: adm halves, scales and cuts out the",
        "centre, as for ADM, DiT and EDM2 (default); center scales the largest square in the",
        "middle, resize all of the picture, both as EDM's tool. The set remembers it."
      })
  private @Nullable Crop crop;

  @Mixin private ModelOption modelOption = new ModelOption();

  @Mixin private RadiiOption radiiOption = new RadiiOption();

  @Option(names = "--grey", description = "One channel instead of three; as a rule for IDX files.")
  private boolean grey;

  @Option(
      names = "--precision",
      defaultValue = "float32",
      description = "How latents are stored: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Precision precision = Precision.FLOAT32;

  @Mixin private VariantsOption variants = new VariantsOption();

  @Option(
      names = "--part",
      paramLabel = "K/N",
      defaultValue = "1/1",
      description =
          "Takes the K-th of N parts of the source, for machines that share the work; 'shield merge'"
              + " joins their sets.")
  private String part = "";

  @Option(
      names = "--near-duplicates",
      paramLabel = "SHARE",
      defaultValue = "0.05",
      description = {
        "Names pictures that are nearer to each other than this share of the typical distance",
        "(default: ${DEFAULT-VALUE}); 0 looks for none."
      })
  private double nearDuplicates = 0.05;

  @Option(
      names = "--dry-run",
      description = "Encodes a sample only; tells count, bytes and time, and writes nothing.")
  private boolean dryRun;

  @Option(
      names = "--restart",
      description = "Gives up a build that was stopped, instead of going on with it.")
  private boolean restart;

  @Option(
      names = "--checkpoint-every",
      paramLabel = "SECONDS",
      defaultValue = "5",
      description = "How much work a stop may cost (default: ${DEFAULT-VALUE}).")
  private double checkpointEvery = 5;

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
    if (!(checkpointEvery >= 0 && checkpointEvery <= 1e6)) {
      throw new IllegalArgumentException(
          "--checkpoint-every is 0 to 1,000,000 seconds, but was " + checkpointEvery);
    }
    if (!(nearDuplicates >= 0 && nearDuplicates <= 1)) {
      throw new IllegalArgumentException("--near-duplicates is 0 to 1, but was " + nearDuplicates);
    }
    SourceKind kind = from.kind(source);
    if (dryRun) {
      DryRun dry = kind.holdsLatents() ? dryLatents(kind) : dryPictures(console, kind);
      console.print(json ? Json.print(dry.print()) : dry.toString());
      return ExitCode.OK;
    }
    SetBuild build = kind.holdsLatents() ? latents(console, kind) : pictures(console, kind);
    Manifest manifest = build.manifest();
    Tally tally = build.tally();
    List<NearDuplicates.Pair> near = nearDuplicates();
    if (json) {
      ObjectNode result = Json.object();
      result.put("set", output.toString());
      result.put("id", manifest.sha256());
      result.put("generation", manifest.generation());
      result.put("count", manifest.count());
      result.put("pictures", tally.pictures());
      result.put("duplicates", tally.duplicates());
      result.put("variants", tally.variants());
      result.put("unreadable", tally.leftOut());
      result.put("encoderIdle", build.idleShare());
      ArrayNode pairs = result.putArray("nearDuplicates");
      near.forEach(pair -> pairs.addPOJO(pair));
      result.put("space", manifest.space().toString());
      console.print(Json.print(result));
    } else {
      tell(console, near);
      if (tally.pictures() >= MANY && !kind.holdsLatents() && !quiet) {
        console.say(
            "the encoder waited for pictures %.1f %% of the time"
                .formatted(100 * build.idleShare()));
      }
      console.print("%s: %s; %s".formatted(output, tally.inWords("protected"), manifest.space()));
    }
    return strict && tally.leftOut() > 0 ? ExitCode.BAD_INPUT : ExitCode.OK;
  }

  private List<NearDuplicates.Pair> nearDuplicates() throws IOException {
    if (nearDuplicates == 0) {
      return List.of();
    }
    try (ProtectedSet set = ProtectedSet.open(output)) {
      return set.statistics().typicalDistance() > 0
          ? NearDuplicates.find(set, set.radius(nearDuplicates), quiet)
          : List.of();
    }
  }

  private void tell(Console console, List<NearDuplicates.Pair> near) {
    if (near.isEmpty()) {
      return;
    }
    console.say(
        "%,d pairs of pictures are nearer to each other than %s of the typical distance; --json names all:"
            .formatted(near.size(), nearDuplicates));
    for (NearDuplicates.Pair pair : near.subList(0, Math.min(SHOWN_PAIRS, near.size()))) {
      console.say(
          "  %s and %s%s: %.4f"
              .formatted(
                  pair.first(),
                  pair.second(),
                  pair.edit().isEmpty() ? "" : " (" + pair.edit() + ")",
                  pair.distance()));
    }
  }

  private Crop crop() {
    return crop == null ? Crop.ADM : crop;
  }

  /// Returns all that decides what the set becomes.
  private ObjectNode plan(SourceKind kind) {
    Path model = modelOption.folder();
    ObjectNode plan = Json.object();
    plan.put("source", source.toAbsolutePath().normalize().toString()).put("kind", kind.toString());
    plan.put("model", model == null ? "" : model.toAbsolutePath().normalize().toString());
    plan.put("size", size == null ? "" : size).put("grey", grey).put("crop", crop().toString());
    plan.put("precision", precision.toString()).put("variants", variants.names());
    return plan.put("part", Part.parse(part).toString());
  }

  private SetBuild.Options options(Console console, SourceKind kind, OptionalLong count)
      throws IOException {
    return new SetBuild.Options(
        output,
        precision,
        variants.edits(),
        Part.parse(part).range(count),
        plan(kind),
        radiiOption.read(),
        Duration.ofNanos((long) (checkpointEvery * 1e9)),
        quiet,
        line -> console.say("left out: " + line));
  }

  private Optional<Unfinished> unfinished(Console console, SourceKind kind) throws IOException {
    if (restart) {
      return Optional.empty();
    }
    Optional<Unfinished> stopped = Checkpoints.unfinished(output, plan(kind));
    stopped.ifPresent(
        before -> console.say("going on after %,d entries".formatted(before.tally().entries())));
    return stopped;
  }

  private SetBuild pictures(Console console, SourceKind kind) throws IOException {
    Optional<Unfinished> stopped = unfinished(console, kind);
    ImageSource images = ImageSource.open(source, kind);
    console.say(images.description());
    SetBuild.Options options = options(console, kind, images.count());
    try (Codec codec =
        stopped.isPresent()
            ? modelOption.of(stopped.get().manifest().space())
            : codec(images, kind, SetBuild.Range.ALL)) { // one space for all parts
      return SetBuild.build(images, codec, options, stopped);
    }
  }

  private DryRun dryPictures(Console console, SourceKind kind) throws IOException {
    ImageSource images = ImageSource.open(source, kind);
    console.say(images.description());
    SetBuild.Range range = Part.parse(part).range(images.count());
    SetBuild.Range sample = new SetBuild.Range(0, DryRun.SAMPLE);
    try (Codec codec = codec(images, kind, sample)) {
      return DryRun.of(images, codec, variants.edits(), precision, range);
    }
  }

  private DryRun dryLatents(SourceKind kind) throws IOException {
    LatentSource latents = LatentSource.open(source, kind);
    return DryRun.of(latents, precision, Part.parse(part).range(latents.count()));
  }

  private Codec codec(ImageSource images, SourceKind kind, SetBuild.Range range)
      throws IOException {
    Path model = modelOption.folder();
    if (model != null) {
      if (grey) {
        throw new IllegalArgumentException("--grey is for pixels; leave it out with --model");
      }
      PixelSize asked = size == null ? new PixelSize(0, 0) : PixelSize.parse(size);
      return LatentCodec.open(model, asked.width(), asked.height(), crop());
    }
    RgbImage first = first(images);
    PixelSize pixels = size(first);
    int channels = grey || (first.channels() == 1 && kind == SourceKind.IDX) ? 1 : 3;
    return SetBuild.fit(images, pixels.width(), pixels.height(), channels, crop(), range, quiet);
  }

  private SetBuild latents(Console console, SourceKind kind) throws IOException {
    if (size != null || grey || !variants.edits().isEmpty()) {
      throw new IllegalArgumentException(
          "--size, --grey and --variants are for pictures, but %s holds latents (%s)"
              .formatted(source, kind));
    }
    Optional<Unfinished> stopped = unfinished(console, kind);
    LatentSource latents = LatentSource.open(source, kind);
    console.say(latents.description());
    SetBuild.Options options = options(console, kind, latents.count());
    return LatentBuild.build(latents, space(latents), options, stopped);
  }

  /// Returns the space that the user says the latents are of: that of a model, or one in words.
  private LatentSpace space(LatentSource latents) throws IOException {
    Path model = modelOption.folder();
    if (model == null) {
      if (crop != null) {
        throw new IllegalArgumentException(
            "--crop of latents without --model is a part of --space; say it there");
      }
      return from.space(latents);
    }
    try (Codec codec = LatentCodec.open(model, latents.shape(), crop())) {
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
