package spellshield.benchmarks.peers;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.function.IntFunction;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.index.sketch.SketchQuery;
import spellshield.index.sketch.Sketches;

/// The heads of the sketches as files that other programs can read: float32 `[N, h + 1]`, row by
/// row, little-endian, without a header.
public final class Heads {
  private final BenchmarkSet set;

  public Heads(BenchmarkSet set) {
    this.set = set;
  }

  /// Writes the heads of the items and of the queries where they are missing: `heads-N` and
  /// `query-heads-N`, query `32·t + step`.
  public void write() throws IOException {
    if (!Files.exists(items())) {
      Sketches sketches = set.sketches();
      write(items(), sketches.count(), sketches::head);
    }
    Path queries = set.file("query-heads");
    if (!Files.exists(queries)) {
      write(queries, set.queries().size(), q -> query(q).headSketch());
    }
  }

  /// Returns a distance that no head of an item within `radius` of a query is beyond.
  public double reach(double radius) {
    double largest = 0;
    for (int q = 0; q < set.queries().size(); q++) {
      largest = Math.max(largest, query(q).headReach(radius, set.table().latentError()));
    }
    return largest;
  }

  private SketchQuery query(int q) {
    return set.table().query(set.queries().get(q), 0);
  }

  /// Reads the heads of the items, a row each.
  float[][] read() throws IOException {
    write();
    float[][] rows = new float[Math.toIntExact(set.table().count())][];
    int length = set.table().sketcher().headLength();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(items()), 1 << 20)) {
      for (int item = 0; item < rows.length; item++) {
        rows[item] = new float[length];
        byte[] row = in.readNBytes(4 * length);
        ByteBuffer.wrap(row).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(rows[item]);
      }
    }
    return rows;
  }

  private Path items() {
    return set.file("heads");
  }

  private static void write(Path file, int count, IntFunction<float[]> rows) throws IOException {
    Path pending = file.resolveSibling(file.getFileName() + ".pending");
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(pending), 1 << 20)) {
      for (int i = 0; i < count; i++) {
        float[] row = rows.apply(i);
        ByteBuffer bytes = ByteBuffer.allocate(4 * row.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(row);
        out.write(bytes.array());
      }
    }
    Files.move(pending, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
