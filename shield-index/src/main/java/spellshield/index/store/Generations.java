package spellshield.index.store;

import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The names in the folder of a set: which generation a file belongs to.
///
/// `manifest.000012`, `latents.000012.000`, `hnsw.000012/_0.cfs`: the number after the first dot is
/// the generation. A name that does not look so is not ours and is never deleted.
final class Generations {
  static final String PENDING = "manifest.pending";
  static final String LOCK = "lock";

  private static final Pattern NUMBERED =
      Pattern.compile(
          "([a-z][a-z0-9-]*)\\.([0-9]{6,15})(\\.[0-9]{3,9}|/([A-Za-z0-9_][A-Za-z0-9._-]*)?)?");

  private Generations() {}

  /// Returns the name of a file of a generation: `sketch` → `sketch.000012`, `hnsw/_0.cfs` →
  /// `hnsw.000012/_0.cfs`.
  static String name(String base, long generation) {
    int slash = base.indexOf('/');
    String first = slash < 0 ? base : base.substring(0, slash);
    String rest = slash < 0 ? "" : base.substring(slash);
    return Storage.requireName("%s.%06d%s".formatted(first, generation, rest));
  }

  static String manifest(long generation) {
    return name("manifest", generation);
  }

  /// Returns the name of the manifest of what is written so far of a generation.
  static String checkpoint(long generation) {
    return name("checkpoint", generation);
  }

  static String shard(long generation, int shard) {
    return "%s.%03d".formatted(name("latents", generation), shard);
  }

  /// Returns the generation that a name belongs to, or nothing if it is none of ours.
  static OptionalLong of(String name) {
    Matcher matcher = NUMBERED.matcher(name);
    return matcher.matches()
        ? OptionalLong.of(Long.parseLong(matcher.group(2)))
        : OptionalLong.empty();
  }

  /// Returns the generation of the newest manifest, or nothing if there is none.
  static OptionalLong newest(List<String> names) {
    return names.stream()
        .flatMapToLong(name -> of(name).stream().filter(n -> name.equals(manifest(n))))
        .max();
  }

  /// Deletes the files of all generations but those to keep, and a manifest that was never
  /// committed.
  static void sweep(Storage storage, Predicate<String> keep) throws IOException {
    for (String name : storage.list()) {
      if (name.equals(PENDING) || (of(name).isPresent() && !keep.test(name))) {
        storage.delete(name);
      }
    }
  }
}
