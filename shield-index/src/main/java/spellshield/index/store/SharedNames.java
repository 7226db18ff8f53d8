package spellshield.index.store;

import it.unimi.dsi.fastutil.longs.Long2ObjectMap;
import it.unimi.dsi.fastutil.longs.Long2ObjectOpenHashMap;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Which latents stand for several images of the same file, and for which.
///
/// The first image of a latent is in the item table; a log tells who joined it and who left. A
/// latent stays protected until the last of its images is removed.
final class SharedNames {
  private static final int JOINED = 1;
  private static final int LEFT = 2;

  private final Long2ObjectMap<Names> rows = new Long2ObjectOpenHashMap<>();

  /// The images of one latent beside the first.
  private static final class Names {
    final Map<String, Item> joined = new LinkedHashMap<>();
    boolean firstLeft;
  }

  /// Notes that an image shares a latent.
  ///
  /// @return the record of the log
  byte[] join(long row, Item item) {
    rows.computeIfAbsent(row, r -> new Names()).joined.put(item.id(), item);
    return record(row, JOINED, item);
  }

  /// Notes that an image no longer shares a latent which others have.
  ///
  /// @return the record of the log
  byte[] leave(long row, String id) {
    Names names = rows.computeIfAbsent(row, r -> new Names());
    if (names.joined.remove(id) == null) {
      names.firstLeft = true;
    }
    return record(row, LEFT, new Item(id, "", ""));
  }

  /// Returns the number of images of a latent that was not removed.
  int count(long row) {
    Names names = rows.get(row);
    return names == null ? 1 : names.joined.size() + (names.firstLeft ? 0 : 1);
  }

  /// Returns the images of a latent.
  ///
  /// @param first what the item table says
  List<Item> of(long row, Item first) {
    Names names = rows.get(row);
    if (names == null) {
      return List.of(first);
    }
    List<Item> items = new ArrayList<>();
    if (!names.firstLeft) {
      items.add(first);
    }
    items.addAll(names.joined.values());
    return items.isEmpty() ? List.of(first) : items;
  }

  private static byte[] record(long row, int change, Item item) {
    byte[] encoded = ItemRecord.encode(row, item);
    ByteBuffer out = ByteBuffer.allocate(12 + encoded.length).order(ByteOrder.LITTLE_ENDIAN);
    out.putLong(row).putInt(change).put(encoded);
    return out.array();
  }

  /// Follows a log whose checksum was compared.
  ///
  /// @param rowCount the latents that there are
  /// @throws DamagedSetException if it does not fit the manifest
  void follow(FileEntry file, byte[] bytes, long rowCount) {
    FileHeader.ofNames(file.owner()).requireAt(file.name(), Arrays.copyOf(bytes, FileHeader.BYTES));
    ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    in.position(FileHeader.BYTES);
    while (in.hasRemaining()) {
      int at = in.position();
      try {
        followOne(in, rowCount);
      } catch (IllegalArgumentException e) {
        throw new DamagedSetException(
            file.name(), "the record at byte %d %s".formatted(at, e.getMessage()), e);
      }
    }
  }

  private void followOne(ByteBuffer in, long rowCount) {
    if (in.remaining() < 12 + 8) {
      throw new IllegalArgumentException("is cut");
    }
    long row = in.getLong();
    int change = in.getInt();
    int body = in.getInt(in.position());
    if (row < 0 || row >= rowCount || (change != JOINED && change != LEFT)) {
      throw new IllegalArgumentException(
          "is change %d of item %d of %d".formatted(change, row, rowCount));
    }
    if (body < 0 || body > Math.min(ItemRecord.MAX_BODY, in.remaining() - 8)) {
      throw new IllegalArgumentException("would have %d bytes".formatted(body));
    }
    byte[] encoded = new byte[4 + body + 4];
    in.get(encoded);
    Item item = ItemRecord.decode(row, encoded);
    if (change == JOINED) {
      join(row, item);
    } else {
      leave(row, item.id());
    }
  }
}
