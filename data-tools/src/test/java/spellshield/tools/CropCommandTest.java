package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.index.testing.CommandResult;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Png;
import spellshield.tools.image.Resample;
import spellshield.tools.testing.Pictures;

/// `--crop`: a set remembers how its pictures were brought to size.
class CropCommandTest {
  private static final String MODEL = "../shield-sampler/src/test/resources/pipelines/edm";

  @TempDir private Path folder = Path.of("");

  private final List<RgbImage> images = new ArrayList<>();
  private Path pictures = Path.of("");
  private Path more = Path.of("");

  @BeforeEach
  void makePictures() throws IOException {
    pictures = Files.createDirectories(folder.resolve("pictures"));
    more = Files.createDirectories(folder.resolve("more"));
    SplittableRandom random = new SplittableRandom(9);
    for (int i = 0; i < 6; i++) {
      RgbImage image = Pictures.smooth(random, i % 2 == 0 ? 150 : 90, i % 2 == 0 ? 100 : 140);
      images.add(image);
      Files.write((i < 4 ? pictures : more).resolve("%d.png".formatted(i)), Png.write(image));
    }
  }

  private String at(String name) {
    return folder.resolve(name).toString();
  }

  /// Writes a picture that was brought to the size beforehand: no crop changes it any more.
  private String fitted(int picture, int side, Crop crop) throws IOException {
    RgbImage image = Resample.fit(images.get(picture), side, side, crop);
    return Files.write(folder.resolve("fitted.png"), Png.write(image)).toString();
  }

  private static String fingerprint(String set) throws IOException {
    try (ProtectedSet opened = ProtectedSet.open(Path.of(set))) {
      return opened.space().fingerprint();
    }
  }

  @Test
  void each_crop_gives_a_set_of_its_own_which_add_and_audit_follow() throws IOException {
    Set<String> fingerprints = new HashSet<>();
    for (Crop crop : Crop.values()) {
      String set = at(crop.toString());
      run("index", pictures.toString(), "-o", set, "--size", "16", "--crop", crop.toString());
      fingerprints.add(fingerprint(set));
      assertThat(run("inspect", set).out()).contains("crop=" + crop);
      assertThat(run("add", set, more.toString()).out()).contains("6 latents protected");
      for (int i = 0; i < 6; i++) {
        Path file = (i < 4 ? pictures : more).resolve("%d.png".formatted(i));
        expect(ExitCode.INSIDE, "audit", set, file.toString(), "-r", "0.0001");
        for (Crop other : Crop.values()) {
          expect(
              other == crop ? ExitCode.INSIDE : ExitCode.OK,
              "audit",
              set,
              fitted(i, 16, other),
              "-r",
              "0.0001");
        }
      }
    }
    assertThat(fingerprints).hasSize(3);
    run("index", pictures.toString(), "-o", at("plain"), "--size", "16");
    assertThat(fingerprint(at("plain"))).as("the default").isEqualTo(fingerprint(at("adm")));
    CommandResult merge = run("merge", at("adm"), at("center"), "-o", at("none"));
    assertThat(merge.code()).isEqualTo(ExitCode.OTHER_SPACE);
    assertThat(merge.err()).contains("crop=adm").contains("crop=center");
  }

  @Test
  void a_model_samples_beside_a_set_of_any_crop() throws IOException {
    Set<String> fingerprints = new HashSet<>();
    for (Crop crop : Crop.values()) {
      String set = at(crop.toString());
      expect(
          ExitCode.OK,
          "index",
          pictures.toString(),
          "-o",
          set,
          "--model",
          MODEL,
          "--crop",
          crop.toString());
      fingerprints.add(fingerprint(set));
      expect(ExitCode.OK, "add", set, more.toString(), "--model", MODEL);
      expect(ExitCode.INSIDE, "audit", set, fitted(5, 64, crop), "-r", "0.0001", "--model", MODEL);
      expect(
          ExitCode.OK,
          "sample",
          set,
          "-o",
          at("out-" + crop),
          "--model",
          MODEL,
          "--label",
          "1",
          "-n",
          "1",
          "--steps",
          "3",
          "-r",
          "0.05");
      expect(
          ExitCode.OK,
          "audit",
          set,
          at("out-" + crop),
          "-r",
          "0.05",
          "--certificates",
          "--model",
          MODEL);
    }
    assertThat(fingerprints).hasSize(3);
  }

  @Test
  void a_crop_that_is_none_or_has_no_pictures_is_refused_in_one_line() throws IOException {
    expect(ExitCode.USAGE, "index", pictures.toString(), "-o", at("set"), "--crop", "wide");
    String rows = "src/test/resources/containers/stored.npz";
    CommandResult latents =
        run("index", rows, "-o", at("set"), "--space", "toy-v1", "--crop", "center");
    assertThat(latents.code()).isEqualTo(ExitCode.USAGE);
    assertThat(latents.err()).contains("--space");
  }

  private static void expect(int code, String... args) {
    CommandResult result = run(args);
    assertThat(result.code()).as("%s: %s", List.of(args), result.err()).isEqualTo(code);
  }

  private static CommandResult run(String... args) {
    return CommandResult.of(() -> Main.run(args));
  }
}
