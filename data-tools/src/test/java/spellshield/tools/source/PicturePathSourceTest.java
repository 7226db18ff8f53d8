package spellshield.tools.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The table of [PicturePath], and what it must not do to others.
class PicturePathSourceTest {

  @ParameterizedTest
  @CsvSource({
    "a/b/train/n01440764/x.JPEG, n01440764/x.JPEG, n01440764",
    "dogs/small/rex.png, dogs/small/rex.png, small",
    "rex.png, rex.png, ''",
    "n01440764_18.jpg, n01440764/n01440764_18.JPEG, n01440764",
    "train/n01440764_18.JPEG, n01440764/n01440764_18.JPEG, n01440764",
    "n01440764_18_n01440764.JPEG, n01440764/n01440764_18.JPEG, n01440764",
    "n01440764/images/n01440764_18.JPEG, n01440764/n01440764_18.JPEG, n01440764",
    // A picture of ImageNet in somebody's own class stays there.
    "cats/n01440764_18.JPEG, cats/n01440764_18.JPEG, cats",
    // Another class's suffix is another name.
    "n01440764_18_n01443537.JPEG, n01440764_18_n01443537.JPEG, ''",
    // Trains are a class of CIFAR-100 and COCO.
    "train/x.png, train/x.png, train",
    "train/train/x.png, train/x.png, train",
    "test/train/x.png, test/train/x.png, train",
    "val/n01440764/x.png, val/n01440764/x.png, n01440764",
    "./a//b.png, a/b.png, a"
  })
  void ids_and_labels_follow_from_the_path(String path, String id, String label)
      throws IOException {
    ImageSource.Origin origin = PicturePath.parse(path).origin("source");
    assertThat(origin.id()).isEqualTo(id);
    assertThat(origin.label()).isEqualTo(label);
  }

  @Test
  void a_class_from_elsewhere_is_a_folder_only_where_the_path_says_none() throws IOException {
    assertThat(PicturePath.parse("x.png").orInClass("dog").origin("").id()).isEqualTo("dog/x.png");
    assertThat(PicturePath.parse("x.png").orInClass("").origin("").id()).isEqualTo("x.png");
    assertThat(PicturePath.parse("a/x.png").orInClass("dog").origin("").id()).isEqualTo("a/x.png");
    assertThat(PicturePath.parse("n01440764_1.jpg").orInClass("0").origin("").id())
        .isEqualTo("n01440764/n01440764_1.JPEG");
  }
}
