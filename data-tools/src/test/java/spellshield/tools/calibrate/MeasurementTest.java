package spellshield.tools.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.index.ProtectedSetBuilder;
import spellshield.index.store.Item;
import spellshield.index.store.Precision;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.codec.PixelCodec;
import spellshield.tools.edit.Edit;
import spellshield.tools.image.Png;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.Stored;
import spellshield.tools.testing.Pictures;

class MeasurementTest {
  private static final PixelCodec CODEC = new PixelCodec(8, 8, 3, 0.5, 0.25, Crop.ADM);
  private static final int PROTECTED = 30;

  @TempDir private Path folder = Path.of("");
  private final List<RgbImage> images = new ArrayList<>();
  private Path pictures = Path.of("");
  private Path others = Path.of("");

  @BeforeEach
  void makePictures() throws IOException {
    pictures = Files.createDirectory(folder.resolve("pictures"));
    others = Files.createDirectory(folder.resolve("others"));
    SplittableRandom random = new SplittableRandom(11);
    try (ProtectedSetBuilder builder =
        ProtectedSetBuilder.begin(folder.resolve("set"), CODEC.space(), Precision.FLOAT32)) {
      for (int i = 0; i < 50; i++) {
        RgbImage image = Pictures.smooth(random, 8, 8);
        images.add(image);
        Path place = i < PROTECTED ? pictures : others;
        Files.write(place.resolve("%02d.png".formatted(i)), Png.write(image));
        if (i < PROTECTED) {
          builder.add(new Item("item " + i, "", ""), CODEC.encode(image));
        }
      }
      builder.commit(Instant.EPOCH);
    }
  }

  private static List<Stored> all(Path source) throws IOException {
    return PictureSample.draw(ImageSource.open(source), 100, 0);
  }

  private double nearest(float[] latent) {
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < PROTECTED; i++) {
      least = Math.min(least, distance(latent, CODEC.encode(images.get(i))));
    }
    return least;
  }

  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  @Test
  void distances_are_those_of_a_float64_brute_force() throws IOException {
    List<Edit> edits = Edit.parseList("shift:1,mirror,brightness:10%,shift:0");
    try (ProtectedSet set = ProtectedSet.open(folder.resolve("set"))) {
      int[] steps = new int[1];
      Measurement measurement = new Measurement(set, CODEC, edits, 5, () -> steps[0]++);
      Calibration calibration = measurement.measure(all(pictures), all(others));
      assertThat(steps[0]).isEqualTo(50);
      assertThat(measurement.leftOut()).isEmpty();
      assertThat(measurement.heldOutInSet()).isZero();
      for (int e = 0; e < edits.size(); e++) {
        double[] own = new double[PROTECTED];
        double[] near = new double[PROTECTED];
        for (int i = 0; i < PROTECTED; i++) {
          float[] copy = CODEC.encode(edits.get(e).apply(images.get(i), CODEC, 5));
          own[i] = distance(copy, CODEC.encode(images.get(i)));
          near[i] = nearest(copy);
        }
        expect(calibration.edits().get(e).own(), own);
        expect(calibration.edits().get(e).nearest(), near);
      }
      double[] held = new double[20];
      for (int i = 0; i < 20; i++) {
        held[i] = nearest(CODEC.encode(images.get(PROTECTED + i)));
      }
      expect(calibration.heldOut(), held);
      assertThat(calibration.edits().getLast().own().quantile(1)).isZero(); // a shift of nothing
    }
  }

  private static void expect(Distances measured, double[] expected) {
    assertThat(measured.count()).isEqualTo(expected.length);
    Distances oracle = Distances.of(expected);
    for (double p = 0.05; p <= 1; p += 0.05) {
      // 192 squares in float64: far below this. The lower end of an interval is as near.
      assertThat(measured.quantile(p)).isCloseTo(oracle.quantile(p), within(1e-9));
    }
  }

  @Test
  void pictures_that_are_not_in_the_set_are_named_and_held_out_ones_that_are_counted()
      throws IOException {
    try (ProtectedSet set = ProtectedSet.open(folder.resolve("set"))) {
      Files.copy(others.resolve("40.png"), pictures.resolve("strange.png"));
      Files.writeString(pictures.resolve("words.png"), "words");
      Files.copy(pictures.resolve("07.png"), others.resolve("07.png"));
      Measurement measurement = new Measurement(set, CODEC, Edit.parseList("mirror"), 0, () -> {});
      Calibration calibration = measurement.measure(all(pictures), all(others));
      assertThat(calibration.edits().getFirst().own().count()).isEqualTo(PROTECTED);
      assertThat(calibration.heldOut().count()).isEqualTo(21);
      assertThat(measurement.heldOutInSet()).isEqualTo(1);
      assertThat(measurement.leftOut())
          .hasSize(2)
          .anyMatch(line -> line.contains("strange.png: is not in the set"))
          .anyMatch(line -> line.contains("words.png"));
    }
  }

  @Test
  void pictures_of_another_set_are_refused() throws IOException {
    try (ProtectedSet set = ProtectedSet.open(folder.resolve("set"))) {
      Measurement measurement = new Measurement(set, CODEC, Edit.parseList("mirror"), 0, () -> {});
      assertThatThrownBy(() -> measurement.measure(all(others), all(others)))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("none of the pictures is in the set");
    }
  }

  @Test
  void a_sample_is_drawn_alike_by_a_seed_and_holds_each_picture_once() throws IOException {
    ImageSource source = ImageSource.open(pictures);
    for (int wanted : new int[] {1, 2, 15, 30, 31}) { // 1 is sought, 2 and more are passed by
      List<String> ids = ids(PictureSample.draw(source, wanted, 3));
      assertThat(ids).hasSize(Math.min(wanted, PROTECTED)).doesNotHaveDuplicates();
      assertThat(ids(PictureSample.draw(source, wanted, 3))).isEqualTo(ids);
    }
    int[] drawn = new int[PROTECTED];
    for (int seed = 0; seed < 600; seed++) {
      for (String id : ids(PictureSample.draw(source, 5, seed))) {
        drawn[Integer.parseInt(id.substring(0, 2))]++;
      }
    }
    // Bin(600, 1/6): mean 100, deviation 9.1; five of them for 30 pictures, p < 2e-5.
    assertThat(Arrays.stream(drawn).boxed()).allMatch(count -> count > 54 && count < 146);
  }

  private static List<String> ids(List<Stored> sample) {
    return sample.stream().map(stored -> stored.origin().id()).toList();
  }
}
