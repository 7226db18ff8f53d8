package spellshield.tools;

import java.util.List;
import picocli.CommandLine.Option;
import spellshield.tools.edit.Edit;

/// `--variants`, the edited copies of a picture that are protected with it.
final class VariantsOption {
  @Option(
      names = "--variants",
      paramLabel = "EDITS",
      defaultValue = "",
      description = {
        "Protects edited copies of every picture, too, such as mirror,shift:1,crop:2%%: a shield",
        "that a flip defeats protects nobody. Each takes a latent of its own. 'shield calibrate'",
        "tells which edits a radius covers without."
      })
  private String variants = "";

  /// Returns the edits.
  ///
  /// @throws IllegalArgumentException if a name is none of an edit
  List<Edit> edits() {
    return variants.isBlank() ? List.of() : Edit.parseList(variants);
  }

  /// Returns the names of the edits, one name for each.
  String names() {
    return String.join(",", edits().stream().map(Edit::name).toList());
  }
}
