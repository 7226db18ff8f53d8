package spellshield.index.store;

import java.security.MessageDigest;
import java.util.BitSet;
import java.util.OptionalLong;
import spellshield.index.store.HashedRows.HalfHash;

/// What a writer must know of the items that are there: who has an id, which latent a file has
/// already, and which latents are variants of the one before them.
///
/// Ids and hashes of files are kept as 128 bits each, see [HashedRows]: 50 to 62 bytes an item.
final class KnownItems {
  private HashedRows ids = new HashedRows();
  private HashedRows contents = new HashedRows();
  private final BitSet variants = new BitSet();
  private final MessageDigest digest = Hashes.sha256();

  /// Notes an item and its latent.
  void add(long row, Item item) {
    if (item.isVariant()) {
      variants.set(Math.toIntExact(row));
      return;
    }
    ids.put(key(item.id()), row);
    if (!item.sha256().isEmpty()) {
      contents.put(HalfHash.ofSha256(item.sha256()), row);
    }
  }

  /// Frees the memory of ids and files, once no further item can come.
  void forgetNames() {
    ids = new HashedRows();
    contents = new HashedRows();
  }

  private HalfHash key(String id) {
    return HalfHash.ofText(id, digest);
  }

  /// Returns the latent of the image that has an id, or −1 where none has.
  long get(String id) {
    return ids.get(key(id));
  }

  /// Refuses an id that an item has.
  void requireNew(String id) {
    if (get(id) >= 0) {
      throw new IllegalArgumentException(
          "item '%s' is in the set already; ids are unique".formatted(id));
    }
  }

  /// Notes that an id stands for the latent of another item, too.
  void join(String id, long row) {
    ids.put(key(id), row);
  }

  /// Returns the latent of the file with a hash, if it was noted; its item may be removed by now.
  OptionalLong holding(String sha256) {
    long row = sha256.isEmpty() ? -1 : contents.get(HalfHash.ofSha256(sha256));
    return row < 0 ? OptionalLong.empty() : OptionalLong.of(row);
  }

  /// Takes an id out and returns its latent, or −1 where no item has the id.
  long remove(String id) {
    return ids.remove(key(id));
  }

  /// Returns the number behind a latent and the variants that follow it.
  long endOfVariants(long row) {
    return variants.nextClearBit(Math.toIntExact(row + 1));
  }
}
