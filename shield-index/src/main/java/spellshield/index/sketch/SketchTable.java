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
import java.util.stream.IntStream;
import spellshield.index.kernel.Kernels;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LivingItems;
import spellshield.index.store.RadiusScales;

/// The sketches of a set as codes of one byte a value, in private memory.
///
/// Items are ordered so that a block of 64 covers a small region ([KdOrder]) and lie in groups of
/// 64 blocks ([Group]). With h = 63, t = 126: 64 bytes an item for the scan, 64 for the second
/// look, 4 for its number, 2 for the boxes. The table is never a mapped file: a scan cannot fault.
/// It never changes after it was made: [#with], [#only] and [#scaled] make another one that shares
/// the codes.
public final class SketchTable {
  private final Sketcher sketcher;
  private final Quantizer headQuantizer;
  private final Quantizer tailQuantizer;
  private final Spread spread;
  private final long builtCount;
  private final double sketchError;
  private final int builtGroups; // the groups behind them hold what was added since the build
  private final Group[] groups;
  private final RadiusScales scales;
  private final long count;

  /// Where the codes of each dimension of the head lie.
  record Spread(float[] mean, float[] variance) {}

  private SketchTable(
      Sketcher sketcher,
      Quantizer headQuantizer,
      Quantizer tailQuantizer,
      Spread spread,
      long builtCount,
      double sketchError,
      int builtGroups,
      Group[] groups,
      RadiusScales scales) {
    this.sketcher = sketcher;
    this.headQuantizer = headQuantizer;
    this.tailQuantizer = tailQuantizer;
    this.spread = spread;
    this.builtCount = builtCount;
    this.sketchError = sketchError;
    this.builtGroups = builtGroups;
    this.groups = groups;
    this.scales = scales;
    this.count = Arrays.stream(groups).mapToLong(group -> group.items.length).sum();
  }

  /// Sketches every latent and codes the sketches.
  public static SketchTable of(Sketcher sketcher, LatentReader latents) {
    return of(Sketches.of(sketcher, latents));
  }

  /// Codes sketches, on all cores.
  public static SketchTable of(Sketches sketches) {
    Sketcher sketcher = sketches.sketcher();
    Quantizer head = Quantizer.fit(sketches, 0, sketcher.headLength());
    Quantizer tail = Quantizer.fit(sketches, sketcher.headLength(), sketcher.tailLength());
    Group[] groups = groups(sketches, head, tail);
    Spread spread = spread(groups, sketcher.columns(), sketches.count());
    return new SketchTable(
        sketcher,
        head,
        tail,
        spread,
        sketches.count(),
        sketches.largestError(),
        groups.length,
        groups,
        RadiusScales.ONES);
  }

  /// Codes sketches in an order of their own. A value that no code reaches makes the error of its
  /// group larger, so nothing is lost by it but time.
  static Group[] groups(Sketches sketches, Quantizer head, Quantizer tail) {
    Sketcher sketcher = sketches.sketcher();
    int[] order = KdOrder.of(sketches, Group.BLOCKS);
    Group[] groups = Group.allocate(order.length, sketcher.columns(), sketcher.tailLength());
    IntStream.range(0, groups.length)
        .parallel()
        .forEach(g -> {
          int from = g * Group.ITEMS;
          int size = Math.min(Group.ITEMS, order.length - from);
          for (int i = 0; i < size; i++) {
            code(sketches, order[from + i], i, groups[g], head, tail);
          }
          groups[g].enclose(sketcher.columns());
        });
    return groups;
  }

  private static void code(
      Sketches sketches, int item, int place, Group group, Quantizer head, Quantizer tail) {
    int headLength = sketches.sketcher().headLength();
    int tailLength = sketches.sketcher().tailLength();
    double headSquare = 0;
    double tailSquare = 0;
    for (int i = 0; i < headLength; i++) {
      float value = sketches.value(item, i);
      byte code = head.code(value, i);
      group.codes[group.at(i, place)] = code;
      double square = head.squaredError(value, i, code);
      headSquare += square;
      tailSquare += i == 0 ? 0 : square; // ρ′ takes the place of ρ
    }
    for (int i = 0; i < tailLength; i++) {
      float value = sketches.value(item, headLength + i);
      byte code = tail.code(value, i);
      group.tails[place * tailLength + i] = code;
      tailSquare += tail.squaredError(value, i, code);
    }
    double rounding = sketches.error(item);
    group.items[place] = sketches.first() + item;
    group.headError = atLeast(group.headError, Math.sqrt(headSquare) + rounding);
    group.tailError = atLeast(group.tailError, Math.sqrt(tailSquare) + rounding);
    group.latentError = atLeast(group.latentError, sketches.latentError(item));
  }

  /// Returns a float32 that is not below either; NaN counts as +∞.
  private static float atLeast(float error, double other) {
    double larger = other > error ? other : Double.isNaN(other) ? Double.POSITIVE_INFINITY : error;
    return larger == error ? error : Math.nextUp((float) larger);
  }

  private static Spread spread(Group[] groups, int columns, int count) {
    double[] sums = new double[columns];
    double[] squares = new double[columns];
    for (Group group : groups) {
      for (int place = 0; place < group.items.length; place++) {
        for (int i = 0; i < columns; i++) {
          int code = group.codes[group.at(i, place)] & 0xff;
          sums[i] += code;
          squares[i] += code * code;
        }
      }
    }
    float[] mean = new float[columns];
    float[] variance = new float[columns];
    for (int i = 0; i < columns && count > 0; i++) {
      mean[i] = (float) (sums[i] / count);
      variance[i] = (float) (squares[i] / count - sums[i] / count * (sums[i] / count));
    }
    return new Spread(mean, variance);
  }

  public Sketcher sketcher() {
    return sketcher;
  }

  Quantizer headQuantizer() {
    return headQuantizer;
  }

  Quantizer tailQuantizer() {
    return tailQuantizer;
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
    return copy(all.toArray(Group[]::new), RadiusScales.ONES).scaled(scales);
  }

  /// Returns this table without the items that are no longer protected.
  public SketchTable only(LivingItems living) {
    return copy(
        Arrays.stream(groups)
            .parallel()
            .map(group -> group.only(living, sketcher.columns()))
            .toArray(Group[]::new),
        scales);
  }

  /// Returns this table with balls as wide as a set's, those of the items that are there now.
  public SketchTable scaled(RadiusScales others) {
    return copy(
        Arrays.stream(groups).map(group -> group.scaled(others)).toArray(Group[]::new), others);
  }

  /// Returns how wide the balls of the items are.
  public RadiusScales scales() {
    return scales;
  }

  private SketchTable copy(Group[] others, RadiusScales theirScales) {
    return new SketchTable(
        sketcher,
        headQuantizer,
        tailQuantizer,
        spread,
        builtCount,
        sketchError,
        builtGroups,
        others,
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
    return new SketchQuery(this, latents, offset);
  }

  private static final long MAGIC = 0x48435445_4b534c53L; // "SLSKETCH", little-endian
  private static final int VERSION = 2;

  /// Writes a table to which nothing was added; the format is in `docs/FORMAT.md`. The stream is
  /// not closed.
  public void write(OutputStream out) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
    header.putLong(MAGIC).putInt(VERSION).putInt(sketcher.dim());
    header.putInt(sketcher.headDim()).putInt(sketcher.directionCount()).putLong(count);
    header.putFloat(headQuantizer.step()).putFloat(tailQuantizer.step()).putDouble(sketchError);
    out.write(header.array());
    writeFloats(out, sketcher.mean());
    writeFloats(out, sketcher.directions());
    writeFloats(out, headQuantizer.low());
    writeFloats(out, tailQuantizer.low());
    for (Group group : groups) {
      writeGroup(out, group, sketcher);
    }
  }

  static void writeGroup(OutputStream out, Group group, Sketcher sketcher) throws IOException {
    writeFloats(out, new float[] {group.headError, group.tailError, group.latentError});
    ByteBuffer ids = ByteBuffer.allocate(group.items.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    ids.asIntBuffer().put(group.items);
    out.write(ids.array());
    for (int chunk = 0; chunk < sketcher.columns() / Kernels.STRIDE; chunk++) {
      int bytes = group.blockCount() * Kernels.STRIDE * Group.BLOCKS;
      out.write(group.codes, group.chunk(chunk), bytes);
    }
    out.write(group.tails);
  }

  /// Reads a table back. The bytes are trusted: check their checksum before.
  ///
  /// @throws IOException if the bytes are no table of this version
  public static SketchTable read(InputStream in) throws IOException {
    ByteBuffer header = ByteBuffer.wrap(read(in, 48)).order(ByteOrder.LITTLE_ENDIAN);
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
    float headStep = header.getFloat();
    float tailStep = header.getFloat();
    double sketchError = header.getDouble();
    if (dim < 1
        || headDim < 1
        || directionCount < headDim
        || directionCount > dim
        || headDim > Sketcher.MOST_HEAD_DIRECTIONS
        || count < 0
        || count > Integer.MAX_VALUE
        || !(headStep > 0)
        || !(tailStep > 0)) {
      throw new IOException(
          "sketches of %d latents, dim %d, %d and %d directions, steps %s and %s make no sense"
              .formatted(count, dim, headDim, directionCount, headStep, tailStep));
    }
    float[] mean = readFloats(in, dim);
    float[] directions = readFloats(in, Math.multiplyExact(dim, directionCount));
    Sketcher sketcher = new Sketcher(mean, directions, headDim);
    Quantizer head = new Quantizer(readFloats(in, sketcher.headLength()), headStep);
    Quantizer tail = new Quantizer(readFloats(in, sketcher.tailLength()), tailStep);
    Group[] groups = Group.allocate(count, sketcher.columns(), sketcher.tailLength());
    for (Group group : groups) {
      readGroup(in, group, sketcher);
    }
    Spread spread = spread(groups, sketcher.columns(), (int) count);
    return new SketchTable(
        sketcher, head, tail, spread, count, sketchError, groups.length, groups, RadiusScales.ONES);
  }

  static void readGroup(InputStream in, Group group, Sketcher sketcher) throws IOException {
    float[] errors = readFloats(in, 3);
    group.headError = errors[0];
    group.tailError = errors[1];
    group.latentError = errors[2];
    ByteBuffer.wrap(read(in, group.items.length * 4))
        .order(ByteOrder.LITTLE_ENDIAN)
        .asIntBuffer()
        .get(group.items);
    int blockBytes = Kernels.STRIDE * Group.BLOCKS;
    for (int chunk = 0; chunk < sketcher.columns() / Kernels.STRIDE; chunk++) {
      readFully(in, group.codes, group.chunk(chunk), group.blockCount() * blockBytes);
    }
    readFully(in, group.tails, 0, group.tails.length);
    group.enclose(sketcher.columns());
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
