package spellshield.sampler.pipeline;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What was opened on the way to something whole; closed again unless that came about.
final class Opened implements AutoCloseable {

  private final List<AutoCloseable> parts = new ArrayList<>();

  <T extends AutoCloseable> T add(T part) {
    parts.add(part);
    return part;
  }

  /// Leaves everything open: it has an owner now.
  void keep() {
    parts.clear();
  }

  @Override
  public void close() {
    @Nullable Exception first = null;
    for (AutoCloseable part : parts.reversed()) {
      try {
        part.close();
      } catch (Exception e) {
        first = first == null ? e : first;
      }
    }
    if (first != null) {
      throw new IllegalStateException("a part could not be closed: " + first.getMessage(), first);
    }
  }
}
