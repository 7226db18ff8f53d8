package spellshield.sampler.denoiser;

import java.util.Arrays;
import java.util.stream.IntStream;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;

/// A posterior mean that weighs the data at every position anew, by a window around it.
///
/// ```text
/// E_k(p)  = Σ_{q ∈ window(p)} Σ_c (x_c(q) − z_{k,c}(q))²
/// w_k(p)  ∝ exp(−E_k(p) / (2σ²)),   x̂0_c(p) = Σ_k w_k(p)·z_{k,c}(p)
/// ```
///
/// The window is `(2h + 1) × (2h + 1)` positions, clipped at the border, over all channels. With
/// one as large as the image it is [EmpiricalDenoiser]; with a smaller one it puts pictures
/// together from pieces of different items, each at the place where it was found: local, but not
/// translation-equivariant. Source: the local score machine of Kamb and Ganguli 2024, arXiv
/// 2412.20292, without equivariance; the clipped windows are its borders.
///
/// Weights below e⁻²⁸ of the largest at a position are none, so a position that only one item
/// explains gets that item's exact value. Energies and sums are float64, the exponential is good to
/// 10⁻⁶ ([LocalWeights]); the answer is rounded once.
///
/// A call costs `B·K·C·H·W` operations whatever the window, spread over the processors row by row.
/// Thread-safe; a row's bits depend neither on its batch nor on the number of threads.
public final class LocalEmpiricalDenoiser implements Denoiser {
  private final Latents data;
  private final ItemClasses classes;
  private final int halfWidth;

  private LocalEmpiricalDenoiser(Latents data, int halfWidth, ItemClasses classes) {
    if (data.shape().length != 3) {
      throw new IllegalArgumentException(
          "windows need latents of shape [C, H, W], but the shape was "
              + Arrays.toString(data.shape()));
    }
    if (halfWidth < 0) {
      throw new IllegalArgumentException("halfWidth must be 0 or more, but was " + halfWidth);
    }
    this.data = data;
    this.classes = classes;
    this.halfWidth = Math.min(halfWidth, Math.max(data.shape()[1], data.shape()[2]));
  }

  /// Takes a data set without classes.
  ///
  /// @param data `[K, C, H, W]`, at least one item, all finite; shared, not copied, and not to be
  ///   changed
  /// @param halfWidth h, 0 or more
  public static LocalEmpiricalDenoiser of(Latents data, int halfWidth) {
    EmpiricalDenoiser.requireItems(data);
    return new LocalEmpiricalDenoiser(data, halfWidth, ItemClasses.unlabelled(data.batch()));
  }

  /// Takes a data set with one class per item.
  ///
  /// @param data as above
  /// @param halfWidth h, 0 or more
  /// @param labels K classes, any numbers
  public static LocalEmpiricalDenoiser of(Latents data, int halfWidth, int[] labels) {
    EmpiricalDenoiser.requireItems(data);
    return new LocalEmpiricalDenoiser(data, halfWidth, ItemClasses.of(data.batch(), labels));
  }

  /// Returns the local posterior mean of every row.
  ///
  /// @param condition [Condition.Labels] averages over the items of a row's class, [Condition#NONE]
  ///   over all
  /// @throws IllegalArgumentException if the shape or a class is unknown, or `xt` is not finite
  @Override
  public Latents denoise(Latents xt, double sigma, Condition condition) {
    EmpiricalDenoiser.requireQuestion(xt, sigma, data.shape());
    int[] asked = classes.asked(condition, xt.batch());
    int[] all = IntStream.range(0, data.batch()).toArray();
    Latents x0hat = Latents.zeros(xt.batch(), data.shape());
    int dim = xt.dim();
    IntStream.range(0, xt.batch())
        .parallel()
        .forEach(row -> {
          int[] items = asked == null ? all : classes.items(asked[row]);
          new LocalPosterior(data, halfWidth, xt.values(), row * dim, sigma)
              .mean(items, x0hat.values());
        });
    return x0hat;
  }
}
