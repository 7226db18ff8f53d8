package spellshield.tools.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import spellshield.index.Proportion;
import spellshield.index.testing.Seeds;
import spellshield.tools.calibrate.Calibration.Copies;
import spellshield.tools.calibrate.Calibration.Verdict;
import spellshield.tools.edit.Edit;

class CalibrationTest {
  private static final double TYPICAL = 10;

  private static Distances all(int count, double distance) {
    double[] distances = new double[count];
    Arrays.fill(distances, distance);
    return Distances.of(distances);
  }

  private static Copies copies(String edit, int count, double distance) {
    return new Copies(Edit.parse(edit), all(count, distance), all(count, distance));
  }

  private static Calibration calibration(double meanClearance, Distances heldOut, Copies... edits) {
    return new Calibration(TYPICAL, meanClearance, List.of(edits), heldOut);
  }

  private static String reason(Calibration calibration) {
    return ((Verdict.NoRadius) calibration.judge(0.99, 0.1)).reason();
  }

  @Test
  void the_smallest_radius_is_recommended_that_catches_all_copies_that_can_be_caught() {
    Copies jpeg = copies("jpeg:75", 400, 1.21);
    Copies shift = copies("shift:1", 400, 2.34);
    Copies mirror = copies("mirror", 400, 6);
    Calibration calibration = calibration(8, all(100, 5), jpeg, shift, mirror);
    assertThat(calibration.judge(0.99, 0.1))
        .isEqualTo(new Verdict.Separates(0.24, List.of(jpeg, shift), List.of(mirror)));
    assertThat(calibration.needed(mirror, 0.99)).hasValue(0.6);
    assertThat(calibration.caughtButMirror(0.13)).isEqualTo(new Proportion(400, 800));
  }

  @Test
  void an_edit_that_takes_a_radius_which_holds_the_mean_is_not_covered() {
    Copies jpeg = copies("jpeg:75", 400, 1.21);
    Copies shift = copies("shift:1", 400, 2.34);
    assertThat(calibration(2.4, all(100, 5), jpeg, shift).judge(0.99, 0.1))
        .isEqualTo(new Verdict.Separates(0.13, List.of(jpeg), List.of(shift)));
  }

  @Test
  void none_separates_where_copies_are_as_far_as_innocent_pictures() {
    String reason = reason(calibration(8, all(100, 3), copies("mirror", 400, 3)));
    assertThat(reason)
        .isEqualTo(
            "at r = 0.29, above which too many innocent pictures are blocked or the mean is held,"
                + " most is caught of mirror: 0.0 % (0.0–0.9)");
  }

  @Test
  void none_separates_where_every_radius_blocks_too_many_or_holds_the_mean() {
    assertThat(reason(calibration(8, all(100, 0.1), copies("mirror", 400, 0))))
        .isEqualTo(
            "even r = 0.05 blocks 100.0 % (96.4–100.0) of the innocent pictures, where at most 10 %"
                + " may be");
    assertThat(reason(calibration(0.5, all(100, 5), copies("mirror", 400, 0))))
        .contains("the mean of the set lies 0.050", "even r = 0.05 holds it");
  }

  @Test
  void too_few_pictures_to_show_it_are_told_with_how_many_are_enough() {
    assertThat(reason(calibration(8, all(100, 5), copies("mirror", 367, 1))))
        .isEqualTo(
            "367 copies are too few to show that 99 % are caught; take 368 pictures or more, or ask"
                + " for less");
    assertThat(calibration(8, all(100, 5), copies("mirror", 368, 1)).judge(0.99, 0.1))
        .isInstanceOf(Verdict.Separates.class);
    assertThat(reason(calibration(8, all(35, 5), copies("mirror", 400, 1))))
        .isEqualTo(
            "35 innocent pictures are too few to show that at most 10 % are blocked; hold out 36 or"
                + " more");
    assertThat(calibration(8, all(36, 5), copies("mirror", 400, 1)).judge(0.99, 0.1))
        .isInstanceOf(Verdict.Separates.class);
  }

  @Test
  void what_is_recommended_is_allowed_and_no_smaller_radius_would_do() {
    Seeds.check(
        200,
        random -> {
          Calibration calibration = random(random);
          double caught = random.nextDouble(0.3, 0.95);
          double blocked = random.nextDouble(0.05, 0.5);
          List<Double> allowed = new ArrayList<>();
          for (int i = 5; i <= 80; i++) {
            double share = i / 100.0;
            if (share * TYPICAL < calibration.meanClearance()
                && calibration.heldOut().within(share * TYPICAL).upper() <= blocked) {
              allowed.add(share);
            }
          }
          List<Copies> can =
              calibration.edits().stream()
                  .filter(c -> allowed.stream().anyMatch(share -> shown(c, share, caught)))
                  .toList();
          switch (calibration.judge(caught, blocked)) {
            case Verdict.NoRadius none -> assertThat(can).isEmpty();
            case Verdict.Separates(double share, List<Copies> covered, List<Copies> not) -> {
              assertThat(covered).isEqualTo(can);
              assertThat(covered.size() + not.size()).isEqualTo(calibration.edits().size());
              assertThat(share)
                  .isEqualTo(
                      allowed.stream()
                          .filter(s -> can.stream().allMatch(c -> shown(c, s, caught)))
                          .findFirst()
                          .orElseThrow());
            }
          }
        });
  }

  private static boolean shown(Copies copies, double share, double least) {
    return copies.nearest().within(share * TYPICAL).lower() >= least;
  }

  private static Calibration random(SplittableRandom random) {
    List<Copies> edits = new ArrayList<>();
    for (String name : List.of("jpeg:75", "shift:1", "mirror")) {
      double scale = random.nextDouble(0.2, 9);
      Distances distances = Distances.of(random.doubles(80, 0, scale).toArray());
      edits.add(new Copies(Edit.parse(name), distances, distances));
    }
    Distances heldOut = Distances.of(random.doubles(90, 0, random.nextDouble(2, 20)).toArray());
    return new Calibration(TYPICAL, random.nextDouble(0, 9), edits, heldOut);
  }

  @Test
  void shares_that_cannot_be_asked_for_are_refused() {
    Calibration calibration = calibration(8, all(100, 5), copies("mirror", 400, 1));
    for (double share : new double[] {0, 1, -1, Double.NaN}) {
      assertThatIllegalArgumentException().isThrownBy(() -> calibration.judge(share, 0.1));
      assertThatIllegalArgumentException().isThrownBy(() -> calibration.judge(0.99, share));
    }
  }
}
