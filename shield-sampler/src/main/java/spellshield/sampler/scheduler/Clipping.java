package spellshield.sampler.scheduler;

import java.util.Arrays;
import spellshield.sampler.Latents;

/// How predictions are kept in the range of pixels; latents are left alone.
public sealed interface Clipping {

  /// Returns the clipped x̂0, row by row.
  Latents clip(Latents x0hat);

  /// Leaves x̂0 as it is.
  record None() implements Clipping {
    @Override
    public Latents clip(Latents x0hat) {
      return x0hat;
    }
  }

  /// Clips every value to [−limit, limit].
  ///
  /// @param limit above 0
  record Fixed(double limit) implements Clipping {
    public Fixed {
      if (!(limit > 0)) {
        throw new IllegalArgumentException("limit must be positive, but was " + limit);
      }
    }

    @Override
    public Latents clip(Latents x0hat) {
      float[] clipped = x0hat.values().clone();
      for (int i = 0; i < clipped.length; i++) {
        clipped[i] = (float) Math.clamp(clipped[i], -limit, limit);
      }
      return x0hat.with(clipped);
    }
  }

  /// Dynamic thresholding: clips a row to ±s and divides it by s, where s is a quantile of its
  /// absolute values, at least 1 and at most `largest`.
  ///
  /// Source: Saharia et al. 2022, arXiv 2205.11487, section 2.3.
  ///
  /// @param quantile 0 to 1, between order statistics linear
  /// @param largest at least 1
  record Dynamic(double quantile, double largest) implements Clipping {
    public Dynamic {
      if (!(0 <= quantile && quantile <= 1 && largest >= 1)) {
        throw new IllegalArgumentException(
            "need 0 ≤ quantile ≤ 1 and largest ≥ 1, but quantile=%s, largest=%s"
                .formatted(quantile, largest));
      }
    }

    @Override
    public Latents clip(Latents x0hat) {
      float[] clipped = x0hat.values().clone();
      int dim = x0hat.dim();
      for (int row = 0; row < x0hat.batch(); row++) {
        double s = threshold(x0hat.row(row));
        for (int i = row * dim; i < (row + 1) * dim; i++) {
          clipped[i] = (float) (Math.clamp(clipped[i], -s, s) / s);
        }
      }
      return x0hat.with(clipped);
    }

    private double threshold(float[] values) {
      for (int i = 0; i < values.length; i++) {
        values[i] = Math.abs(values[i]);
      }
      Arrays.sort(values);
      double place = quantile * (values.length - 1);
      int below = (int) place;
      int above = Math.min(below + 1, values.length - 1);
      double found = values[below] + (place - below) * ((double) values[above] - values[below]);
      return Math.clamp(found, 1, largest);
    }
  }
}
