package spellshield.tools;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/// How far a long job is, on standard error.
///
/// On a terminal (the launcher says so by `-Dshield.tty=true`) a bar appears when the job takes
/// over 2 seconds; elsewhere a plain line every 10 seconds; nothing when quiet. Any number of
/// threads may report steps; the display only moves when one does.
public final class Progress implements AutoCloseable {
  private static final long BAR_AFTER = 2_000_000_000L; // ns
  private static final long LINE_EVERY = 10_000_000_000L; // ns
  private static final int BAR_WIDTH = 79;

  private final String task;
  private volatile long total;
  private volatile boolean estimated;
  private final Display display;
  private final PrintStream out;
  private final LongSupplier nanoTime;
  private final long begin;
  private final AtomicLong done = new AtomicLong();
  private final AtomicLong due; // ns since the begin: nothing to show before
  private @Nullable ProgressBar bar; // guarded by this
  private boolean closed; // guarded by this

  enum Display {
    BAR,
    LINES,
    NONE
  }

  Progress(String task, long total, Display display, PrintStream out, LongSupplier nanoTime) {
    this.task = task;
    this.total = total;
    this.display = display;
    this.out = out;
    this.nanoTime = nanoTime;
    this.begin = nanoTime.getAsLong();
    this.due =
        new AtomicLong(
            switch (display) {
              case BAR -> BAR_AFTER;
              case LINES -> LINE_EVERY;
              case NONE -> Long.MAX_VALUE;
            });
  }

  /// Begins a job.
  ///
  /// @param task one or two words, such as `encoding`
  /// @param total number of steps; below 0 if it is not known
  /// @param quiet shows nothing
  public static Progress start(String task, long total, boolean quiet) {
    Display display = Boolean.getBoolean("shield.tty") ? Display.BAR : Display.LINES;
    return new Progress(task, total, quiet ? Display.NONE : display, System.err, System::nanoTime);
  }

  /// Reports one step.
  public void step() {
    step(1);
  }

  /// Reports steps.
  public void step(long steps) {
    long now = done.addAndGet(steps);
    long elapsed = nanoTime.getAsLong() - begin;
    if (elapsed >= due.get()) {
      show(now, elapsed);
    }
  }

  /// Says how many steps are to be expected, by what is known so far.
  public void expect(long steps) {
    total = steps;
    estimated = true;
  }

  /// Returns how many steps were reported.
  public long done() {
    return done.get();
  }

  private synchronized void show(long now, long elapsed) {
    if (closed || elapsed < due.get()) { // another thread was here
      return;
    }
    if (display == Display.LINES) {
      due.set(elapsed + LINE_EVERY);
      out.println(line(now, elapsed));
      return;
    }
    if (bar == null) {
      bar =
          ProgressBar.builder()
              .setTaskName(task)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(250)
              .setConsumer(new ConsoleProgressBarConsumer(out, BAR_WIDTH))
              .clearDisplayOnFinish()
              .build();
    }
    bar.maxHint(total);
    bar.stepTo(done.get());
  }

  private String line(long now, long elapsed) {
    double seconds = elapsed / 1e9;
    double rate = now / seconds;
    long all = total;
    if (all < 1) {
      return String.format(Locale.ROOT, "%s: %,d, %.1f/s", task, now, rate);
    }
    return String.format(
        Locale.ROOT,
        "%s: %,d of %s%,d (%d %%), %.1f/s, %s left",
        task,
        now,
        estimated ? "about " : "",
        all,
        Math.min(100, 100 * now / all),
        rate,
        duration(Math.max(0, (all - now) / rate)));
  }

  /// Returns a time in words.
  static String duration(double seconds) {
    long whole = Math.round(seconds);
    return whole < 60
        ? whole + " s"
        : whole < 3600
            ? (whole / 60) + " min " + (whole % 60) + " s"
            : (whole / 3600) + " h " + (whole % 3600 / 60) + " min";
  }

  /// Takes the bar away; later steps are counted, but not shown.
  @Override
  public synchronized void close() {
    closed = true;
    if (bar != null) {
      bar.stepTo(done.get());
      bar.close();
      bar = null;
    }
  }
}
