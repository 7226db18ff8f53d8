package spellshield.index.sketch;

import spellshield.index.kernel.Kernels;
import spellshield.index.store.LatentReader;

/// Makes sketches, and knows how far rounding may have moved them.
///
/// With w = x − μ, P the leading h of t orthonormal directions, P′ all t of them, and ρ the norm of
/// what a projection drops, a sketch is two parts of one row:
///
/// ```text
/// head  ρ(w) = ‖w − PᵀPw‖,  Pw                      h + 1 values
/// tail  ρ′(w) = ‖w − P′ᵀP′w‖,  the rest of P′w       t − h + 1 values, or none where t = h
/// ```
///
/// Both `(ρ, Pw)` and `(ρ′, P′w)` are maps that never make a distance longer: what is far apart in
/// a sketch is at least as far apart in the latents. Computed in float32 ([Kernels#project]), the
/// norms in float64. Immutable; any number of threads may use it.
///
/// # The error
///
/// With `u = 2⁻²⁴`, `v = 2⁻⁵³`, `W = ‖w‖`:
///
/// 1. `‖Pw‖² + ‖w − PᵀPw‖² = ‖w‖² + (Pw)ᵀ(PPᵀ − I)(Pw)`, hence `‖s(q) − s(z)‖ ≤ (1 + ε)·‖q − z‖`
///    with ε = ‖P′P′ᵀ − I‖_F, computed in float64 with its own error added ([#epsilon()]).
/// 2. x − μ is rounded once: u·(1 + ε)·W.
/// 3. The coordinates are off by at most `δ = γ·√t·(1 + ε)·W`, `γ = n·u / (1 − n·u)`, `n = ⌈D/16⌉ +
///    17` roundings a term.
/// 4. ρ² is ‖w‖² less the squares of the coordinates; it is off by at most `E = ε·W² + (2·‖Pw‖ +
///    δ)·δ + 2(D + t + 10)·v·W²`, so ρ by at most `min(√E, E / ρ)`, and u·ρ for its own rounding.
///
/// [#sketch] returns the sum of these, η. Tests: `SketcherTest`, with the pairs that break a naive
/// filter.
public final class Sketcher {
  private static final double U = 0x1p-24;
  private static final double V = 0x1p-53;

  /// So many latents and values are sketched together at most.
  private static final int MOST_TOGETHER = 16;

  private static final int MOST_TOGETHER_VALUES = 1 << 20;

  /// The most directions: the scan numbers its chunks of eight values in bytes.
  static final int MOST_DIRECTIONS = 1_000;

  private final int dim;
  private final int headDim;
  private final int directionCount;
  private final float[] mean;
  private final float[] directions;
  private final double epsilon;

  /// Takes over μ `[D]` and P′ `[t, D]`, row by row.
  ///
  /// Any P′ is sound: directions that are not orthonormal make ε large and the filter weak.
  ///
  /// @param directions P′; t is at most 1,000
  /// @param headDim h, from 1 to t
  public Sketcher(float[] mean, float[] directions, int headDim) {
    if (mean.length == 0 || directions.length % mean.length != 0) {
      throw new IllegalArgumentException(
          "%d values are no directions in %d dimensions".formatted(directions.length, mean.length));
    }
    this.dim = mean.length;
    this.directionCount = directions.length / mean.length;
    if (directionCount > MOST_DIRECTIONS) {
      throw new IllegalArgumentException(
          "a sketch has at most %d directions, but was given %d"
              .formatted(MOST_DIRECTIONS, directionCount));
    }
    if (headDim < 1 || headDim > directionCount) {
      throw new IllegalArgumentException(
          "a head has from 1 to %d directions, but was asked for %d"
              .formatted(directionCount, headDim));
    }
    this.headDim = headDim;
    this.mean = mean;
    this.directions = directions;
    this.epsilon = departureFromOrthonormal();
  }

  /// Fits μ and the directions to the latents.
  ///
  /// @param headDim the number of directions h of the head
  /// @param tailDim the number of directions of the tail; of both together at most D are used
  public static Sketcher fit(LatentReader latents, int headDim, int tailDim) {
    if (headDim < 1 || tailDim < 0) {
      throw new IllegalArgumentException(
          "a sketch needs at least 1 direction in its head and 0 in its tail, but got %d and %d"
              .formatted(headDim, tailDim));
    }
    float[] mean = PrincipalDirections.mean(latents);
    int count = Math.min(headDim + tailDim, latents.dim());
    float[] directions = PrincipalDirections.fit(latents, mean, count);
    return new Sketcher(mean, directions, Math.min(headDim, count));
  }

  /// Returns D.
  public int dim() {
    return dim;
  }

  /// Returns h.
  public int headDim() {
    return headDim;
  }

  /// Returns the number of values of a head, h + 1.
  public int headLength() {
    return headDim + 1;
  }

  /// Returns the first value of a sketch that is coded: all but ρ, whose place ρ′ takes, where
  /// there is a tail.
  int codedFrom() {
    return tailLength() > 0 ? 1 : 0;
  }

  /// Returns the number of coded values, t + 1.
  int codedLength() {
    return directionCount + 1;
  }

  /// Returns the number of columns of codes that a sketch takes: the scan adds eight at a time, and
  /// those behind [#codedLength] hold zeros.
  int columns() {
    return Math.ceilDiv(codedLength(), Kernels.CHUNK) * Kernels.CHUNK;
  }

  /// Returns the number of values of a tail, t − h + 1, or 0 where there is none.
  public int tailLength() {
    return directionCount == headDim ? 0 : directionCount - headDim + 1;
  }

  /// Returns the number of values of a sketch.
  public int length() {
    return headLength() + tailLength();
  }

  /// Returns t, the number of all directions.
  public int directionCount() {
    return directionCount;
  }

  /// Returns μ, shared.
  public float[] mean() {
    return mean;
  }

  /// Returns P′ row by row, shared.
  public float[] directions() {
    return directions;
  }

  /// Returns ε, a bound of `‖P′P′ᵀ − I‖_F`.
  public double epsilon() {
    return epsilon;
  }

  /// Writes the sketch of a latent: ρ, the head's coordinates, ρ′, the tail's coordinates.
  ///
  /// @param latent holds the D values from `offset`
  /// @param into receives [#length] values from `intoOffset`
  /// @return η, the most by which the head, or head and tail without ρ, are off; +∞ where float32
  ///   overflows
  public double sketch(float[] latent, int offset, float[] into, int intoOffset) {
    return sketch(latent, offset, 1, into, intoOffset)[0];
  }

  /// Returns how many latents are worth being sketched at once: up to 4 MiB of them.
  int together() {
    return Math.clamp(MOST_TOGETHER_VALUES / dim, 1, MOST_TOGETHER);
  }

  /// Writes the sketches of some latents, each with the bits that it has alone; many at once take
  /// less time, as all go through a direction while it is in the cache.
  ///
  /// @param latents `[count, D]` from `offset`
  /// @param into receives `[count, length]` from `intoOffset`
  /// @return η of each
  double[] sketch(float[] latents, int offset, int count, float[] into, int intoOffset) {
    float[] centred = new float[count * dim];
    for (int row = 0; row < count; row++) {
      for (int j = 0; j < dim; j++) {
        centred[row * dim + j] = latents[offset + row * dim + j] - mean[j];
      }
    }
    float[] coordinates = new float[count * directionCount];
    Kernels.project(centred, count, dim, directions, directionCount, coordinates);
    double[] errors = new double[count];
    for (int row = 0; row < count; row++) {
      double square = Kernels.dot(centred, row * dim, centred, row * dim, dim);
      int from = row * directionCount;
      errors[row] = arrange(square, coordinates, from, into, intoOffset + row * length());
    }
    return errors;
  }

  private double arrange(double square, float[] coordinates, int from, float[] into, int at) {
    double kept = squares(coordinates, from, from + headDim);
    double rho2 = Math.max(0, square - kept);
    into[at] = (float) Math.sqrt(rho2);
    System.arraycopy(coordinates, from, into, at + 1, headDim);
    double least = rho2;
    if (tailLength() > 0) {
      kept += squares(coordinates, from + headDim, from + directionCount);
      least = Math.max(0, square - kept);
      into[at + headLength()] = (float) Math.sqrt(least);
      int tail = directionCount - headDim;
      System.arraycopy(coordinates, from + headDim, into, at + headLength() + 1, tail);
    }
    return error(Math.sqrt(square), Math.sqrt(kept), Math.sqrt(least));
  }

  private static double squares(float[] values, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += (double) values[i] * values[i];
    }
    return sum;
  }

  /// Returns η; the smaller ρ is, the larger, so that the least of two bounds both.
  private double error(double norm, double kept, double rho) {
    double n = Math.ceilDiv(dim, 16) + 17.0;
    if (!(norm < Float.MAX_VALUE) || n * U > 0.25) {
      return Double.POSITIVE_INFINITY;
    }
    double gamma = n * U / (1 - n * U);
    // The last term: products that fall under 2⁻¹²⁶ lose up to 2⁻¹⁵⁰ each.
    double delta =
        Math.sqrt(directionCount) * (gamma * (1 + epsilon) * norm + (dim + 16) * 0x1p-149);
    double e =
        epsilon * norm * norm
            + (2 * kept + delta) * delta
            + 2 * (dim + directionCount + 10.0) * V * norm * norm;
    double rhoError = Math.min(Math.sqrt(e), e / rho) + U * norm + 0x1p-149; // e / 0 is +∞ or NaN
    if (!(rhoError < Double.POSITIVE_INFINITY)) {
      rhoError = Math.sqrt(e) + U * norm + 0x1p-149;
    }
    double rounded = U * (1 + epsilon) * norm + dim * 0x1p-149;
    return (rounded + delta + rhoError) * (1 + 0x1p-20);
  }

  private double departureFromOrthonormal() {
    double sum = 0;
    for (int i = 0; i < directionCount; i++) {
      for (int k = 0; k <= i; k++) {
        double e = Kernels.dot(directions, i * dim, directions, k * dim, dim) - (i == k ? 1 : 0);
        sum += (i == k ? 1 : 2) * e * e;
      }
    }
    return Math.sqrt(sum) * (1 + 0x1p-40) + 0x1p-53 * (dim + 2.0) * directionCount;
  }
}
