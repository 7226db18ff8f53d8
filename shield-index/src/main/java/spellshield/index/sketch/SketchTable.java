package spellshield.index.sketch;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import spellshield.index.kernel.Kernels;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LivingItems;
import spellshield.index.store.RadiusScales;

/// The sketches of a set as codes, in private memory.
///
/// Items are ordered so that a block of 64 covers a small region ([KdOrder]) and lie in groups of
/// 64 blocks ([Group]). With t = 126: 64 bytes an item for the scan, of which it reads a part, 64
/// for the second look, 4 for its number, 2 for the boxes. The table is never a mapped file: a scan
/// cannot fault. It never changes after it was made: [#with], [#only] and [#scaled] make another
/// one that shares the codes.
public final class SketchTable {
  private final Sketcher sketcher;
  private final Cells cells;
  private final Spread spread;
  private final long builtCount;
  private final double sketchError;
  private final int builtGroups; // the groups behind them hold what was added since the build
  private final Group[] groups;
  private final Boxes boxes;
  private final RadiusScales scales;
  private final long count;

  /// Mean and variance of the coded values; what they are decides what a query looks at first,
  /// never what it finds.
  record Spread(float[] mean, float[] variance) {
    static Spread of(Sketches sketches) {
      int length = sketches.sketcher().codedLength();
      int first = sketches.sketcher().codedFrom();
      float[] mean = new float[length];
      float[] variance = new float[length];
      for (int i = 0; i < length && sketches.count() > 0; i++) {
        float[] values = sketches.sample(first + i);
        double sum = 0;
        double square = 0;
        for (double value : values) {
          sum += value;
          square += value * value;
        }
        double average = sum / values.length;
        mean[i] = (float) average;
        variance[i] = (float) (square / values.length - average * average);
      }
      return new Spread(mean, variance);
    }
  }

  private SketchTable(
      Sketcher sketcher,
      Cells cells,
      Spread spread,
      long builtCount,
      double sketchError,
      int builtGroups,
      Group[] groups,
      Boxes boxes,
      RadiusScales scales) {
    this.sketcher = sketcher;
    this.cells = cells;
    this.spread = spread;
    this.builtCount = builtCount;
    this.sketchError = sketchError;
    this.builtGroups = builtGroups;
    this.groups = groups;
    this.boxes = boxes;
    this.scales = scales;
    this.count = Arrays.stream(groups).mapToLong(group -> group.items.length).sum();
  }

  /// Sketches every latent and codes the sketches.
  public static SketchTable of(Sketcher sketcher, LatentReader latents) {
    return of(Sketches.of(sketcher, latents));
  }

  /// Codes sketches, on all cores.
  public static SketchTable of(Sketches sketches) {
    Cells cells = Cells.fit(sketches);
    Group[] groups = groups(sketches, cells);
    return new SketchTable(
        sketches.sketcher(),
        cells,
        Spread.of(sketches),
        sketches.count(),
        sketches.largestError(),
        groups.length,
        groups,
        Boxes.of(groups, sketches.sketcher().codedLength()),
        RadiusScales.ONES);
  }

  /// Codes sketches in an order of their own.
  static Group[] groups(Sketches sketches, Cells cells) {
    Sketcher sketcher = sketches.sketcher();
    int[] order = KdOrder.of(sketches, Group.BLOCKS);
    Group[] groups = Group.allocate(order.length, sketcher.columns());
    IntStream.range(0, groups.length)
        .parallel()
        .forEach(g -> {
          int from = g * Group.ITEMS;
          int size = Math.min(Group.ITEMS, order.length - from);
          for (int i = 0; i < size; i++) {
            code(sketches, order[from + i], i, groups[g], cells);
          }
        });
    return groups;
  }

  private static void code(Sketches sketches, int item, int place, Group group, Cells cells) {
    Sketcher sketcher = sketches.sketcher();
    for (int i = 0; i < sketcher.codedLength(); i++) {
      float value = sketches.value(item, sketcher.codedFrom() + i);
      group.setCode(i, place, cells.code(value, i));
    }
    group.items[place] = sketches.first() + item;
    group.sketchError = atLeast(group.sketchError, sketches.error(item));
    group.latentError = atLeast(group.latentError, sketches.latentError(item));
  }

  /// Returns a float32 that is not below either; NaN counts as +∞.
  private static float atLeast(float error, double other) {
    double larger = other > error ? other : Double.isNaN(other) ? Double.POSITIVE_INFINITY : error;
    return larger == error ? error : Math.nextUp((float) larger);
  }

  public Sketcher sketcher() {
    return sketcher;
  }

  Cells cells() {
    return cells;
  }

  /// Returns the boxes around the blocks of all groups.
  public Boxes boxes() {
    return boxes;
  }

  Spread spread() {
    return spread;
  }

  /// Returns the number of items, the removed ones included.
  public long count() {
    return count;
  }

  /// Returns the number of items of the build, which come first.
  public long builtCount() {
    return builtCount;
  }

  /// Returns the number of groups of the build, which come first.
  public int builtGroups() {
    return builtGroups;
  }

  /// Returns the table of this one's build with what was added since, all of it.
  ///
  /// In which order a query takes its dimensions is still told by the build alone.
  ///
  /// @throws IllegalArgumentException if the parts do not follow each other without a gap
  public SketchTable with(List<AddedSketches> added) {
    List<Group> all = new ArrayList<>(Arrays.asList(groups).subList(0, builtGroups));
    long end = builtCount;
    for (AddedSketches part : added) {
      if (part.first() != end) {
        throw new IllegalArgumentException(
            "added sketches begin with item %d, but should with %d".formatted(part.first(), end));
      }
      end += part.count();
      all.addAll(part.groups());
    }
    return redrawn(all.toArray(Group[]::new), RadiusScales.ONES).scaled(scales);
  }

  /// Returns this table without the items that are no longer protected.
  public SketchTable only(LivingItems living) {
    return redrawn(
        Arrays.stream(groups).parallel().map(group -> group.only(living)).toArray(Group[]::new),
        scales);
  }

  /// Returns this table with balls as wide as a set's, those of the items that are there now.
  public SketchTable scaled(RadiusScales others) {
    return copy(
        Arrays.stream(groups).map(group -> group.scaled(others)).toArray(Group[]::new),
        boxes,
        others);
  }

  /// Returns how wide the balls of the items are.
  public RadiusScales scales() {
    return scales;
  }

  /// Returns a table of groups that hold other items than these, in boxes around what they hold.
  private SketchTable redrawn(Group[] others, RadiusScales theirScales) {
    return copy(others, boxes.of(groups, others), theirScales);
  }

  private SketchTable copy(Group[] others, Boxes theirBoxes, RadiusScales theirScales) {
    return new SketchTable(
        sketcher,
        cells,
        spread,
        builtCount,
        sketchError,
        builtGroups,
        others,
        theirBoxes,
        theirScales);
  }

  /// Returns the most that rounding moved a float32 sketch of the build.
  double sketchError() {
    return sketchError;
  }

  /// Returns the most that storing (float16) moved a latent of the set.
  public double latentError() {
    double largest = 0;
    for (Group group : groups) {
      largest = Math.max(largest, group.latentError);
    }
    return largest;
  }

  /// Returns the number of groups.
  public int groupCount() {
    return groups.length;
  }

  /// Returns a group of up to 4,096 items.
  public Group group(int index) {
    return groups[index];
  }

  /// Returns where the built items stand, `4096·group + place`, 4 bytes an item.
  public int[] places() {
    int[] places = new int[Math.toIntExact(builtCount())];
    for (int g = 0; g < builtGroups(); g++) {
      for (int place = 0; place < groups[g].items.length; place++) {
        places[groups[g].items[place]] = g * Group.ITEMS + place;
      }
    }
    return places;
  }

  /// Prepares a query.
  ///
  /// @param latents holds the D values of the query from `offset`
  public SketchQuery query(float[] latents, int offset) {
    float[] sketch = new float[sketcher.length()];
    double rounding = sketcher.sketch(latents, offset, sketch, 0);
    return new SketchQuery(this, sketch, rounding);
  }

  /// Prepares queries, on all cores.
  ///
  /// @param latents `[count, D]`
  public SketchQuery[] queries(float[] latents, int count) {
    SketchQuery[] queries = new SketchQuery[count];
    int cores = ForkJoinPool.getCommonPoolParallelism() + 1;
    int part = Math.clamp(Math.ceilDiv(count, cores), 1, sketcher.together());
    IntStream parts = IntStream.range(0, Math.ceilDiv(count, part));
    (count > part ? parts.parallel() : parts)
        .forEach(p -> {
          int from = p * part;
          int size = Math.min(part, count - from);
          int length = sketcher.length();
          float[] sketches = new float[size * length];
          double[] roundings = sketcher.sketch(latents, from * sketcher.dim(), size, sketches, 0);
          for (int i = 0; i < size; i++) {
            float[] own = Arrays.copyOfRange(sketches, i * length, (i + 1) * length);
            queries[from + i] = new SketchQuery(this, own, roundings[i]);
          }
        });
    return queries;
  }

  private static final long MAGIC = 0x48435445_4b534c53L; // "SLSKETCH", little-endian
  private static final int VERSION = 4;

  /// Writes a table to which nothing was added; the format is in `docs/FORMAT.md`. The stream is
  /// not closed.
  public void write(OutputStream out) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(40).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(MAGIC).putInt(VERSION).putInt(sketcher.dim());
    header.putInt(sketcher.headDim()).putInt(sketcher.directionCount()).putLong(count);
    header.putDouble(sketchError);
    out.write(header.array());
    writeFloats(out, sketcher.mean());
    writeFloats(out, sketcher.directions());
    writeFloats(out, spread.mean());
    writeFloats(out, spread.variance());
    writeFloats(out, cells.edges());
    for (Group group : groups) {
      writeGroup(out, group);
    }
  }

  static void writeGroup(OutputStream out, Group group) throws IOException {
    writeFloats(out, new float[] {group.sketchError, group.latentError});
    ByteBuffer ids = ByteBuffer.allocate(group.items.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    ids.asIntBuffer().put(group.items);
    out.write(ids.array());
    for (int chunk = 0; chunk < group.chunks(); chunk++) {
      int bytes = group.blockCount() * Kernels.LINES * Group.BLOCKS;
      out.write(group.cells, group.chunk(chunk), bytes);
    }
    out.write(group.parts);
  }

  /// Reads a table back. The bytes are trusted: check their checksum before.
  ///
  /// @throws IOException if the bytes are no table of this version
  public static SketchTable read(InputStream in) throws IOException {
    ByteBuffer header = ByteBuffer.wrap(read(in, 40)).order(ByteOrder.LITTLE_ENDIAN);
    if (header.getLong() != MAGIC) {
      throw new IOException("no sketches: the first 8 bytes are not SLSKETCH");
    }
    int version = header.getInt();
    if (version != VERSION) {
      throw new IOException(
          "sketches of format %d, but this program reads %d; build the set again"
              .formatted(version, VERSION));
    }
    int dim = header.getInt();
    int headDim = header.getInt();
    int directionCount = header.getInt();
    long count = header.getLong();
    double sketchError = header.getDouble();
    if (dim < 1
        || headDim < 1
        || directionCount < headDim
        || directionCount > dim
        || directionCount > Sketcher.MOST_DIRECTIONS
        || count < 0
        || count > Integer.MAX_VALUE) {
      throw new IOException(
          "sketches of %d latents, dim %d, %d and %d directions make no sense"
              .formatted(count, dim, headDim, directionCount));
    }
    float[] mean = readFloats(in, dim);
    float[] directions = readFloats(in, Math.multiplyExact(dim, directionCount));
    Sketcher sketcher = new Sketcher(mean, directions, headDim);
    int length = sketcher.codedLength();
    Spread spread = new Spread(readFloats(in, length), readFloats(in, length));
    Cells cells;
    try {
      cells = new Cells(readFloats(in, length * Cells.EDGES));
    } catch (IllegalArgumentException e) {
      throw new IOException("sketches whose cells make no sense: " + e.getMessage(), e);
    }
    Group[] groups = Group.allocate(count, sketcher.columns());
    for (Group group : groups) {
      readGroup(in, group);
    }
    return new SketchTable(
        sketcher,
        cells,
        spread,
        count,
        sketchError,
        groups.length,
        groups,
        Boxes.of(groups, length),
        RadiusScales.ONES);
  }

  static void readGroup(InputStream in, Group group) throws IOException {
    float[] errors = readFloats(in, 2);
    group.sketchError = errors[0];
    group.latentError = errors[1];
    ByteBuffer.wrap(read(in, group.items.length * 4))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asIntBuffer()
        .get(group.items);
    int blockBytes = Kernels.LINES * Group.BLOCKS;
    for (int chunk = 0; chunk < group.chunks(); chunk++) {
      readFully(in, group.cells, group.chunk(chunk), group.blockCount() * blockBytes);
    }
    readFully(in, group.parts, 0, group.parts.length);
  }

  private static void writeFloats(OutputStream out, float[] values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    out.write(bytes.array());
  }

  private static float[] readFloats(InputStream in, int count) throws IOException {
    float[] values = new float[count];
    ByteBuffer.wrap(read(in, Math.multiplyExact(count, 4)))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(values);
    return values;
  }

  static byte[] read(InputStream in, int count) throws IOException {
    byte[] bytes = new byte[count];
    readFully(in, bytes, 0, count);
    return bytes;
  }

  private static void readFully(InputStream in, byte[] bytes, int from, int count)
      throws IOException {
    int got = in.readNBytes(bytes, from, count);
    if (got != count) {
      throw new EOFException("the sketches end %d bytes too early".formatted(count - got));
    }
  }
}
