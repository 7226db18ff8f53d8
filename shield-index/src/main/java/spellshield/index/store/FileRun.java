package spellshield.index.store;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// The mapped files of one role, which hold the items one file after the other.
final class FileRun {
  private final List<FileEntry> files;
  private final MemorySegment[] segments;
  private final long[] firsts; // the number of the first item of each file

  FileRun(List<FileEntry> files) {
    this.files = files;
    this.segments = new MemorySegment[files.size()];
    this.firsts = new long[files.size()];
    for (int i = 1; i < firsts.length; i++) {
      firsts[i] = firsts[i - 1] + files.get(i - 1).count();
    }
  }

  int size() {
    return segments.length;
  }

  FileEntry file(int index) {
    return files.get(index);
  }

  long first(int index) {
    return firsts[index];
  }

  MemorySegment segment(int index) {
    return segments[index];
  }

  void set(int index, MemorySegment segment) {
    segments[index] = segment;
  }

  /// Returns which file holds an item; of several that begin with it the last, since those before
  /// it are empty.
  int holding(long item) {
    int found = Arrays.binarySearch(firsts, item);
    int index = found >= 0 ? found : -found - 2;
    while (index + 1 < firsts.length && firsts[index + 1] == firsts[index]) {
      index++;
    }
    return index;
  }
}
