package spellshield.tools.source;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import spellshield.tools.source.ImageSource.Origin;
import spellshield.tools.tensor.TensorFile;

/// Latents in a stable order, each with an id that no other has: what an encoder made before, so
/// that none runs again.
///
/// A sibling of [ImageSource], read and resumed as that is.
public interface LatentSource {

  /// Returns the entries in order, from one on, each read when it is asked for.
  ///
  /// To be closed by the caller. Streams with [java.io.UncheckedIOException] where the container
  /// itself turns out to be damaged.
  ///
  /// @param from number of the first entry to return; behind the last one there are none
  Stream<Entry> latents(long from);

  /// Returns the shape of every latent, `[C, H, W]` or `[D]`.
  int[] shape();

  /// Returns the description of the latent space, where the form of the container says it.
  Optional<String> space();

  /// Returns the number of entries, where it is known without reading them all.
  OptionalLong count();

  /// Returns one line that says what was found, for people.
  String description();

  /// One latent, or the reason why there is none.
  sealed interface Entry {
    Origin origin();

    /// A latent, `[C, H, W]` flat, all values finite.
    record Latent(Origin origin, float[] values) implements Entry {}

    /// One that cannot be used, and a line that says why and what to do.
    record Unreadable(Origin origin, String reason) implements Entry {}
  }

  /// Opens what the path names as what the caller says it is.
  ///
  /// @throws IOException if it is not that, holds no latents, or is damaged
  static LatentSource open(Path path, SourceKind kind) throws IOException {
    return switch (kind) {
      case NPY -> ArraySource.open(path, TensorFile.numpy(path));
      case SAFETENSORS -> ArraySource.open(path, TensorFile.safetensors(path));
      case EDM2_ZIP -> Edm2Source.open(path);
      case FOLDER, TAR, WEBDATASET, ZIP, PARQUET, IDX ->
          throw new IOException(
              "%s: holds pictures (%s), not latents; name a file of latents".formatted(path, kind));
    };
  }

  /// Returns an entry of what was read: its values have to be finite.
  static Entry entry(Origin origin, float[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        return new Entry.Unreadable(
            origin,
            "%s: value %d is %s; encode the picture again"
                .formatted(origin.source(), i, values[i]));
      }
    }
    return new Entry.Latent(origin, values);
  }
}
