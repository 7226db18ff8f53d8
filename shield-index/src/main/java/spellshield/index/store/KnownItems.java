package spellshield.index.store;

import it.unimi.dsi.fastutil.objects.Object2LongMap;
import it.unimi.dsi.fastutil.objects.Object2LongOpenHashMap;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.OptionalLong;

/// What a writer must know of the items that are there: who has an id, which latent a file has
/// already, and which latents are variants of the one before them.
final class KnownItems {
  private final Object2LongMap<String> ids = new Object2LongOpenHashMap<>();
  private final Object2LongMap<Content> contents = new Object2LongOpenHashMap<>();
  private final BitSet variants = new BitSet();

  /// Half of a SHA-256, which no two files of one set share by accident.
  private record Content(long high, long low) {
    static Content of(String sha256) {
      return new Content(
          HexFormat.fromHexDigitsToLong(sha256, 0, 16),
          HexFormat.fromHexDigitsToLong(sha256, 16, 32));
    }
  }

  KnownItems() {
    ids.defaultReturnValue(-1);
    contents.defaultReturnValue(-1);
  }

  /// Notes an item and its latent.
  void add(long row, Item item) {
    if (item.isVariant()) {
      variants.set(Math.toIntExact(row));
      return;
    }
    ids.put(item.id(), row);
    if (!item.sha256().isEmpty()) {
      contents.put(Content.of(item.sha256()), row);
    }
  }

  /// Returns the latent of the image that has an id, or −1 where none has.
  long get(String id) {
    return ids.getLong(id);
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
    ids.put(id, row);
  }

  /// Returns the latent of the file with a hash, if it was noted; its item may be removed by now.
  OptionalLong holding(String sha256) {
    long row = sha256.isEmpty() ? -1 : contents.getLong(Content.of(sha256));
    return row < 0 ? OptionalLong.empty() : OptionalLong.of(row);
  }

  /// Takes an id out and returns its latent, or −1 where no item has the id.
  long remove(String id) {
    return ids.removeLong(id);
  }

  /// Returns the number behind a latent and the variants that follow it.
  long endOfVariants(long row) {
    return variants.nextClearBit(Math.toIntExact(row + 1));
  }
}
