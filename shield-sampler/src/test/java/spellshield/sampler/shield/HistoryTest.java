package spellshield.sampler.shield;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class HistoryTest {

  @Test
  void outputs_come_back_oldest_first_with_their_seeds() {
    History history = new History(2);
    assertThat(history.dim()).isEqualTo(2);
    assertThat(history.outputs()).isEmpty();
    history.add(new float[] {1, 2}, 17);
    history.add(new float[] {3, 4}, 5);
    assertThat(history.outputs()).extracting(History.Output::seed).containsExactly(17L, 5L);
    assertThat(history.outputs().get(0).latent()).containsExactly(1, 2);
    assertThat(history.outputs().get(1).latent()).containsExactly(3, 4);
  }

  @Test
  void an_output_is_copied_when_it_is_added() {
    History history = new History(1);
    float[] latent = {1};
    history.add(latent, 0);
    latent[0] = 9;
    assertThat(history.outputs().getFirst().latent()).containsExactly(1);
  }

  @Test
  void outputs_taken_earlier_do_not_grow() {
    History history = new History(1);
    history.add(new float[1], 0);
    List<History.Output> before = history.outputs();
    history.add(new float[1], 1);
    assertThat(before).hasSize(1);
    assertThat(history.outputs()).hasSize(2);
  }

  @Test
  void many_threads_may_add_at_once() {
    History history = new History(1);
    IntStream.range(0, 10_000).parallel().forEach(i -> history.add(new float[] {i}, i));
    assertThat(history.outputs())
        .extracting(History.Output::seed)
        .containsExactlyInAnyOrderElementsOf(LongStream.range(0, 10_000).boxed().toList());
  }

  @Test
  void what_does_not_fit_is_refused_with_its_value() {
    assertThatThrownBy(() -> new History(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("dim must be at least 1, but was 0");
    assertThatThrownBy(() -> new History(3).add(new float[2], 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a latent of 2 values does not fit a history of 3");
  }
}
