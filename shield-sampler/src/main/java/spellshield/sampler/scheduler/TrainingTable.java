package spellshield.sampler.scheduler;

import java.util.Arrays;

/// The noise that a network was trained on: one level for each training timestep.
///
/// ```text
/// ᾱ_t = Π_{s ≤ t} (1 − β_s),   σ_t = √((1 − ᾱ_t)/ᾱ_t)
/// ```
///
/// β and ᾱ are rounded to float32 where diffusers rounds them. It matters: at the first timestep 1
/// − ᾱ is 10⁻³ or less, and what float32 leaves of it has four digits.
final class TrainingTable {

  /// ᾱ where the signal is gone: its σ of 2²⁴ is one that float32 latents cannot tell from
  /// infinity.
  static final double NO_SIGNAL = 0x1p-48;

  private final double[] sigmas;

  private TrainingTable(double[] sigmas) {
    this.sigmas = sigmas;
  }

  /// Returns the table of a config.
  ///
  /// @param lastAlphaBar ᾱ of the last timestep where the config rescales it to zero
  static TrainingTable of(
      SchedulerConfig config, double betaStart, double betaEnd, double lastAlphaBar) {
    float[] betas = betas(config, betaStart, betaEnd);
    boolean rescale = config.flag("rescale_betas_zero_snr", false);
    double[] alphaBar = alphaBar(rescale ? rescaled(betas) : betas);
    if (rescale) {
      alphaBar[alphaBar.length - 1] = lastAlphaBar;
    }
    double[] sigmas = new double[alphaBar.length];
    for (int t = 0; t < sigmas.length; t++) {
      sigmas[t] = Math.sqrt((1 - alphaBar[t]) / alphaBar[t]);
      // A last level that was put in the place of an infinite one may lie below the one before it.
      double before = t == 0 || (rescale && t == sigmas.length - 1) ? 0 : sigmas[t - 1];
      if (!(sigmas[t] > before && sigmas[t] < Double.POSITIVE_INFINITY)) {
        throw config.refusal(
            "the noise must grow from timestep to timestep, but σ=%s at %d follows %s; change the betas"
                .formatted(sigmas[t], t, before));
      }
    }
    return new TrainingTable(sigmas);
  }

  private static float[] betas(SchedulerConfig config, double betaStart, double betaEnd) {
    double[] trained = config.numbers("trained_betas");
    if (trained.length > 0) {
      return rounded(trained);
    }
    int count = config.count("num_train_timesteps", 1000);
    double start = config.number("beta_start", betaStart);
    double end = config.number("beta_end", betaEnd);
    String schedule =
        config.choice("beta_schedule", "linear", "linear", "scaled_linear", "squaredcos_cap_v2");
    return switch (schedule) {
      case "linear" -> line(start, end, count);
      case "scaled_linear" -> squared(line(Math.sqrt(start), Math.sqrt(end), count));
      default -> cosine(count);
    };
  }

  private static float[] rounded(double[] values) {
    float[] rounded = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = (float) values[i];
    }
    return rounded;
  }

  private static float[] line(double start, double end, int count) {
    float[] line = new float[count];
    for (int i = 0; i < count; i++) {
      line[i] = (float) (start + (end - start) * i / Math.max(1, count - 1));
    }
    return line;
  }

  private static float[] squared(float[] values) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= values[i];
    }
    return values;
  }

  /// Nichol and Dhariwal 2021, arXiv 2102.09672, equation 17: `ᾱ = cos²((u + 0.008)/1.008·π/2)`.
  private static float[] cosine(int count) {
    float[] betas = new float[count];
    for (int t = 0; t < count; t++) {
      double here = cosineAlphaBar((double) t / count);
      double next = cosineAlphaBar((t + 1.0) / count);
      betas[t] = (float) Math.min(1 - next / here, 0.999);
    }
    return betas;
  }

  private static double cosineAlphaBar(double u) {
    double cosine = Math.cos((u + 0.008) / 1.008 * Math.PI / 2);
    return cosine * cosine;
  }

  private static double[] alphaBar(float[] betas) {
    double[] alphaBar = new double[betas.length];
    double product = 1;
    for (int t = 0; t < betas.length; t++) {
      product *= 1 - betas[t]; // in float32, then in float64
      alphaBar[t] = (float) product;
    }
    return alphaBar;
  }

  /// Shifts and stretches √ᾱ so that it ends at 0. Source: Lin et al. 2023, arXiv 2305.08891,
  /// algorithm 1.
  private static float[] rescaled(float[] betas) {
    double[] alphaBar = alphaBar(betas);
    float first = (float) Math.sqrt(alphaBar[0]);
    float last = (float) Math.sqrt(alphaBar[alphaBar.length - 1]);
    float stretch = first / (first - last);
    float[] rescaled = new float[betas.length];
    float before = 1;
    for (int t = 0; t < betas.length; t++) {
      float root = ((float) Math.sqrt(alphaBar[t]) - last) * stretch;
      float square = root * root;
      rescaled[t] = 1 - square / before;
      before = square;
    }
    return rescaled;
  }

  /// Returns the number of training timesteps.
  int count() {
    return sigmas.length;
  }

  /// Returns σ at a training timestep.
  double sigma(int timestep) {
    return sigmas[timestep];
  }

  /// Returns σ at a timestep between 0 and the last one, linear between whole ones.
  double sigma(double timestep) {
    int below = (int) timestep;
    double share = timestep - below;
    return share == 0 ? sigmas[below] : (1 - share) * sigmas[below] + share * sigmas[below + 1];
  }

  /// Returns the timestep of a level, linear over ln σ between whole ones; ends are not passed.
  double timestep(double sigma) {
    int last = sigmas.length - 1;
    int found = sigma == sigmas[last] ? last : Arrays.binarySearch(sigmas, 0, last, sigma);
    if (found >= 0) {
      return found;
    }
    int below = Math.clamp(-found - 2, 0, last - 1);
    double share = Math.log(sigma / sigmas[below]) / Math.log(sigmas[below + 1] / sigmas[below]);
    return below + Math.clamp(share, 0, 1);
  }

  /// Returns how many timesteps are as noisy as to have `λ = −ln σ` below a bound.
  int countBelow(double lambda) {
    return (int) Arrays.stream(sigmas).filter(sigma -> -Math.log(sigma) < lambda).count();
  }
}
