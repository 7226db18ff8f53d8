package spellshield.tools.source;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import spellshield.tools.source.ImageSource.Origin;
import spellshield.tools.tensor.BadTensorException;
import spellshield.tools.tensor.ElementType;
import spellshield.tools.tensor.Shape;
import spellshield.tools.tensor.Tensor;

/// Latents as EDM2's `dataset_tool.py encode` writes them, `img512-sd.zip` of ImageNet among them.
///
/// ```text
/// 00000/img-mean-std-00000000.npy   float32 [8, H, W]: four channels of means, four of deviations
/// dataset.json                      {"labels": [["00000/img-mean-std-00000000.npy", 0], …]}
///
/// z = (mean − [5.81, 3.25, 0.12, −2.15]) / [4.17, 4.62, 3.71, 3.28] · 0.5
/// ```
///
/// The latent is the mean, where EDM2's training draws around it. Computed in float64 and rounded
/// to float32 once; EDM2 computes in float32, and may differ in the last bit.
///
/// Source: Karras et al. 2024, arXiv 2312.02696; normalisation of NVlabs/edm2,
/// `StabilityVAEEncoder`.
public final class Edm2Source implements LatentSource {
  private static final double[] MEAN = {5.81, 3.25, 0.12, -2.15};
  private static final double[] STD = {4.17, 4.62, 3.71, 3.28};
  private static final double SIGMA_DATA = 0.5;
  private static final int CHANNELS = MEAN.length;
  private static final int LARGEST = 512; // a side, in values
  private static final long LARGEST_FILE = 2L * CHANNELS * LARGEST * LARGEST * 4 + 10_000;

  private static final Pattern NAME = Pattern.compile("(?:.*/)?img-mean-std-\\d+\\.npy");

  private final Path file;
  private final DatasetJson labels;
  private final int height;
  private final int width;
  private final long count;

  private Edm2Source(Path file, DatasetJson labels, int height, int width, long count) {
    this.file = file;
    this.labels = labels;
    this.height = height;
    this.width = width;
    this.count = count;
  }

  /// Reads the directory of a zip, its labels and the shape of its first latent.
  ///
  /// @throws IOException if it is no whole zip, or holds no such latents
  static Edm2Source open(Path file) throws IOException {
    try (ZipFile zip = ZipSource.whole(file)) {
      Shape shape = shape(zip, file);
      return new Edm2Source(
          file,
          DatasetJson.in(zip, file.toString()),
          (int) shape.extents()[1],
          (int) shape.extents()[2],
          zip.stream().filter(Edm2Source::counts).count());
    }
  }

  /// Returns the shape of the first array that can be read.
  private static Shape shape(ZipFile zip, Path file) throws IOException {
    String reason = "";
    Iterator<? extends ZipEntry> entries =
        zip.stream().filter(Edm2Source::counts).limit(Hollow.PATIENCE).iterator();
    while (entries.hasNext()) {
      ZipEntry entry = entries.next();
      try (Tensor tensor = tensor(zip, entry, file + "!/" + entry.getName())) {
        if (isKnown(tensor.shape().extents())) {
          return tensor.shape();
        }
        reason = "; the first is %s".formatted(tensor.shape());
      } catch (IOException e) {
        reason = reason.isEmpty() ? "; the first: " + Reason.of(e) : reason;
      }
    }
    throw new IOException(
        "%s: no latents of EDM2 (img-mean-std-….npy, [8, H, W] with up to %d a side) in this zip%s"
            .formatted(file, LARGEST, reason));
  }

  private static boolean isKnown(long[] extents) {
    return extents.length == 3
        && extents[0] == 2L * CHANNELS
        && Math.min(extents[1], extents[2]) >= 1
        && Math.max(extents[1], extents[2]) <= LARGEST;
  }

  private static boolean counts(ZipEntry entry) {
    return NAME.matcher(entry.getName()).matches();
  }

  private static Tensor tensor(ZipFile zip, ZipEntry entry, String name) throws IOException {
    byte[] content = ZipSource.read(zip, entry, LARGEST_FILE);
    return Tensor.npy(new ByteArrayInputStream(content), content.length, name);
  }

  @Override
  public int[] shape() {
    return new int[] {CHANNELS, height, width};
  }

  @Override
  public Optional<String> space() {
    return Optional.of(
        "edm2-v1 %dx%dx%d vae=sd-vae-ft-mse posterior=mean mean=5.81,3.25,0.12,-2.15"
                .formatted(width, height, CHANNELS)
            + " std=4.17,4.62,3.71,3.28 sigma-data=0.5");
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(count);
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "EDM2's zip %s: %,d latents of [%d, %d, %d], %s",
        file,
        count,
        CHANNELS,
        height,
        width,
        labels == DatasetJson.NONE ? "without labels" : "with labels");
  }

  @Override
  public Stream<Entry> latents(long from) {
    return Pull.stream(new Reader(from));
  }

  /// One pass over the directory.
  private final class Reader implements Pull<Entry> {
    private final Hollow hollow = new Hollow(file.toString());
    private final long from;
    private @Nullable ZipFile zip;
    private @Nullable Iterator<? extends ZipEntry> entries;

    Reader(long from) {
      this.from = from;
    }

    @Override
    public @Nullable Entry next() throws IOException {
      ZipFile open = zip;
      Iterator<? extends ZipEntry> rest = entries;
      if (open == null || rest == null) {
        open = ZipSource.whole(file);
        rest = open.stream().filter(Edm2Source::counts).skip(from).iterator();
        zip = open;
        entries = rest;
      }
      if (!rest.hasNext()) {
        return null;
      }
      Entry entry = entry(open, rest.next());
      switch (entry) {
        case Entry.Latent latent -> hollow.picture();
        case Entry.Unreadable unreadable -> hollow.hollow(unreadable.reason());
      }
      return entry;
    }

    private Entry entry(ZipFile zip, ZipEntry entry) {
      String source = file + "!/" + entry.getName();
      String shown = Reason.line(source);
      Origin origin = new Origin(shown, shown, "", shown);
      try {
        Origin named = PicturePath.parse(entry.getName()).origin(source);
        String label = labels.label(entry.getName(), "");
        origin = new Origin(named.id(), source, label, named.name());
        try (Tensor tensor = tensor(zip, entry, source)) {
          Shape expected = new Shape(2L * CHANNELS, height, width);
          if (tensor.type() != ElementType.FLOAT32 || !tensor.shape().equals(expected)) {
            return new Entry.Unreadable(
                origin,
                "%s: %s%s, but the first one is FLOAT32%s; encode it again"
                    .formatted(shown, tensor.type(), tensor.shape(), expected));
          }
          return LatentSource.entry(origin, normalised(tensor));
        }
      } catch (BadTensorException e) {
        return new Entry.Unreadable(origin, Reason.of(e));
      } catch (IOException | RuntimeException e) {
        return new Entry.Unreadable(origin, shown + ": " + Reason.of(e));
      }
    }

    private float[] normalised(Tensor tensor) throws IOException {
      int plane = height * width;
      float[] latent = new float[CHANNELS * plane];
      for (int c = 0; c < CHANNELS; c++) {
        float[] means = tensor.nextFloats();
        for (int i = 0; i < plane; i++) {
          latent[c * plane + i] = (float) ((means[i] - MEAN[c]) / STD[c] * SIGMA_DATA);
        }
      }
      return latent;
    }

    @Override
    public void close() throws IOException {
      if (zip != null) {
        zip.close();
      }
    }
  }
}
