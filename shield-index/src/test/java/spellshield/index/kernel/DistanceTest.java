package spellshield.index.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.MathContext;
import org.junit.jupiter.api.Test;
import spellshield.index.testing.Seeds;

class DistanceTest {

  @Test
  void the_interval_holds_the_true_distance() {
    Seeds.check(
        200,
        random -> {
          int dim = random.nextInt(1, 300);
          double scale = Math.pow(10, random.nextInt(-10, 10));
          float[] a = new float[dim];
          float[] b = new float[dim];
          BigDecimal square = BigDecimal.ZERO;
          for (int i = 0; i < dim; i++) {
            a[i] = (float) (random.nextGaussian() * scale);
            b[i] = random.nextBoolean() ? Math.nextUp(a[i]) : (float) random.nextGaussian();
            square = square.add(new BigDecimal(a[i]).subtract(new BigDecimal(b[i])).pow(2));
          }
          BigDecimal exact = square.sqrt(new MathContext(60));
          double distance = Distance.between(a, b);
          assertThat(new BigDecimal(Distance.lower(distance, dim))).isLessThanOrEqualTo(exact);
          assertThat(new BigDecimal(Distance.upper(distance, dim))).isGreaterThanOrEqualTo(exact);
        });
  }

  @Test
  void the_interval_holds_where_every_addition_rounds_up() {
    // The first difference is 1, the others add a little more than half a unit in the last place.
    int dim = 2048;
    float[] a = new float[dim];
    float[] b = new float[dim];
    BigDecimal square = BigDecimal.ZERO;
    for (int i = 0; i < dim; i++) {
      a[i] = i < 16 ? 1 : (float) Math.sqrt(0x1p-53 * (1 + 0x1p-20));
      square = square.add(new BigDecimal(a[i]).pow(2));
    }
    BigDecimal exact = square.sqrt(new MathContext(60));
    double distance = Distance.between(a, b);
    assertThat(new BigDecimal(Distance.lower(distance, dim))).isLessThanOrEqualTo(exact);
    assertThat(new BigDecimal(Distance.upper(distance, dim))).isGreaterThanOrEqualTo(exact);
    // The adversary works: the plain float64 number is off by hundreds of roundings.
    assertThat(distance / exact.doubleValue() - 1).isGreaterThan(20 * 0x1p-53);
  }

  @Test
  void equal_latents_have_distance_zero() {
    float[] a = {1e30f, -3, 0, Float.MIN_VALUE};
    assertThat(Distance.between(a, a.clone())).isZero();
    assertThat(Distance.lower(0, 4)).isZero();
  }
}
