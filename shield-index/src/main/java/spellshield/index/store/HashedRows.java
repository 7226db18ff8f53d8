package spellshield.index.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/// Rows by half a SHA-256, in primitive arrays: 25 to 31 bytes an entry.
///
/// ```text
/// keys   [entries, 2]   both 64-bit words of each key, in the order in which they came
/// rows   [entries]      the row of each key, or −1 where it was taken out
/// slots  [2ᵏ]           1 + the entry that stands there, or 0; linear probing, at most 3/4 full
/// ```
///
/// The texts themselves are not kept: two that have the same 128 bits count as one. By accident two
/// of n do with a probability below n² / 2¹²⁹, which is 10⁻²⁴ for ten million; who wants to bring
/// it about has to hash some 2⁶⁴ texts.
final class HashedRows {

  /// Entries of one array, so that growing copies the slots only.
  private static final int PAGE = 4096;

  private final List<long[]> keys = new ArrayList<>();
  private final List<int[]> rows = new ArrayList<>();
  private int[] slots = new int[16];
  private int entries;

  /// The first 128 bits of a SHA-256.
  record HalfHash(long high, long low) {

    /// Returns the key of a text.
    ///
    /// @param digest a SHA-256 that nothing has gone into yet, as which it is left
    static HalfHash ofText(String text, MessageDigest digest) {
      ByteBuffer hash = ByteBuffer.wrap(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
      return new HalfHash(hash.getLong(), hash.getLong());
    }

    /// Returns the key of a SHA-256 in 64 hex digits.
    static HalfHash ofSha256(String sha256) {
      return new HalfHash(
          HexFormat.fromHexDigitsToLong(sha256, 0, 16),
          HexFormat.fromHexDigitsToLong(sha256, 16, 32));
    }
  }

  /// Returns the row of a key, or −1 where it has none.
  long get(HalfHash key) {
    int entry = slots[slot(key)] - 1;
    return entry < 0 ? -1 : rows.get(entry / PAGE)[entry % PAGE];
  }

  /// Gives a key a row, in place of the one that it has.
  void put(HalfHash key, long row) {
    int entry = slots[slot(key)] - 1;
    if (entry < 0) {
      entry = append(key);
    }
    rows.get(entry / PAGE)[entry % PAGE] = Math.toIntExact(row);
  }

  /// Takes a key out and returns its row, or −1 where it has none. Its entry stays for when it
  /// comes back.
  long remove(HalfHash key) {
    long row = get(key);
    if (row >= 0) {
      put(key, -1);
    }
    return row;
  }

  private int append(HalfHash key) {
    if (entries >= slots.length / 4 * 3) {
      grow();
    }
    if (entries % PAGE == 0) {
      keys.add(new long[2 * PAGE]);
      rows.add(new int[PAGE]);
    }
    int entry = entries++;
    long[] page = keys.get(entry / PAGE);
    page[entry % PAGE * 2] = key.high;
    page[entry % PAGE * 2 + 1] = key.low;
    slots[slot(key)] = entry + 1;
    return entry;
  }

  private void grow() {
    slots = new int[Math.multiplyExact(2, slots.length)];
    for (int entry = 0; entry < entries; entry++) {
      int slot = start(keys.get(entry / PAGE)[entry % PAGE * 2 + 1]);
      while (slots[slot] != 0) {
        slot = (slot + 1) & (slots.length - 1);
      }
      slots[slot] = entry + 1;
    }
  }

  /// Returns where the entry of a key stands, or would stand.
  private int slot(HalfHash key) {
    int slot = start(key.low);
    while (slots[slot] != 0 && !isAt(slots[slot] - 1, key)) {
      slot = (slot + 1) & (slots.length - 1);
    }
    return slot;
  }

  /// The bits of a hash are as good as drawn, so any of them will do.
  private int start(long low) {
    return (int) low & (slots.length - 1);
  }

  private boolean isAt(int entry, HalfHash key) {
    long[] page = keys.get(entry / PAGE);
    return page[entry % PAGE * 2] == key.high && page[entry % PAGE * 2 + 1] == key.low;
  }
}
