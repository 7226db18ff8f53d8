package spellshield.tools.source;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/// What reads a container from its beginning, one entry after the other.
interface Pull<T> extends Closeable {

  /// Returns the next entry, or null at the end.
  @Nullable T next() throws IOException;

  /// Returns the entries as a stream, which closes the container with itself.
  static <T> Stream<T> stream(Pull<T> pull) {
    Spliterator<T> entries =
        new Spliterators.AbstractSpliterator<>(
            Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL) {
          @Override
          public boolean tryAdvance(Consumer<? super T> action) {
            try {
              T entry = pull.next();
              if (entry != null) {
                action.accept(entry);
              }
              return entry != null;
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          }
        };
    return StreamSupport.stream(entries, false)
        .onClose(() -> {
          try {
            pull.close();
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }
}
