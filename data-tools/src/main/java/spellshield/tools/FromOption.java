package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import spellshield.index.FingerprintMismatchException;
import spellshield.index.store.LatentSpace;
import spellshield.tools.source.LatentSource;
import spellshield.tools.source.SourceKind;

/// `--from`, for sources that are not what they look like, and `--space`, for those of latents.
final class FromOption {
  @Option(
      names = "--from",
      paramLabel = "KIND",
      description = {
        "What the source is, unless told found out by its content:",
        "${COMPLETION-CANDIDATES}."
      })
  private @Nullable SourceKind kind;

  @Option(
      names = "--space",
      paramLabel = "TEXT",
      description = {
        "The space of latents from .npy, .npz and safetensors, in one line: encoder,",
        "normalisation, preparation of the pictures. EDM2's zip says its own."
      })
  private @Nullable String space;

  /// Returns the space that latents lie in: what their container says, or else the user.
  ///
  /// @throws IllegalArgumentException if both say another one, or neither says any
  LatentSpace space(LatentSource latents) {
    String said = latents.space().orElse(space);
    if (said == null) {
      throw new IllegalArgumentException(
          "latents without a space cannot be compared with others; name it, such as --space \"%s\""
              .formatted("sd-vae-ft-mse scale=0.18215 crop=adm"));
    }
    LatentSpace found = new LatentSpace(said, latents.shape());
    if (space != null && !said.equals(space)) {
      throw new FingerprintMismatchException(new LatentSpace(space, latents.shape()), found);
    }
    return found;
  }

  /// Returns what the source is.
  ///
  /// @throws IOException if it is nothing that is read
  SourceKind kind(Path source) throws IOException {
    return kind == null ? SourceKind.sniff(source) : kind;
  }
}
