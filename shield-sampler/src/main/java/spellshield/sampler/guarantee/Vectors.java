package spellshield.sampler.guarantee;

import java.util.List;
import java.util.SplittableRandom;

/// Float64 vector arithmetic in a fixed order.
final class Vectors {
  private Vectors() {}

  static double[] widen(float[] x) {
    double[] wide = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      wide[i] = x[i];
    }
    return wide;
  }

  static float[] narrow(double[] x) {
    float[] narrow = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      narrow[i] = (float) x[i];
    }
    return narrow;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  static double norm(double[] a) {
    return Math.sqrt(dot(a, a));
  }

  static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  static double distance(double[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  static void addScaled(double[] a, double factor, double[] b) {
    for (int i = 0; i < a.length; i++) {
      a[i] += factor * b[i];
    }
  }

  static void scale(double[] a, double factor) {
    for (int i = 0; i < a.length; i++) {
      a[i] *= factor;
    }
  }

  /// Removes what lies along an orthonormal basis; twice, against rounding.
  static void orthogonalise(double[] a, List<double[]> basis) {
    for (int pass = 0; pass < 2; pass++) {
      for (double[] direction : basis) {
        addScaled(a, -dot(a, direction), direction);
      }
    }
  }

  /// Returns a random direction.
  static double[] unit(SplittableRandom random, int dim) {
    double[] direction = new double[dim];
    double norm = 0;
    while (norm == 0) {
      for (int i = 0; i < dim; i++) {
        direction[i] = random.nextGaussian();
      }
      norm = norm(direction);
    }
    scale(direction, 1 / norm);
    return direction;
  }
}
