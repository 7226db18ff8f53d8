package spellshield.tools.calibrate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import spellshield.index.ProtectedSet;
import spellshield.index.kernel.Distance;
import spellshield.index.search.Neighbor;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.calibrate.Calibration.Copies;
import spellshield.tools.codec.Codec;
import spellshield.tools.edit.Edit;
import spellshield.tools.source.ImageSource.Entry;
import spellshield.tools.source.ImageSource.Origin;
import spellshield.tools.source.Stored;

/// Measures a set by pictures: edits, encodes and searches, exactly.
///
/// Pictures are cropped to the codec's size before they are edited, as a model's own copies have
/// that size.
public final class Measurement {

  /// A picture whose own latent is no nearer than this share of the typical distance to what is
  /// protected is none of the set's. The same file encoded on another machine, or rounded to
  /// float16, moves by less than a thousandth; the mildest edits by over a fiftieth.
  public static final double SAME = 0.02;

  private final ProtectedSet set;
  private final Codec codec;
  private final List<Edit> edits;
  private final long seed;
  private final Runnable step;
  private final double typical;
  private final List<String> leftOut = new ArrayList<>();
  private int heldOutInSet;

  /// Begins a measurement.
  ///
  /// @param codec of the set's space
  /// @param seed of what edits draw
  /// @param step is told of each picture
  public Measurement(ProtectedSet set, Codec codec, List<Edit> edits, long seed, Runnable step) {
    set.requireSpace(codec.space());
    if (set.count() == 0) {
      throw new IllegalArgumentException("the set protects nothing; add pictures to it first");
    }
    this.set = set;
    this.codec = codec;
    this.edits = edits;
    this.seed = seed;
    this.step = step;
    this.typical = set.radius(1);
  }

  /// Measures copies of protected pictures against pictures that are not protected.
  ///
  /// @param pictures that the set was built of
  /// @param heldOut pictures of the same kind that it was not
  /// @throws IOException if no picture of either can be read, or none of the first is in the set
  public Calibration measure(List<Stored> pictures, List<Stored> heldOut) throws IOException {
    List<Copies> copies = copies(pictures);
    return new Calibration(typical, set.statistics().meanClearance(), copies, distances(heldOut));
  }

  /// Returns a line for each picture that was not measured.
  public List<String> leftOut() {
    return List.copyOf(leftOut);
  }

  /// Returns how many of the held-out pictures are protected ones: none should be.
  public int heldOutInSet() {
    return heldOutInSet;
  }

  private List<Copies> copies(List<Stored> pictures) throws IOException {
    List<double[]> own = new ArrayList<>();
    List<double[]> nearest = new ArrayList<>();
    for (Stored stored : pictures) {
      switch (stored.decode()) {
        case Entry.Picture(Origin origin, RgbImage image) -> {
          // Equal hash codes of two ids do no harm: they draw the same noise.
          long drawn = seed + 0x9e3779b97f4a7c15L * origin.id().hashCode();
          measure(image, drawn, own, nearest, origin.source());
        }
        case Entry.Unreadable unreadable -> leftOut.add(unreadable.reason());
      }
      step.run();
    }
    if (own.isEmpty()) {
      throw new IOException(
          "none of the pictures is in the set" + first() + "; name those that it was built of");
    }
    List<Copies> copies = new ArrayList<>();
    for (int e = 0; e < edits.size(); e++) {
      copies.add(new Copies(edits.get(e), column(own, e), column(nearest, e)));
    }
    return copies;
  }

  private static Distances column(List<double[]> rows, int column) {
    return Distances.of(rows.stream().mapToDouble(row -> row[column]).toArray());
  }

  private void measure(
      RgbImage image, long drawn, List<double[]> own, List<double[]> nearest, String source) {
    RgbImage original = codec.prepare(image);
    List<RgbImage> all = new ArrayList<>();
    all.add(original);
    edits.forEach(edit -> all.add(edit.apply(original, codec, drawn)));
    List<float[]> latents = codec.encode(all);
    List<Optional<Neighbor>> found = set.exact().nearest(flat(latents), latents.size());
    Optional<Neighbor> itself = found.getFirst();
    if (itself.isEmpty() || !(itself.get().distance() <= SAME * typical)) {
      leftOut.add(source + ": is not in the set, so it was not measured");
      return;
    }
    float[] protectedLatent = new float[set.space().dim()];
    set.latents().read(itself.get().item(), protectedLatent);
    own.add(
        latents.stream()
            .skip(1)
            .mapToDouble(latent -> Distance.between(latent, protectedLatent))
            .toArray());
    nearest.add(found.stream().skip(1).mapToDouble(Measurement::reach).toArray());
  }

  private Distances distances(List<Stored> pictures) throws IOException {
    List<Double> distances = new ArrayList<>();
    for (Stored stored : pictures) {
      switch (stored.decode()) {
        case Entry.Picture picture -> {
          float[] latent = codec.encode(picture.image());
          double distance = reach(set.exact().nearest(latent, 1).getFirst());
          heldOutInSet += distance <= SAME * typical ? 1 : 0;
          distances.add(distance);
        }
        case Entry.Unreadable unreadable -> leftOut.add(unreadable.reason());
      }
      step.run();
    }
    if (distances.isEmpty()) {
      throw new IOException("none of the held-out pictures can be read" + first());
    }
    return Distances.of(distances.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /// Returns the largest radius whose balls do not hold the point, as an audit judges it.
  private static double reach(Optional<Neighbor> nearest) {
    return Math.max(
        0, nearest.orElseThrow().clearance()); // a set with a typical distance has items
  }

  private String first() {
    return leftOut.isEmpty() ? "" : "; the first: " + leftOut.getFirst();
  }

  private static float[] flat(List<float[]> rows) {
    int dim = rows.getFirst().length;
    float[] flat = new float[rows.size() * dim];
    IntStream.range(0, rows.size())
        .forEach(i -> System.arraycopy(rows.get(i), 0, flat, i * dim, dim));
    return flat;
  }
}
