package spellshield.sampler.guidance;

import java.util.stream.IntStream;
import java.util.stream.Stream;
import spellshield.sampler.Condition;

/// Two conditions of one kind, one after the other, for a doubled batch.
final class Both {
  private Both() {}

  static Condition of(Condition first, Condition second) {
    if (first instanceof Condition.Labels(int[] a) && second instanceof Condition.Labels(int[] b)) {
      return new Condition.Labels(IntStream.concat(IntStream.of(a), IntStream.of(b)).toArray());
    }
    if (first instanceof Condition.Texts(var a) && second instanceof Condition.Texts(var b)) {
      return new Condition.Texts(Stream.concat(a.stream(), b.stream()).toList());
    }
    throw new IllegalArgumentException(
        "guidance needs two conditions of labels or two of texts, but got %s and %s"
            .formatted(first.getClass().getSimpleName(), second.getClass().getSimpleName()));
  }
}
