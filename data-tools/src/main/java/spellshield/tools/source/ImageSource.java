package spellshield.tools.source;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;
import spellshield.sampler.image.RgbImage;

/// Pictures in a stable order, each with an id that no other has.
public interface ImageSource {

  /// Returns the entries in order, each read when it is asked for.
  ///
  /// The stream may be made parallel; to be closed by the caller. Every call begins anew.
  Stream<Entry> entries();

  /// Returns the number of entries, where it is known without reading them all.
  OptionalLong count();

  /// Returns one line that says what was found, for people.
  String description();

  /// Where a picture comes from.
  ///
  /// @param id unique in its source, the same on every machine
  /// @param source the file, for people
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

  /// Opens what the path names: a folder of pictures, or an IDX file.
  ///
  /// @throws IOException if it is neither, holds no pictures, or is damaged
  static ImageSource open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      return FolderSource.open(path);
    }
    if (!Files.exists(path)) {
      throw new IOException(path + ": no such file or folder; check the path");
    }
    if (Files.isRegularFile(path) && IdxSource.sniff(path)) {
      return IdxSource.open(path);
    }
    throw new IOException(
        path + ": neither a folder of pictures nor an IDX file of them; name one of these");
  }
}
