package spellshield.tools;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final long SECOND = 1_000_000_000L;

  private final ByteArrayOutputStream written = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(written, true, UTF_8);
  private final AtomicLong clock = new AtomicLong(-5); // nanoTime may be negative

  private Progress start(long total, Progress.Display display) {
    return new Progress("encoding", total, display, out, clock::get);
  }

  @Test
  void without_a_terminal_a_line_comes_every_ten_seconds() {
    try (Progress progress = start(400, Progress.Display.LINES)) {
      for (int i = 0; i < 25; i++) {
        clock.addAndGet(SECOND);
        progress.step(4);
      }
    }
    assertThat(written.toString(UTF_8).lines())
        .containsExactly(
            "encoding: 40 of 400 (10 %), 4.0/s, 1 min 30 s left",
            "encoding: 80 of 400 (20 %), 4.0/s, 1 min 20 s left");
  }

  @Test
  void an_unknown_total_is_counted_up() {
    try (Progress progress = start(-1, Progress.Display.LINES)) {
      clock.addAndGet(20 * SECOND);
      progress.step(1500);
    }
    assertThat(written.toString(UTF_8).strip()).isEqualTo("encoding: 1,500, 75.0/s");
  }

  @Test
  void an_estimated_total_is_said_to_be_one() {
    try (Progress progress = start(-1, Progress.Display.LINES)) {
      clock.addAndGet(20 * SECOND);
      progress.expect(3_000);
      progress.step(1500);
      clock.addAndGet(20 * SECOND);
      progress.expect(2_900); // smaller than what there is
      progress.step(1500);
    }
    assertThat(written.toString(UTF_8))
        .containsSubsequence(
            "encoding: 1,500 of about 3,000 (50 %), 75.0/s, 20 s left",
            "encoding: 3,000 of about 2,900 (100 %), 75.0/s, 0 s left");
  }

  @Test
  void quiet_and_short_jobs_show_nothing() {
    try (Progress quiet = start(10, Progress.Display.NONE);
        Progress shortJob = start(10, Progress.Display.BAR)) {
      clock.addAndGet(SECOND);
      shortJob.step(5);
      clock.addAndGet(1000 * SECOND);
      quiet.step(5);
    }
    assertThat(written.size()).isZero();
  }

  @Test
  void a_long_job_on_a_terminal_shows_a_bar() {
    try (Progress progress = start(10, Progress.Display.BAR)) {
      clock.addAndGet(3 * SECOND);
      progress.step(5);
    }
    assertThat(written.toString(UTF_8)).contains("encoding", "5/10");
  }

  @Test
  void steps_of_many_threads_are_all_counted() {
    try (Progress progress = start(10_000, Progress.Display.LINES)) {
      IntStream.range(0, 10_000)
          .parallel()
          .forEach(i -> {
            clock.addAndGet(SECOND / 100);
            progress.step();
          });
      assertThat(progress.done()).isEqualTo(10_000);
    }
    // 100 seconds on the clock; a line is due every 10, one late by a step at most
    assertThat(written.toString(UTF_8).lines().count()).isBetween(9L, 10L);
  }
}
