package spellshield.sampler.guidance;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import spellshield.sampler.Condition;
import spellshield.sampler.Condition.Embedding;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;

/// Condition-annealed sampling (CADS): noise on the text's embedding, less and less of it, so that
/// samples of one prompt differ more.
///
/// ```text
/// γ(t) = 1 for t ≤ τ1,  (τ2 − t)/(τ2 − τ1) between,  0 for t ≥ τ2
/// ŷ    = √γ·y + s·√(1 − γ)·n,          n ~ N(0, I)
/// ŷ'   = (ŷ − mean ŷ)/std ŷ · std y + mean y
/// y_t  = ψ·ŷ' + (1 − ψ)·ŷ
/// ```
///
/// The tokens of a text are one y, its pooled vector another. Only the positive condition is
/// annealed. The noise belongs to seed and call, so a row does not depend on its batch. Source:
/// Sadat et al. 2024, arXiv 2310.17347, section 3 and algorithm 1. Bound to the trajectories of one
/// run: not for several at once.
public final class Cads implements Denoiser {

  /// Which random stream anneals; far from the numbers that samplers draw.
  private static final long STREAM = 1L << 42;

  private final Denoiser inner;
  private final Settings settings;
  private final DoubleUnaryOperator time;
  private final long[] seeds;
  private int calls;

  /// How much noise, and when.
  ///
  /// @param tau1 τ1, up to which the embedding is left alone, 0 to 1
  /// @param tau2 τ2, from which on it is noise alone, above τ1, at most 1
  /// @param noiseScale s, 0 or more
  /// @param mixing ψ, 0 to 1
  public record Settings(double tau1, double tau2, double noiseScale, double mixing) {
    public Settings {
      if (!(0 <= tau1 && tau1 < tau2 && tau2 <= 1)) {
        throw new IllegalArgumentException(
            "need 0 ≤ tau1 < tau2 ≤ 1, but tau1=%s, tau2=%s".formatted(tau1, tau2));
      }
      if (!(noiseScale >= 0 && noiseScale < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "noiseScale must be finite and not negative, but was " + noiseScale);
      }
      if (!(mixing >= 0 && mixing <= 1)) {
        throw new IllegalArgumentException("mixing must lie in [0, 1], but was " + mixing);
      }
    }

    /// Returns γ(t).
    double gamma(double t) {
      return Math.clamp((tau2 - t) / (tau2 - tau1), 0.0, 1.0);
    }
  }

  /// Anneals the conditions of a run.
  ///
  /// @param time from σ to t in [0, 1], 1 where the run is noisiest
  /// @param noise the run's
  public Cads(Denoiser inner, Settings settings, DoubleUnaryOperator time, Noise noise) {
    this.inner = inner;
    this.settings = settings;
    this.time = time;
    this.seeds = noise.seeds();
  }

  @Override
  public Latents denoise(Latents xt, double sigma, Condition condition) {
    double gamma = settings.gamma(time.applyAsDouble(sigma));
    int call = calls++;
    return inner.denoise(xt, sigma, gamma == 1 ? condition : annealed(condition, gamma, call));
  }

  private Condition annealed(Condition condition, double gamma, int call) {
    return switch (condition) {
      case Condition.Guided(Condition positive, Condition negative) ->
          new Condition.Guided(annealed(positive, gamma, call), negative);
      case Condition.Texts(List<Embedding> rows) -> {
        List<Embedding> annealed = new ArrayList<>();
        for (int row = 0; row < rows.size(); row++) {
          Embedding y = rows.get(row);
          SplittableRandom random = Noise.stream(seeds[row], STREAM + call);
          annealed.add(
              new Embedding(
                  y.text(),
                  annealed(y.tokens(), gamma, random),
                  y.length(),
                  annealed(y.pooled(), gamma, random),
                  y.sizes()));
        }
        yield new Condition.Texts(annealed);
      }
      case Condition.Labels labels ->
          throw new IllegalArgumentException(
              "CADS needs the embedding of a text; a network that takes labels keeps its own inside");
      case Condition.None none -> none;
    };
  }

  private float[] annealed(float[] y, double gamma, SplittableRandom random) {
    double[] noisy = new double[y.length];
    for (int i = 0; i < y.length; i++) {
      noisy[i] =
          Math.sqrt(gamma) * y[i]
              + settings.noiseScale() * Math.sqrt(1 - gamma) * random.nextGaussian();
    }
    Moments before = Moments.of(i -> y[i], y.length);
    Moments after = Moments.of(i -> noisy[i], y.length);
    // A constant embedding without noise has no spread to restore.
    double stretch = after.std() > 0 ? before.std() / after.std() : 1;
    float[] mixed = new float[y.length];
    for (int i = 0; i < y.length; i++) {
      double rescaled = (noisy[i] - after.mean()) * stretch + before.mean();
      mixed[i] = (float) (settings.mixing() * rescaled + (1 - settings.mixing()) * noisy[i]);
    }
    return mixed;
  }

  private interface Values {
    double at(int i);
  }

  private record Moments(double mean, double std) {
    static Moments of(Values values, int count) {
      double sum = 0;
      for (int i = 0; i < count; i++) {
        sum += values.at(i);
      }
      double mean = count == 0 ? 0 : sum / count;
      double squares = 0;
      for (int i = 0; i < count; i++) {
        squares += (values.at(i) - mean) * (values.at(i) - mean);
      }
      return new Moments(mean, count == 0 ? 0 : Math.sqrt(squares / count));
    }
  }
}
