package spellshield.tools.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.testing.Shared;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// What Pillow 12.3 makes of real files, as hashes of its 8-bit samples.
class PillowTest {
  private static JsonNode pillow() throws IOException {
    return new ObjectMapper()
        .readTree(Files.readString(Shared.path("fixtures/pillow/pillow.json")));
  }

  @Test
  void photographs_and_their_crops_are_bit_equal() throws Exception {
    assertThat(compare("data/imagenet-sample.tar", "imagenet_sample"))
        .isEqualTo(new Compared(200, 3 * 200));
  }

  @Test
  void small_photographs_are_bit_equal() throws Exception {
    assertThat(compare("data/tiny-imagenet-train.tar", "tiny_imagenet_first_400"))
        .isEqualTo(new Compared(400, 0));
  }

  /// Pillow's `convert("RGB")` shows what lies under transparency, so this test asks for that.
  @Test
  void oddities_are_bit_equal() throws Exception {
    Path folder = Shared.path("fixtures/pillow/odd-images");
    Compared compared = Compared.NOTHING;
    for (JsonNode expected : pillow().get("odd_images")) {
      byte[] file = Files.readAllBytes(folder.resolve(expected.get("file").asString()));
      compared = compared.plus(check(file, expected));
    }
    assertThat(compared).isEqualTo(new Compared(23, 23));
  }

  @Test
  void bad_files_are_refused_in_one_line() throws Exception {
    Path folder = Shared.path("fixtures/pillow/odd-images");
    JsonNode all = pillow().get("bad_images");
    assertThat(all.size()).isEqualTo(7);
    for (JsonNode bad : all) {
      Path file = folder.resolve(bad.asString());
      assertThatThrownBy(() -> ImageDoor.read(file))
          .as(bad.asString())
          .isInstanceOf(UnreadableImageException.class)
          .hasMessageStartingWith(file + ": ")
          .hasMessageNotContaining("\n");
    }
  }

  /// How much was compared.
  private record Compared(int pictures, int crops) {
    static final Compared NOTHING = new Compared(0, 0);

    Compared plus(Compared other) {
      return new Compared(pictures + other.pictures, crops + other.crops);
    }
  }

  private static Compared compare(String archive, String key) throws Exception {
    Map<String, JsonNode> expected = new HashMap<>();
    for (JsonNode node : pillow().get(key)) {
      expected.put(node.get("file").asString(), node);
    }
    Compared found = Compared.NOTHING;
    try (InputStream in = Files.newInputStream(Shared.path(archive));
        TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
      TarArchiveEntry entry = tar.getNextEntry();
      while (entry != null && found.pictures() < expected.size()) {
        JsonNode node = expected.get(entry.getName());
        if (node != null) {
          found = found.plus(check(tar.readNBytes(Math.toIntExact(entry.getSize())), node));
        }
        entry = tar.getNextEntry();
      }
    }
    return found;
  }

  private static Compared check(byte[] file, JsonNode expected) throws Exception {
    String name = expected.get("file").asString();
    RgbImage image = ImageDoor.read(file, name, Samples.Alpha.DROPPED);
    assertThat(image.width()).as(name).isEqualTo(expected.get("size").get(0).asInt());
    assertThat(image.height()).as(name).isEqualTo(expected.get("size").get(1).asInt());
    assertThat(hash(image)).as(name).isEqualTo(expected.get("rgb_sha256").asString());
    int crops = 0;
    for (int side : new int[] {64, 256, 512}) {
      JsonNode crop = expected.get("adm" + side + "_sha256");
      if (crop != null) {
        assertThat(hash(Resample.centreCrop(image, side, side)))
            .as("%s at %d", name, side)
            .isEqualTo(crop.asString());
        crops++;
      }
    }
    return new Compared(1, crops);
  }

  private static String hash(RgbImage image) throws Exception {
    byte[] samples = image.withChannels(3).samples();
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(samples));
  }
}
