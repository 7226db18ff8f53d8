package spellshield.index.store;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// The set that is in a folder when a writer begins there, if there is one.
///
/// @param generation of its manifest, 0 where there is none
/// @param sha256 of its manifest, whatever that holds
/// @param manifest nothing where there is none, or one that does not verify
record Predecessor(long generation, Optional<String> sha256, Optional<Manifest> manifest) {

  /// Looks into a folder; the caller holds its lock.
  ///
  /// @throws IOException if the folder holds other things than a set
  static Predecessor in(Storage storage) throws IOException {
    List<String> names = storage.list();
    OptionalLong newest = Generations.newest(names);
    if (newest.isEmpty()) {
      requireOurs(storage, names);
      return new Predecessor(0, Optional.empty(), Optional.empty());
    }
    String name = Generations.manifest(newest.getAsLong());
    byte[] bytes;
    try (InputStream in = storage.open(name)) {
      bytes = in.readAllBytes();
    }
    Optional<Manifest> manifest = Optional.empty();
    try {
      manifest = Optional.of(Manifest.parse(name, newest.getAsLong(), bytes));
    } catch (DamagedSetException e) {
      // building it again is the way out; what may belong to it stays until then
    }
    return new Predecessor(newest.getAsLong(), Optional.of(Hashes.sha256(bytes)), manifest);
  }

  private static void requireOurs(Storage storage, List<String> names) throws IOException {
    for (String name : names) {
      boolean ours =
          name.equals(Generations.LOCK)
              || name.equals(Generations.PENDING)
              || Generations.of(name).isPresent();
      if (!ours) {
        throw new IOException(
            "%s: holds other things, such as '%s'; choose a new or empty folder for the set"
                .formatted(storage, name));
      }
    }
  }

  /// Returns whether a file is of this set, or may be where its manifest cannot tell.
  boolean holds(String name) {
    return manifest.isPresent()
        ? manifest.get().holds(name)
        : Generations.of(name).orElse(0) <= generation;
  }
}
