package spellshield.tools.source;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import spellshield.tools.source.ImageSource.Origin;
import spellshield.tools.tensor.BadTensorException;
import spellshield.tools.tensor.Shape;
import spellshield.tools.tensor.Tensor;
import spellshield.tools.tensor.TensorFile;

/// Latents in the files of NumPy and safetensors, in one of two forms.
///
/// ```text
/// one array   [N, C, H, W] or [N, D]: the only one of floats, or the one called `latents`; labels in
///             an array of whole numbers called `labels`, [N], if there is one
/// named       two or more arrays of floats, all [C, H, W] or all [D]: a latent each
/// ```
///
/// The id of a row is the file's name without ending, `/`, and its number from 0, padded so that
/// ids sort; ids and labels of named latents are those of [PicturePath]. Values are rounded to
/// float32.
public final class ArraySource implements LatentSource {
  private static final String LATENTS = "latents";
  private static final String LABELS = "labels";
  private static final int MAX_LABELS = 100_000_000;

  private final Path file;
  private final TensorFile tensors;
  private final List<String> names; // of the arrays that hold latents
  private final boolean rows; // whether a latent is a row of the only one
  private final Shape shape; // of a latent
  private final long count;
  private final long[] labels; // empty: none

  private ArraySource(Path file, TensorFile tensors, List<String> names, long[] labels) {
    Shape whole = shape(tensors, names.getFirst());
    this.file = file;
    this.tensors = tensors;
    this.names = names;
    this.rows = whole.rank() % 2 == 0;
    this.shape = rows ? whole.row() : whole;
    this.count = rows ? whole.rows() : names.size();
    this.labels = labels;
  }

  private static Shape shape(TensorFile tensors, String name) {
    TensorFile.Header header = tensors.tensors().get(name);
    return header == null ? new Shape() : header.shape();
  }

  /// Finds out which arrays of a file are latents.
  ///
  /// @throws IOException if none are
  static ArraySource open(Path file, TensorFile tensors) throws IOException {
    SequencedMap<String, TensorFile.Header> all = tensors.tensors();
    List<String> floats =
        all.entrySet().stream()
            .filter(e -> e.getValue().type().isFloat())
            .map(Map.Entry::getKey)
            .toList();
    List<String> names = floats.contains(LATENTS) ? List.of(LATENTS) : floats;
    List<Shape> shapes = names.stream().map(name -> shape(tensors, name)).distinct().toList();
    int rank = shapes.size() == 1 ? shapes.getFirst().rank() : 0;
    boolean oneArray = names.size() == 1 && (rank == 2 || rank == 4);
    if (!oneArray && rank != 1 && rank != 3) {
      throw new BadTensorException(
          file.toString(),
          "latents are one array of [N, C, H, W] or [N, D], or several of one shape [C, H, W] or [D],"
              + " but it has %s".formatted(shown(all, tensors)));
    }
    ArraySource source = new ArraySource(file, tensors, names, new long[0]);
    if (source.count == 0) {
      throw new BadTensorException(
          file.toString(), "no latents in it; name a file that holds some");
    }
    TensorFile.Header labels = all.get(LABELS);
    if (!oneArray || labels == null || labels.type().isFloat()) {
      return source;
    }
    if (!labels.shape().equals(new Shape(source.count))) {
      throw new BadTensorException(
          file.toString(),
          "labels of shape %s for %,d latents; they do not belong together"
              .formatted(labels.shape(), source.count));
    }
    try (Tensor tensor = tensors.open(LABELS)) {
      return new ArraySource(file, tensors, names, tensor.longs(MAX_LABELS));
    }
  }

  private static String shown(Map<String, TensorFile.Header> all, TensorFile tensors) {
    List<String> some =
        all.entrySet().stream()
            .limit(8)
            .map(e -> "%.40s %s%s".formatted(e.getKey(), e.getValue().type(), e.getValue().shape()))
            .toList();
    return "%s of %d arrays (%d of other types)"
        .formatted(some, all.size() + tensors.others().size(), tensors.others().size());
  }

  @Override
  public int[] shape() {
    return Arrays.stream(shape.extents()).mapToInt(Math::toIntExact).toArray();
  }

  @Override
  public Optional<String> space() {
    return Optional.empty();
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(count);
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "latents %s: %,d of %s, %s",
        file,
        count,
        shape,
        rows ? labels.length > 0 ? "with labels" : "without labels" : "named");
  }

  @Override
  public Stream<Entry> latents(long from) {
    return Pull.stream(rows ? new Rows(from) : new Named(from));
  }

  /// The rows of one array.
  private final class Rows implements Pull<Entry> {
    private final Hollow hollow = new Hollow(file.toString());
    private final String stem = PicturePath.stem(String.valueOf(file.getFileName()));
    private final String format = "%0" + Long.toString(count - 1).length() + "d";
    private long next;
    private @Nullable Tensor tensor;

    Rows(long from) {
      this.next = Math.min(from, count);
    }

    @Override
    public @Nullable Entry next() throws IOException {
      if (next == count) {
        return null;
      }
      Tensor values = tensor;
      if (values == null) {
        values = tensors.open(names.getFirst());
        tensor = values;
        values.skip(next);
      }
      String number = String.format(Locale.ROOT, format, next);
      String label = labels.length == 0 ? "" : Long.toString(labels[(int) next]);
      Origin origin =
          new Origin(stem + "/" + number, file + "[" + next + "]", label, stem + " " + number);
      next++;
      return counted(hollow, LatentSource.entry(origin, values.nextFloats()));
    }

    @Override
    public void close() throws IOException {
      if (tensor != null) {
        tensor.close();
        tensor = null;
      }
    }
  }

  /// Arrays that are a latent each.
  private final class Named implements Pull<Entry> {
    private final Hollow hollow = new Hollow(file.toString());
    private final Iterator<String> rest;

    Named(long from) {
      this.rest = names.stream().skip(from).iterator();
    }

    @Override
    public @Nullable Entry next() throws IOException {
      if (!rest.hasNext()) {
        return null;
      }
      String name = rest.next();
      String source = file + "[" + Reason.line(name) + "]";
      Origin origin;
      try {
        origin = PicturePath.parse(name).origin(source);
      } catch (IOException e) {
        Origin nameless = new Origin(source, source, "", source);
        return counted(hollow, new Entry.Unreadable(nameless, source + ": " + Reason.of(e)));
      }
      try (Tensor tensor = tensors.open(name)) {
        return counted(hollow, LatentSource.entry(origin, tensor.floats()));
      }
    }

    @Override
    public void close() {}
  }

  private static Entry counted(Hollow hollow, Entry entry) throws IOException {
    switch (entry) {
      case Entry.Latent latent -> hollow.picture();
      case Entry.Unreadable unreadable -> hollow.hollow(unreadable.reason());
    }
    return entry;
  }
}
