package spellshield.index.store;

import it.unimi.dsi.fastutil.longs.Long2FloatMap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/// How much wider or narrower than the others the balls of some items are.
///
/// Item k has a scale s_k > 0, 1 unless told. Where a shield, an audit or a certificate asks for
/// the radius r, the ball of item k has the radius `s_k·r`. Removed items have 1.
///
/// Immutable.
public final class RadiusScales {

  /// Every item has the scale 1.
  public static final RadiusScales ONES = new RadiusScales(new float[0]);

  private final float[] scales; // by item; those behind the last are 1
  private final double least;
  private final double largest;
  private final long otherCount;

  private RadiusScales(float[] scales) {
    this.scales = scales;
    double smallest = 1;
    double widest = 1;
    long others = 0;
    for (float scale : scales) {
      smallest = Math.min(smallest, scale);
      widest = Math.max(widest, scale);
      others += scale != 1 ? 1 : 0;
    }
    this.least = smallest;
    this.largest = widest;
    this.otherCount = others;
  }

  /// Returns the scales of the items from 0 on; items behind the last one have 1.
  ///
  /// @throws IllegalArgumentException if one is not positive and finite
  public static RadiusScales from(float... scales) {
    for (int item = 0; item < scales.length; item++) {
      require("item " + item, scales[item]);
    }
    return new RadiusScales(scales.clone());
  }

  /// Reads the scales of a set, and checks them against its manifest.
  ///
  /// @throws DamagedSetException if their file is not what the manifest says
  public static RadiusScales read(Storage storage, Manifest manifest) throws IOException {
    RadiusScales scales = ONES;
    for (FileEntry file : manifest.files(Manifest.RADII)) { // one at most
      scales = parse(file, file.read(storage), file.owner());
    }
    return scales;
  }

  /// Returns a scale that an item can have, or refuses it.
  ///
  /// @param place of the scale, for the message
  /// @throws IllegalArgumentException if it is not positive and finite
  public static float require(String place, float scale) {
    if (!(scale > 0 && scale < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "%s: a radius scale must be positive and finite, but was %s".formatted(place, scale));
    }
    return scale;
  }

  /// Returns the radius of a ball, `scale·radius`, not rounded down; +∞ where it is beyond float64.
  public static double ball(double scale, double radius) {
    return scale == 1 ? radius : Math.nextUp(scale * radius);
  }

  /// Returns the scale of an item.
  public double of(long item) {
    return item < scales.length ? scales[(int) item] : 1;
  }

  /// Returns a number that no scale is below, 1 or less.
  public double least() {
    return least;
  }

  /// Returns a number that no scale is above, 1 or more.
  public double largest() {
    return largest;
  }

  /// Returns the number of items whose scale is not 1.
  public long otherCount() {
    return otherCount;
  }

  /// Returns whether every item has the scale 1.
  public boolean areOnes() {
    return otherCount == 0;
  }

  /// Returns these scales with those of some items changed.
  RadiusScales changed(Long2FloatMap changes) {
    long end = changes.keySet().longStream().max().orElse(-1) + 1;
    float[] all = Arrays.copyOf(scales, Math.max(scales.length, Math.toIntExact(end)));
    Arrays.fill(all, scales.length, all.length, 1);
    changes.forEach((item, scale) -> all[Math.toIntExact(item)] = scale);
    int length = all.length;
    while (length > 0 && all[length - 1] == 1) {
      length--;
    }
    return new RadiusScales(Arrays.copyOf(all, length));
  }

  byte[] toBytes(long generation) {
    byte[] header = FileHeader.ofRadii(generation).toBytes();
    ByteBuffer out =
        ByteBuffer.allocate(header.length + scales.length * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    out.put(header).asFloatBuffer().put(scales);
    return out.array();
  }

  /// Reads a file whose checksum was compared and whose length is that of at most all items.
  ///
  /// @throws DamagedSetException if it does not fit the manifest
  static RadiusScales parse(FileEntry file, byte[] bytes, long generation) {
    FileHeader.ofRadii(generation).requireAt(file.name(), Arrays.copyOf(bytes, FileHeader.BYTES));
    float[] scales = new float[(bytes.length - FileHeader.BYTES) / Float.BYTES];
    ByteBuffer.wrap(bytes, FileHeader.BYTES, bytes.length - FileHeader.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .asFloatBuffer()
        .get(scales);
    RadiusScales read;
    try {
      read = from(scales);
    } catch (IllegalArgumentException e) {
      throw new DamagedSetException(file.name(), String.valueOf(e.getMessage()), e);
    }
    if (read.otherCount != file.count()) {
      throw new DamagedSetException(
          file.name(),
          "has %d items whose radius scale is not 1, but the manifest says %d"
              .formatted(read.otherCount, file.count()));
    }
    return read;
  }
}
