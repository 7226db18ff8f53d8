package spellshield.tools.source;

import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;
import spellshield.sampler.image.RgbImage;

/// Pictures in a stable order, each with an id that no other has.
///
/// A source is read from its beginning, or from any entry on: entries are counted from 0,
/// unreadable ones too, and the same source always has the same ones in the same order. A build
/// that was killed after entry n goes on with `stored(n + 1)`.
public interface ImageSource {

  /// Returns the entries in order, from one on, each read when it is asked for and not decoded.
  ///
  /// To be closed by the caller. Streams with [java.io.UncheckedIOException] where the container
  /// itself turns out to be damaged.
  ///
  /// @param from number of the first entry to return; behind the last one there are none
  Stream<Stored> stored(long from);

  /// Returns all entries in order, each read and decoded when it is asked for.
  ///
  /// To be closed by the caller. Every call begins anew.
  default Stream<Entry> entries() {
    return stored(0).map(Stored::decode);
  }

  /// Returns the number of entries, where it is known without reading them all.
  OptionalLong count();

  /// Returns how many bytes hold the entries, where their number is not known but this is: what it
  /// and the sizes of the first entries are worth is an estimate of the number.
  default OptionalLong bytes() {
    return OptionalLong.empty();
  }

  /// Returns one line that says what was found, for people.
  String description();

  /// Where a picture comes from.
  ///
  /// Ids are those of [PicturePath]: they do not depend on the container.
  ///
  /// @param id unique in its source, the same on every machine
  /// @param source the file, or the container and the path in it, for people
  /// @param label its class, such as the folder's name; may be empty
  /// @param name what it shows, for captions; the file's name without ending if nothing better is
  ///   known
  record Origin(String id, String source, String label, String name) {}

  /// One picture, or the reason why there is none.
  sealed interface Entry {
    Origin origin();

    /// A picture that could be read.
    record Picture(Origin origin, RgbImage image) implements Entry {}

    /// A file that could not, and a line that says why and what to do.
    record Unreadable(Origin origin, String reason) implements Entry {}
  }

  /// Opens what the path names, after looking at its content; see [SourceKind].
  ///
  /// @throws IOException if it is nothing of those, holds no pictures, or is damaged
  static ImageSource open(Path path) throws IOException {
    return open(path, SourceKind.sniff(path));
  }

  /// Opens what the path names as what the caller says it is.
  ///
  /// @throws IOException if it is not that, holds no pictures, or is damaged
  static ImageSource open(Path path, SourceKind kind) throws IOException {
    return switch (kind) {
      case FOLDER -> FolderSource.open(path);
      case TAR -> TarSource.open(path, SourceKind.shards(path, kind));
      case WEBDATASET -> WebDatasetSource.open(path, SourceKind.shards(path, kind));
      case ZIP -> ZipSource.open(path);
      case IDX -> IdxSource.open(path);
      case PARQUET -> ParquetSource.open(path, SourceKind.shards(path, kind));
      case NPY, SAFETENSORS, EDM2_ZIP ->
          throw new IOException(
              "%s: holds latents (%s), not pictures; name a container of pictures"
                  .formatted(path, kind));
    };
  }
}
