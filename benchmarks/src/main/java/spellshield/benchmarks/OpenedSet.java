package spellshield.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.locks.LockSupport;
import spellshield.index.ProtectedSet;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.FileEntry;
import spellshield.index.store.Verification;

/// What it takes to open a set and to stop a search in it: `java … OpenedSet SET [INTERRUPTIONS]`.
///
/// Time and bytes read of an open and of the first search after it (cold, if the page cache was
/// dropped before), the heap that an open set holds, and how long a batch of 16 searches at half
/// the typical distance goes on after its thread was interrupted at a random moment.
public final class OpenedSet {
  private static final int BATCH = 16;
  private static final double SHARE = 0.3;
  private static final double SLOW_SHARE = 0.5;

  private OpenedSet() {}

  /// Measures and prints a table.
  ///
  /// @param args the folder of a set, and how many searches to interrupt (200)
  public static void main(String[] args) throws Exception {
    int interruptions = args.length > 1 ? Integer.parseInt(args[1]) : 200;
    long heapBefore = heap();
    long readBefore = bytesRead();
    long start = System.nanoTime();
    try (ProtectedSet set =
        ProtectedSet.open(DiskStorage.at(Path.of(args[0])), Verification.ON_USE)) {
      print("open", millis(start), bytesRead() - readBefore);
      float[] query = new float[set.space().dim()];
      set.latents().read(set.count() / 2, query);
      readBefore = bytesRead();
      start = System.nanoTime();
      set.exact().search(query, 1, set.radius(SHARE));
      print("first search at " + SHARE, millis(start), bytesRead() - readBefore);
      long all = set.manifest().files().stream().mapToLong(FileEntry::length).sum();
      System.out.printf(Locale.ROOT, "%,d latents, %,.1f MB on disk%n", set.count(), all / 1e6);
      long held = heap() - heapBefore;
      System.out.printf(
          Locale.ROOT,
          "heap held by the open set: %,.1f MB, %.1f bytes a latent%n",
          held / 1e6,
          (double) held / set.count());
      interrupt(set, interruptions);
    }
  }

  private static void print(String what, double millis, long bytes) {
    System.out.printf(
        Locale.ROOT, "%s: %,.1f ms, %,.1f MB read from the disk%n", what, millis, bytes / 1e6);
  }

  private static double millis(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  private static void interrupt(ProtectedSet set, int interruptions) throws InterruptedException {
    int dim = set.space().dim();
    float[] queries = new float[BATCH * dim];
    float[] latent = new float[dim];
    SplittableRandom random = new SplittableRandom(1);
    double radius = set.radius(SLOW_SHARE);
    for (int q = 0; q < BATCH; q++) {
      set.latents().read(random.nextLong(set.count()), latent);
      System.arraycopy(latent, 0, queries, q * dim, dim);
    }
    set.exact().search(queries, BATCH, radius); // compiles
    long start = System.nanoTime();
    set.exact().search(queries, BATCH, radius);
    long whole = System.nanoTime() - start;
    double[] stopped = new double[interruptions];
    int cancelled = 0;
    for (int i = 0; i < interruptions; i++) {
      boolean[] seen = new boolean[1];
      Thread search =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  set.exact().search(queries, BATCH, radius);
                } catch (CancellationException e) {
                  seen[0] = true;
                }
              });
      LockSupport.parkNanos(random.nextLong(whole)); // the moment, not a wait for anything
      start = System.nanoTime();
      search.interrupt();
      search.join();
      stopped[i] = millis(start);
      cancelled += seen[0] ? 1 : 0;
    }
    Arrays.sort(stopped);
    System.out.printf(
        Locale.ROOT,
        "a batch of %d at %.1f takes %,.1f ms; interrupted %d times, %d cancelled; it went on for"
            + " %.2f ms (median), %.2f (99 %%), %.2f (longest)%n",
        BATCH,
        SLOW_SHARE,
        whole / 1e6,
        interruptions,
        cancelled,
        stopped[interruptions / 2],
        stopped[(int) (0.99 * (interruptions - 1))],
        stopped[interruptions - 1]);
  }

  private static long heap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }

  /// Bytes that this process had fetched from the disk, where the system tells (Linux).
  private static long bytesRead() throws IOException {
    Path io = Path.of("/proc/self/io");
    if (!Files.isReadable(io)) {
      return 0;
    }
    return Files.readAllLines(io).stream()
        .filter(line -> line.startsWith("read_bytes: "))
        .mapToLong(line -> Long.parseLong(line.substring("read_bytes: ".length())))
        .sum();
  }
}
