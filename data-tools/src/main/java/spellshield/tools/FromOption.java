package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import spellshield.tools.source.SourceKind;

/// `--from`, for sources that are not what they look like.
final class FromOption {
  @Option(
      names = "--from",
      paramLabel = "KIND",
      description = {
        "What the source is, unless told found out by its content:",
        "${COMPLETION-CANDIDATES}."
      })
  private @Nullable SourceKind kind;

  /// Returns what the source is.
  ///
  /// @throws IOException if it is nothing that is read
  SourceKind kind(Path source) throws IOException {
    return kind == null ? SourceKind.sniff(source) : kind;
  }
}
