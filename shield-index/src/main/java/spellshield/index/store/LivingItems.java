package spellshield.index.store;

import it.unimi.dsi.fastutil.longs.LongCollection;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.LongStream;

/// Which items of a set are protected: all that were added, less those that were removed.
///
/// An item keeps its number for as long as it is there, and the number of a removed one is not
/// given away again before the set is compacted. Immutable.
public final class LivingItems {
  private final long end;
  private final long[]
      removed; // bit i mod 64 of word i / 64; words behind the last bit may be left out
  private final long removedCount;

  private LivingItems(long end, long[] removed) {
    this.end = end;
    this.removed = removed;
    this.removedCount = Arrays.stream(removed).map(Long::bitCount).sum();
  }

  /// Returns the items from 0 to `end − 1`, all of them.
  public static LivingItems all(long end) {
    return new LivingItems(end, new long[0]);
  }

  /// Returns these items and the ones up to the new end, less some.
  LivingItems changed(long newEnd, LongCollection toRemove) {
    int words = toRemove.isEmpty() ? removed.length : Math.toIntExact(Math.ceilDiv(newEnd, 64));
    long[] bits = Arrays.copyOf(removed, words);
    toRemove.forEach(item -> bits[(int) (item / 64)] |= 1L << item % 64);
    return new LivingItems(newEnd, bits);
  }

  /// Returns whether an item is protected.
  public boolean contains(long item) {
    int word = (int) (item / 64);
    return item >= 0
        && item < end
        && (word >= removed.length || (removed[word] >>> item % 64 & 1) == 0);
  }

  /// Returns the number of protected items.
  public long count() {
    return end - removedCount;
  }

  /// Returns the number of removed items whose numbers are still taken.
  public long removedCount() {
    return removedCount;
  }

  /// Returns the number behind the last item's, protected or not.
  public long end() {
    return end;
  }

  /// Returns the numbers of the protected items, ascending.
  public LongStream items() {
    return LongStream.range(0, end).filter(this::contains);
  }

  byte[] toBytes(long generation) {
    byte[] header = FileHeader.ofRemoved(generation).toBytes();
    ByteBuffer out =
        ByteBuffer.allocate(header.length + removed.length * 8).order(ByteOrder.LITTLE_ENDIAN);
    out.put(header).asLongBuffer().put(removed);
    return out.array();
  }

  /// Reads a file whose checksum was compared.
  ///
  /// @throws DamagedSetException if it does not fit the manifest
  static LivingItems parse(FileEntry file, byte[] bytes, long generation, long end) {
    FileHeader.ofRemoved(generation).requireAt(file.name(), Arrays.copyOf(bytes, FileHeader.BYTES));
    ByteBuffer words =
        ByteBuffer.wrap(bytes, FileHeader.BYTES, bytes.length - FileHeader.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    long[] removed = new long[words.remaining() / 8];
    words.asLongBuffer().get(removed);
    LivingItems living = new LivingItems(end, removed);
    int last = removed.length - 1;
    boolean beyond = last >= 0 && 64L * removed.length > end && removed[last] >>> end % 64 != 0;
    if (beyond || living.removedCount != file.count()) {
      throw new DamagedSetException(
          file.name(),
          "marks %d items as removed, but the manifest says %d of %d"
              .formatted(living.removedCount, file.count(), end));
    }
    return living;
  }
}
