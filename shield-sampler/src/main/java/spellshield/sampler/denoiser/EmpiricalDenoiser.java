package spellshield.sampler.denoiser;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;

/// The perfect memoriser: the exact posterior mean over a data set, or over one class of it.
///
/// ```text
/// D(x, σ) = Σ_k w_k·z_k,   w_k ∝ exp(−‖x − z_k‖² / (2σ²))
/// ```
///
/// Weights below e⁻³² of the largest count as none. A posterior that leaves one item returns that
/// item bit for bit.
///
/// **Accuracy.** One float32 product of rows and items gives every `x·z_k` with an error below
/// `γ‖x‖‖z_k‖`, `γ = D·2⁻²⁴/(1 − D·2⁻²⁴)`, whatever the order of its sums; so `‖x − z_k‖²` is known
/// to `2γ‖x‖‖z_k‖`. At low σ that is far too coarse for a weight, but enough to rule items out. The
/// distances to those that are left, their weights and their average are computed in float64, each
/// by a fixed order of sums, and x̂0 is rounded once.
///
/// **Bits.** No bit of the product reaches the answer, only its choice of a few items too many,
/// which their weights then leave out again. So a row's bits depend neither on its batch nor on the
/// threads, the processor or the backend; see
/// `EmpiricalDenoiserTest.a_row_does_not_depend_on_its_batch`.
///
/// Thread-safe. The items are held once, outside the Java heap, until [#close()].
public final class EmpiricalDenoiser implements Denoiser, AutoCloseable {
  /// So many candidates, 12 bytes each, may wait for their distances.
  private static final int PENDING = 1 << 23;

  private final int[] shape;
  private final ItemClasses classes;
  private final SortedMap<Integer, List<ItemChunk>> chunks = new TreeMap<>();

  private EmpiricalDenoiser(Latents data, ItemClasses classes) {
    shape = data.shape().clone();
    this.classes = classes;
    for (int label : classes.labels()) {
      chunks.put(label, ItemChunk.of(data, classes.items(label)));
    }
  }

  /// Copies a data set without classes.
  ///
  /// @param data `[K, D]`, at least one item, all finite
  public static EmpiricalDenoiser of(Latents data) {
    return new EmpiricalDenoiser(requireItems(data), ItemClasses.unlabelled(data.batch()));
  }

  /// Copies a data set with one class per item.
  ///
  /// @param data `[K, D]`, at least one item, all finite
  /// @param labels K classes, any numbers
  public static EmpiricalDenoiser of(Latents data, int... labels) {
    return new EmpiricalDenoiser(requireItems(data), ItemClasses.of(data.batch(), labels));
  }

  static Latents requireItems(Latents data) {
    if (data.batch() < 1) {
      throw new IllegalArgumentException("a data set needs at least one item, but has none");
    }
    requireFinite(data, "item");
    return data;
  }

  /// Returns the posterior mean of every row.
  ///
  /// @param condition [Condition.Labels] averages over the items of a row's class, [Condition#NONE]
  ///   over all
  /// @throws IllegalArgumentException if the shape or a class is unknown, or `xt` is not finite
  @Override
  public Latents denoise(Latents xt, double sigma, Condition condition) {
    requireQuestion(xt, sigma, shape);
    int[] asked = classes.asked(condition, xt.batch());
    Latents x0hat = Latents.zeros(xt.batch(), shape);
    List<PosteriorTile> pending = new ArrayList<>();
    int size = 0;
    for (PosteriorTile tile : tiles(xt, sigma, asked)) {
      if (size > PENDING - tile.size()) {
        finish(pending, x0hat.values());
        size = 0;
      }
      pending.add(tile);
      size += tile.size();
    }
    finish(pending, x0hat.values());
    return x0hat;
  }

  /// First all products, then all the rest: the product's threads spin for a while after each, and
  /// would be in the way.
  private static void finish(List<PosteriorTile> pending, float[] x0hat) {
    pending.forEach(PosteriorTile::multiply);
    pending.parallelStream().forEach(tile -> tile.average(x0hat));
    pending.clear();
  }

  private List<PosteriorTile> tiles(Latents xt, double sigma, int @Nullable [] asked) {
    List<PosteriorTile> tiles = new ArrayList<>();
    int[] labels = asked == null ? new int[1] : Arrays.stream(asked).distinct().sorted().toArray();
    for (int label : labels) {
      List<ItemChunk> items = asked == null ? allChunks() : chunks.getOrDefault(label, List.of());
      int[] rows =
          IntStream.range(0, xt.batch())
              .filter(row -> asked == null || asked[row] == label)
              .toArray();
      for (int first = 0; first < rows.length; first += PosteriorTile.ROWS) {
        int end = Math.min(rows.length, first + PosteriorTile.ROWS);
        tiles.add(new PosteriorTile(items, xt, Arrays.copyOfRange(rows, first, end), sigma));
      }
    }
    return tiles;
  }

  private List<ItemChunk> allChunks() {
    return chunks.values().stream().flatMap(List::stream).toList();
  }

  static void requireQuestion(Latents xt, double sigma, int[] shape) {
    if (!Arrays.equals(xt.shape(), shape)) {
      throw new IllegalArgumentException(
          "shape %s does not match the data set's %s"
              .formatted(Arrays.toString(xt.shape()), Arrays.toString(shape)));
    }
    if (!(sigma > 0 && sigma < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("sigma must be positive and finite, but was " + sigma);
    }
    requireFinite(xt, "row");
  }

  static void requireFinite(Latents latents, String what) {
    int dim = latents.dim();
    for (int i = 0; i < latents.batch(); i++) {
      double normSquared = Distances.normSquared(latents.values(), i * dim, dim);
      if (!(normSquared < Distances.MAX_NORM_SQUARED)) {
        throw new IllegalArgumentException(
            "every %s must be finite and of norm below 1e15, but ‖·‖² of %s %d is %s"
                .formatted(what, what, i, normSquared));
      }
    }
  }

  /// Gives the items' memory back; the denoiser must not be used afterwards.
  @Override
  public void close() {
    chunks.values().forEach(list -> list.forEach(ItemChunk::close));
  }
}
