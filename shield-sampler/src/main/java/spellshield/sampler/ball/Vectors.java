package spellshield.sampler.ball;

import java.util.List;
import java.util.SplittableRandom;

/// Float64 vector arithmetic in a fixed order.
public final class Vectors {
  private Vectors() {}

  public static double[] widen(float[] x) {
    double[] wide = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      wide[i] = x[i];
    }
    return wide;
  }

  public static float[] narrow(double[] x) {
    float[] narrow = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      narrow[i] = (float) x[i];
    }
    return narrow;
  }

  public static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  public static double norm(double[] a) {
    return Math.sqrt(dot(a, a));
  }

  public static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  public static double distance(double[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  public static void addScaled(double[] a, double factor, double[] b) {
    for (int i = 0; i < a.length; i++) {
      a[i] += factor * b[i];
    }
  }

  public static void scale(double[] a, double factor) {
    for (int i = 0; i < a.length; i++) {
      a[i] *= factor;
    }
  }

  /// Removes what lies along an orthonormal basis; twice, against rounding.
  public static void orthogonalise(double[] a, List<double[]> basis) {
    for (int pass = 0; pass < 2; pass++) {
      for (double[] direction : basis) {
        addScaled(a, -dot(a, direction), direction);
      }
    }
  }

  /// Returns a random direction.
  public static double[] unit(SplittableRandom random, int dim) {
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
