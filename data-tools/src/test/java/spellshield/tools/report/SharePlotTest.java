package spellshield.tools.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import spellshield.sampler.image.RgbImage;

class SharePlotTest {
  private static final double[] X = {0.1, 0.3, 0.5};

  private static SharePlot plot() {
    return new SharePlot("a title < another", "radius")
        .line(
            new SharePlot.Line(
                "red",
                0xff0000,
                4,
                X,
                new double[] {0.2, 0.6, 0.6},
                new double[] {0.1, 0.5, 0.5},
                new double[] {0.3, 0.7, 0.7}))
        .line(SharePlot.Line.of("blue", 0x0000ff, 2, X, new double[] {0, 0, 1}))
        .mark("here", 0.4)
        .mark("beside the plot", 0.9);
  }

  @Test
  void a_line_is_drawn_at_its_height_with_its_bounds_around() {
    RgbImage image = plot().draw();
    int left = 72; // of the frame: 72 to 720 across, 96 to 520 down
    int x = left + (int) (648 * 0.6); // 0.34 of 0.1 to 0.5, between the grid's lines
    assertThat(colour(image, x, y(0.6))).isEqualTo(0xff0000);
    assertThat(colour(image, x, y(0.66))).isEqualTo(0xffc0c0);
    assertThat(colour(image, x, y(0.54))).isEqualTo(0xffc0c0);
    assertThat(colour(image, x, y(0.74))).isEqualTo(0xffffff);
    assertThat(colour(image, x, y(0.46))).isEqualTo(0xffffff);
    assertThat(plot().draw()).isEqualTo(image);
  }

  private static int y(double share) {
    return (int) Math.rint(520 - 424 * share);
  }

  private static int colour(RgbImage image, int x, int y) {
    return (image.sample(x, y, 0) << 16) | (image.sample(x, y, 1) << 8) | image.sample(x, y, 2);
  }

  @Test
  void the_svg_document_is_xml_with_every_name() throws Exception {
    byte[] svg = plot().svg().getBytes(StandardCharsets.UTF_8);
    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(svg));
    assertThat(document.getDocumentElement().getTagName()).isEqualTo("svg");
    assertThat(document.getDocumentElement().getTextContent())
        .contains("a title < another", "radius", "red", "blue", "here", "60 %")
        .doesNotContain("beside");
  }

  @Test
  void a_plot_without_lines_and_a_line_without_values_are_refused() {
    assertThatIllegalStateException().isThrownBy(new SharePlot("", "")::draw);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SharePlot.Line.of("short", 0, 1, X, new double[2]));
  }
}
