package spellshield.index.sketch;

import spellshield.index.kernel.Kernels;
import spellshield.index.store.LatentReader;

/// Makes sketches, and knows how far rounding may have moved them.
///
/// `s(x) = (ρ(x − μ), P(x − μ))` is computed in float64 from the stored float32 μ and P, the
/// residual by subtraction (`x − μ − Pᵀ P(x − μ)`, not as a difference of squares), and rounded to
/// float32. Immutable; any number of threads may use it.
///
/// # The margin
///
/// With `u = 2⁻²⁴`, `v = 2⁻⁵³`, m = d + 1, for a query q and an item z:
///
/// 1. `‖Pw‖² + ‖w − PᵀPw‖² = ‖w‖² + (Pw)ᵀ(PPᵀ − I)(Pw)`, hence `‖s(q) − s(z)‖ ≤ (1 + ε)·‖q − z‖`
///    with ε = ‖PPᵀ − I‖_F, computed in float64 with its own error added ([#epsilon()]).
/// 2. The stored sketch is off by at most `η(x) = ‖x − μ‖·[u(1 + 2⁻¹⁰) + v(D + d + 4)(2√d + 2)] +
///    √m·2⁻¹⁵⁰` ([#roundingError]).
/// 3. The scan adds m float32 terms, each through at most m + 2 roundings: `t ≤ S·(1 + u)^(m+2) +
///    m·2⁻¹²⁶`.
/// 4. So an item within r obeys `t ≤ T(r)` ([#scanLimit]), and an item with sum t is at least
///    [#clearance] away. Both are monotone, so partial sums may be used in place of whole ones.
///
/// Tests: `SketcherTest.the_bound_never_exceeds_the_distance`, with the pairs that break a naive
/// filter.
public final class Sketcher {
  private final int dim;
  private final int sketchDim;
  private final float[] mean;
  private final float[] directions;
  private final double epsilon;

  /// Takes over μ `[D]` and P `[d, D]`, row by row.
  ///
  /// Any P is sound: directions that are not orthonormal make ε large and the filter weak.
  public Sketcher(float[] mean, float[] directions) {
    if (mean.length == 0 || directions.length % mean.length != 0) {
      throw new IllegalArgumentException(
          "%d values are no directions in %d dimensions".formatted(directions.length, mean.length));
    }
    this.dim = mean.length;
    this.sketchDim = directions.length / mean.length;
    this.mean = mean;
    this.directions = directions;
    this.epsilon = departureFromOrthonormal();
  }

  /// Fits μ and P to the latents.
  ///
  /// @param sketchDim the number of principal directions d; at most D of them are used
  public static Sketcher fit(LatentReader latents, int sketchDim) {
    if (sketchDim < 1) {
      throw new IllegalArgumentException("sketchDim must be at least 1, but was " + sketchDim);
    }
    float[] mean = PrincipalDirections.mean(latents);
    int count = Math.min(sketchDim, latents.dim());
    return new Sketcher(mean, PrincipalDirections.fit(latents, mean, count));
  }

  /// Returns D.
  public int dim() {
    return dim;
  }

  /// Returns d.
  public int sketchDim() {
    return sketchDim;
  }

  /// Returns m = d + 1, the number of values of a sketch.
  public int length() {
    return sketchDim + 1;
  }

  /// Returns μ, shared.
  public float[] mean() {
    return mean;
  }

  /// Returns P row by row, shared.
  public float[] directions() {
    return directions;
  }

  /// Returns ε, a bound of `‖PPᵀ − I‖_F`.
  public double epsilon() {
    return epsilon;
  }

  /// Writes the sketch of a latent, ρ first.
  ///
  /// @param latent holds the D values from `offset`
  /// @param into receives `d + 1` values from `intoOffset`
  /// @return η, the most that the rounding of this sketch may have moved it
  public double sketch(float[] latent, int offset, float[] into, int intoOffset) {
    double[] centred = new double[dim];
    for (int j = 0; j < dim; j++) {
      centred[j] = (double) latent[offset + j] - (double) mean[j];
    }
    double[] residual = centred.clone();
    double square = 0;
    for (int i = 0; i < sketchDim; i++) {
      double coordinate = Kernels.dot(centred, directions, i * dim, dim);
      square += coordinate * coordinate;
      into[intoOffset + 1 + i] = (float) coordinate;
      subtract(residual, coordinate, i * dim);
    }
    double rho2 = 0;
    for (double value : residual) {
      rho2 += value * value;
    }
    into[intoOffset] = (float) Math.sqrt(rho2);
    return roundingError(Math.sqrt(square + rho2));
  }

  private void subtract(double[] residual, double coordinate, int row) {
    for (int j = 0; j < dim; j++) {
      residual[j] -= coordinate * directions[row + j];
    }
  }

  /// Returns η for a latent at the distance `norm` from μ.
  ///
  /// The norm is read off the sketch; ε and a few float64 roundings are what it may be off by,
  /// which the factor covers with room to spare.
  double roundingError(double norm) {
    double m = length();
    double relative =
        0x1p-24 * (1 + 0x1p-10)
            + 0x1p-53 * (dim + sketchDim + 4.0) * (2 * Math.sqrt(sketchDim) + 2);
    return norm * (1 + epsilon + 0x1p-20) * relative + Math.sqrt(m) * 0x1p-150;
  }

  /// Returns T: an item within `radius` has a float32 sum of squares that is not above it.
  ///
  /// ```text
  /// T = nextUp₃₂( ((1 + ε)·r + η_q + η_z)²·(1 + (m + 4)·2⁻²⁴) + m·2⁻¹²⁶ )
  /// ```
  public float scanLimit(double radius, double queryError, double itemError) {
    double reach = (1 + epsilon) * radius + queryError + itemError;
    double limit = reach * reach * (1 + (length() + 4) * 0x1p-24) + length() * 0x1p-126;
    return limit < Float.MAX_VALUE ? Math.nextUp((float) limit) : Float.POSITIVE_INFINITY;
  }

  /// Returns a distance that an item with the float32 sum `sum`, whole or partial, is not below.
  ///
  /// ```text
  /// c = nextDown( (√(t·(1 − (m + 4)·2⁻²⁴) − m·2⁻¹²⁶) − η_q − η_z) / (1 + ε) )
  /// ```
  public double clearance(float sum, double queryError, double itemError) {
    double square = sum * (1 - (length() + 4) * 0x1p-24) - length() * 0x1p-126;
    double distance = (Math.sqrt(Math.max(0, square)) - queryError - itemError) / (1 + epsilon);
    return Math.max(0, Math.nextDown(distance * (1 - 0x1p-50)));
  }

  private double departureFromOrthonormal() {
    double sum = 0;
    double[] row = new double[dim];
    for (int i = 0; i < sketchDim; i++) {
      for (int j = 0; j < dim; j++) {
        row[j] = directions[i * dim + j];
      }
      for (int k = 0; k <= i; k++) {
        double e = Kernels.dot(row, directions, k * dim, dim) - (i == k ? 1 : 0);
        sum += (i == k ? 1 : 2) * e * e;
      }
    }
    return Math.sqrt(sum) * (1 + 0x1p-40) + 0x1p-53 * (dim + 2.0) * sketchDim;
  }
}
