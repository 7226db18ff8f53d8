package spellshield.sampler;

/// The noise levels that a sampler visits, from the noisiest down to none.
///
/// A level σ is the standard deviation of the noise in `x_t = x0 + σ·ε`, `ε ~ N(0, I)`, in the unit
/// of the latents. Schedules are immutable: any number of runs and threads may share one.
public sealed interface NoiseSchedule {

  /// Returns the level at the fraction `u` of a run: the highest at 0, the lowest at 1.
  ///
  /// @param u from 0 to 1
  double sigma(double u);

  /// Returns α, with which a network trained in this parametrisation sees `α·x_t`.
  ///
  /// @param sigma a noise level, 0 or more
  double alpha(double sigma);

  /// Returns the levels of one run, strictly decreasing, the last one exactly 0.
  ///
  /// @param steps number of sampler steps, at least 1
  /// @return σ_0 > … > σ_steps = 0, shape `[steps + 1]`, float64
  /// @throws IllegalArgumentException if `steps` is below 1
  default double[] sigmas(int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("steps must be at least 1, but was " + steps);
    }
    double[] sigmas = new double[steps + 1]; // the last level stays 0
    for (int i = 0; i < steps; i++) {
      sigmas[i] = sigma(steps == 1 ? 0 : (double) i / (steps - 1));
    }
    return sigmas;
  }

  /// Returns the levels of one run, each step landing where the next one asks.
  ///
  /// @param steps number of sampler steps, at least 1
  default Levels levels(int steps) {
    return Levels.of(sigmas(steps));
  }

  /// EDM's schedule: steps crowd at low noise, where detail is decided.
  ///
  /// ```text
  /// σ(u) = ((1−u)·σ_max^(1/ρ) + u·σ_min^(1/ρ))^ρ,   α = 1
  /// ```
  ///
  /// Source: Karras et al. 2022, arXiv 2206.00364, equation 5.
  record Karras(double sigmaMin, double sigmaMax, double rho) implements NoiseSchedule {
    public Karras {
      requireRange(sigmaMin, sigmaMax);
      if (!(rho > 0 && rho < Double.POSITIVE_INFINITY)) { // also refuses NaN
        throw new IllegalArgumentException("rho must be positive and finite, but was " + rho);
      }
    }

    /// The paper's own numbers: ρ = 7, σ from 80 to 0.002, for data of standard deviation 0.5.
    public static Karras edm() {
      return new Karras(0.002, 80, 7);
    }

    @Override
    public double sigma(double u) {
      return Math.pow((1 - u) * Math.pow(sigmaMax, 1 / rho) + u * Math.pow(sigmaMin, 1 / rho), rho);
    }

    @Override
    public double alpha(double sigma) {
      return 1;
    }
  }

  /// A constant ratio between levels: `σ(u) = σ_max^(1−u) · σ_min^u`, α = 1.
  record Exponential(double sigmaMin, double sigmaMax) implements NoiseSchedule {
    public Exponential {
      requireRange(sigmaMin, sigmaMax);
    }

    @Override
    public double sigma(double u) {
      return Math.pow(sigmaMax, 1 - u) * Math.pow(sigmaMin, u);
    }

    @Override
    public double alpha(double sigma) {
      return 1;
    }
  }

  /// The variance-preserving diffusion with a linear β, its time running evenly from 1 to `tMin`.
  ///
  /// ```text
  /// t(u) = 1 + u·(t_min − 1)
  /// σ(t) = sqrt(exp(½·β_d·t² + β_min·t) − 1),   α = 1/sqrt(1 + σ²)
  /// ```
  ///
  /// so that `α·x_t = α·x0 + sqrt(1 − α²)·ε`. Source: Song et al. 2021, arXiv 2011.13456, appendix
  /// C; the formula as in Karras et al. 2022, table 1.
  ///
  /// @param betaD β's slope, above 0
  /// @param betaMin β at time 0, 0 or more
  /// @param tMin the time of the lowest level, between 0 and 1
  record Vp(double betaD, double betaMin, double tMin) implements NoiseSchedule {
    public Vp {
      // exp(½·β_d + β_min) has to stay finite
      if (!(betaD > 0 && betaMin >= 0 && 0.5 * betaD + betaMin < 700)) {
        throw new IllegalArgumentException(
            "need betaD > 0, betaMin ≥ 0, ½·betaD + betaMin < 700, but betaD=%s, betaMin=%s"
                .formatted(betaD, betaMin));
      }
      if (!(0 < tMin && tMin < 1)) {
        throw new IllegalArgumentException("tMin must lie between 0 and 1, but was " + tMin);
      }
    }

    /// The papers' own numbers: β from 0.1 to 20, times from 1 to 0.001; σ from 152 to 0.01.
    public static Vp standard() {
      return new Vp(19.9, 0.1, 1e-3);
    }

    @Override
    public double sigma(double u) {
      double t = 1 + u * (tMin - 1);
      return Math.sqrt(Math.expm1(0.5 * betaD * t * t + betaMin * t));
    }

    @Override
    public double alpha(double sigma) {
      return 1 / Math.sqrt(1 + sigma * sigma);
    }
  }

  /// Rectified flow, `(1 − t)·x0 + t·ε`, its time running evenly from `tMax` to `tMin` and shifted.
  ///
  /// ```text
  /// τ(u) = t_max + u·(t_min − t_max),   t = shift·τ / (1 + (shift − 1)·τ)
  /// σ = t / (1 − t),   α = 1 − t = 1 / (1 + σ)
  /// ```
  ///
  /// At t = 1 the picture is gone and σ infinite, so `tMax` stays below 1: at 0.999 the first level
  /// is σ = 999·shift and `α·x_t` differs from pure noise by a thousandth of `x0 / shift`. Source:
  /// Liu et al. 2023, arXiv 2209.03003; the shift from Esser et al. 2024, arXiv 2403.03206, eq. 23.
  ///
  /// @param shift 1 for none; larger spends more steps at high noise
  /// @param tMin the last time before the shift, above 0
  /// @param tMax the first time before the shift, below 1
  record Flow(double shift, double tMin, double tMax) implements NoiseSchedule {
    public Flow {
      if (!(shift > 0 && shift < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("shift must be positive and finite, but was " + shift);
      }
      if (!(0 < tMin && tMin < tMax && tMax < 1)) {
        throw new IllegalArgumentException(
            "need 0 < tMin < tMax < 1, but tMin=%s, tMax=%s".formatted(tMin, tMax));
      }
    }

    /// A schedule over nearly all times, 0.999 to 0.001.
    public static Flow of(double shift) {
      return new Flow(shift, 1e-3, 1 - 1e-3);
    }

    @Override
    public double sigma(double u) {
      double tau = tMax + u * (tMin - tMax);
      return shift * tau / (1 - tau); // t / (1 − t) after the shift
    }

    @Override
    public double alpha(double sigma) {
      return 1 / (1 + sigma);
    }
  }

  private static void requireRange(double sigmaMin, double sigmaMax) {
    if (!(0 < sigmaMin && sigmaMin < sigmaMax && sigmaMax < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "need 0 < sigmaMin < sigmaMax < ∞, but sigmaMin=%s, sigmaMax=%s"
              .formatted(sigmaMin, sigmaMax));
    }
  }
}
