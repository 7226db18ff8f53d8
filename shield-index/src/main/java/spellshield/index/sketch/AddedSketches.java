package spellshield.index.sketch;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/// The coded sketches of items that were added to a set after it was built.
///
/// They have the directions and cells of the build, so that one query serves both. Where these fit
/// badly, because the items are unlike those of the build, values are in the outermost cells, which
/// have no end: a search lets more pass, and misses nothing. Compacting the set fits new ones.
///
/// Immutable.
public final class AddedSketches {
  private static final long MAGIC = 0x45524f4d_4b534c53L; // "SLSKMORE", little-endian
  private static final int VERSION = 3;

  private final Sketcher sketcher;
  private final long first;
  private final long count;
  private final List<Group> groups;

  private AddedSketches(Sketcher sketcher, long first, long count, Group[] groups) {
    this.sketcher = sketcher;
    this.first = first;
    this.count = count;
    this.groups = List.copyOf(Arrays.asList(groups));
  }

  /// Codes sketches that a table's sketcher made, on all cores.
  public static AddedSketches of(SketchTable table, Sketches sketches) {
    Group[] groups = SketchTable.groups(sketches, table.cells());
    return new AddedSketches(table.sketcher(), sketches.first(), sketches.count(), groups);
  }

  /// Returns the number of the first item.
  public long first() {
    return first;
  }

  /// Returns the number of items, which follow each other.
  public long count() {
    return count;
  }

  List<Group> groups() {
    return groups;
  }

  /// Writes the codes; the format is in `docs/FORMAT.md`. The stream is not closed.
  public void write(OutputStream out) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(40).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(MAGIC).putInt(VERSION).putInt(sketcher.dim());
    header.putInt(sketcher.headDim()).putInt(sketcher.directionCount());
    header.putLong(first).putLong(count);
    out.write(header.array());
    for (Group group : groups) {
      SketchTable.writeGroup(out, group);
    }
  }

  /// Reads what was added to the build of a table. The bytes are trusted: check their checksum
  /// before.
  ///
  /// @throws IOException if the bytes are no such sketches of this version, or of another table
  public static AddedSketches read(InputStream in, SketchTable table) throws IOException {
    ByteBuffer header = ByteBuffer.wrap(SketchTable.read(in, 40)).order(ByteOrder.LITTLE_ENDIAN);
    if (header.getLong() != MAGIC) {
      throw new IOException("no added sketches: the first 8 bytes are not SLSKMORE");
    }
    int version = header.getInt();
    if (version != VERSION) {
      throw new IOException(
          "added sketches of format %d, but this program reads %d; build the set again"
              .formatted(version, VERSION));
    }
    Sketcher sketcher = table.sketcher();
    boolean fits =
        header.getInt() == sketcher.dim()
            && header.getInt() == sketcher.headDim()
            && header.getInt() == sketcher.directionCount();
    long first = header.getLong(24);
    long count = header.getLong(32);
    if (!fits || first < table.builtCount() || count < 0 || count > Integer.MAX_VALUE - first) {
      throw new IOException(
          "added sketches of %d items from %d on are not of this set".formatted(count, first));
    }
    Group[] groups = Group.allocate(count, sketcher.columns());
    for (Group group : groups) {
      SketchTable.readGroup(in, group);
    }
    return new AddedSketches(sketcher, first, count, groups);
  }
}
