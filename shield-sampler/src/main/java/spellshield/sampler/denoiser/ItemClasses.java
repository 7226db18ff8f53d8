package spellshield.sampler.denoiser;

import java.util.Arrays;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import spellshield.sampler.Condition;

/// Which items of a data set belong to which class, and which class a row asks for.
final class ItemClasses {
  /// The items of a class in ascending order; one class, 0, where there are no labels.
  private final SortedMap<Integer, int[]> items = new TreeMap<>();

  private final boolean labelled;

  private ItemClasses(int count, int @Nullable [] labels) {
    labelled = labels != null;
    if (labels == null) {
      items.put(0, IntStream.range(0, count).toArray());
      return;
    }
    if (labels.length != count) {
      throw new IllegalArgumentException(
          "need one label per item, but there were %d labels for %d items"
              .formatted(labels.length, count));
    }
    Map<Integer, IntStream.Builder> byLabel = new TreeMap<>();
    for (int k = 0; k < count; k++) {
      byLabel.computeIfAbsent(labels[k], label -> IntStream.builder()).add(k);
    }
    byLabel.forEach((label, found) -> items.put(label, found.build().toArray()));
  }

  static ItemClasses unlabelled(int count) {
    return new ItemClasses(count, null);
  }

  static ItemClasses of(int count, int... labels) {
    return new ItemClasses(count, labels);
  }

  /// Returns the classes in ascending order.
  int[] labels() {
    return items.keySet().stream().mapToInt(label -> label).toArray();
  }

  /// Returns the items of a class in ascending order.
  int[] items(int label) {
    int[] found = items.get(label);
    if (found == null) {
      throw new IllegalArgumentException(
          "no item has class %d; the classes are %s".formatted(label, items.keySet()));
    }
    return found;
  }

  /// Returns the class that every row asks for, or null if all rows ask for all items.
  int @Nullable [] asked(Condition condition, int batch) {
    return switch (condition) {
      case Condition.None() -> null;
      case Condition.Labels(int[] labels) -> {
        if (!labelled) {
          throw new IllegalArgumentException(
              "this denoiser was built without labels and cannot be asked for classes "
                  + Arrays.toString(labels));
        }
        if (labels.length != batch) {
          throw new IllegalArgumentException(
              "need one class per row, but there were %d classes for %d rows"
                  .formatted(labels.length, batch));
        }
        for (int label : labels) {
          items(label); // refuses an unknown one
        }
        yield labels;
      }
      case Condition.Texts texts ->
          throw new IllegalArgumentException("this denoiser knows classes, not texts");
      case Condition.Guided(Condition positive, Condition negative) -> asked(positive, batch);
    };
  }
}
