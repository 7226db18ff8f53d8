package spellshield.sampler.guarantee;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import spellshield.index.LiveSet;
import spellshield.index.ProtectedSet;
import spellshield.index.kernel.Distance;
import spellshield.index.search.NeighborSearch;
import spellshield.index.store.RadiusScales;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;
import spellshield.sampler.Levels;
import spellshield.sampler.Noise;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.Sampler;
import spellshield.sampler.StepListener;
import spellshield.sampler.ball.Ball;
import spellshield.sampler.shield.Activity;
import spellshield.sampler.shield.Shield;
import spellshield.sampler.shield.ShieldedDenoiser;

/// A whole run: initial noise, sampler, shield, guarantee, and resampling where that fails.
///
/// A seed gives the same sample in any batch and with any number of threads, unless the shield
/// keeps the batch or a history apart. A sample that cannot be brought outside is sampled anew from
/// a seed derived from its own, at most [#MOST_ATTEMPTS] times in all, and is then reported as
/// failed. Not for several threads at once.
public final class ShieldedSampler {

  /// How often a sample is tried before it is reported as failed.
  public static final int MOST_ATTEMPTS = 8;

  private static final long RESAMPLING_STREAM = 1L << 41;

  private final Denoiser denoiser;
  private final Sampler sampler;
  private final Levels levels;
  private final int[] shape;
  private final Shield shield;
  private @Nullable LiveSet set;
  private double radius;
  private UnaryOperator<float[]> delivery = UnaryOperator.identity();
  private @Nullable FileCheck fileCheck;
  private BiFunction<Denoiser, Noise, Denoiser> decoration = (inner, noise) -> inner;
  private @Nullable StepListener listener;
  private long searchNanos;
  private long shieldNanos;
  private long guaranteeNanos;

  /// Puts a run together, without a guarantee.
  ///
  /// @param shape of one latent, `[C, H, W]`
  public ShieldedSampler(
      Denoiser denoiser,
      Sampler sampler,
      NoiseSchedule schedule,
      int steps,
      Shield shield,
      int... shape) {
    this(denoiser, sampler, schedule.levels(steps), shield, shape);
  }

  /// Puts a run over given levels together, without a guarantee.
  ///
  /// @param shape of one latent, `[C, H, W]`
  public ShieldedSampler(
      Denoiser denoiser, Sampler sampler, Levels levels, Shield shield, int... shape) {
    this.denoiser = denoiser;
    this.sampler = sampler;
    this.levels = levels;
    this.shield = shield;
    this.shape = shape.clone();
  }

  /// Guarantees and certifies that every sample is farther than `radius`, times the scale of its
  /// ball, from every latent of the set.
  public ShieldedSampler guaranteeing(ProtectedSet set, double radius) {
    return guaranteeing(LiveSet.still(set), radius);
  }

  /// Guarantees and certifies that every sample is farther than `radius` from every latent of the
  /// epoch that is the newest after its last step.
  public ShieldedSampler guaranteeing(LiveSet set, double radius) {
    this.set = set;
    this.radius = NeighborSearch.requireRadius(radius);
    return this;
  }

  /// Returns, checks and certifies what `delivery` makes of a latent, such as the rounding to a
  /// file and back.
  public ShieldedSampler delivering(UnaryOperator<float[]> delivery) {
    this.delivery = delivery;
    return this;
  }

  /// Also checks and certifies the file that a latent becomes, where a guarantee is asked for.
  public ShieldedSampler checking(FileCheck check) {
    this.fileCheck = check;
    return this;
  }

  /// Puts a decorator between denoiser and shield that is bound to the trajectories of one run,
  /// such as one that draws from their seeds.
  public ShieldedSampler decoratedBy(BiFunction<Denoiser, Noise, Denoiser> decorator) {
    this.decoration = decorator;
    return this;
  }

  /// Shows every prediction to a listener as the sampler gets it, in each attempt.
  public ShieldedSampler watchedBy(StepListener watcher) {
    this.listener = watcher;
    return this;
  }

  /// Returns the time that the shield's searches took so far.
  public long searchNanos() {
    return searchNanos;
  }

  /// Returns the time that the shield took so far at the steps, its searches included.
  public long shieldNanos() {
    return shieldNanos;
  }

  /// Returns the time that the guarantee took so far, after the steps: searches, moves, delivery,
  /// files.
  public long guaranteeNanos() {
    return guaranteeNanos;
  }

  /// Samples one batch.
  ///
  /// @param seeds one per sample
  /// @param condition what to sample; labels are one per seed
  /// @return one sample per seed, in their order
  public List<Sample> sample(long[] seeds, Condition condition) {
    return sample(seeds, condition, Optional.empty());
  }

  /// Samples one batch from given noise.
  ///
  /// @param initialNoise `N(0, I)`, a row for each seed, in place of the first draw; a sample that
  ///   is tried again draws its own
  /// @throws java.util.concurrent.CancellationException if the listener stopped the run
  public List<Sample> sample(long[] seeds, Condition condition, Optional<Latents> initialNoise) {
    Sample[] done = new Sample[seeds.length];
    long[] current = seeds.clone();
    Activity[] activities = new Activity[seeds.length];
    Arrays.fill(activities, Activity.NONE);
    List<Ball> earlier = new ArrayList<>(shield.historyBalls());
    int[] open = new int[seeds.length];
    Arrays.setAll(open, i -> i);
    for (int attempt = 1; open.length > 0; attempt++) {
      Optional<Latents> given = attempt == 1 ? initialNoise : Optional.empty();
      List<float[]> finished =
          run(pick(current, open), condition.rows(open), given, activities, open);
      List<Integer> failed = new ArrayList<>();
      for (int i = 0; i < open.length; i++) {
        int row = open[i];
        long start = System.nanoTime();
        Sample sample =
            settle(finished.get(i), seeds[row], current[row], attempt, activities[row], earlier);
        guaranteeNanos += System.nanoTime() - start;
        if (sample.failed() && attempt < MOST_ATTEMPTS) {
          failed.add(row);
          current[row] = Noise.stream(seeds[row], RESAMPLING_STREAM + attempt).nextLong();
          continue;
        }
        done[row] = sample;
        if (shield.batchRadius() > 0 && !sample.failed()) {
          earlier.add(new Ball(sample.latent(), shield.batchRadius()));
        }
      }
      open = failed.stream().mapToInt(Integer::intValue).toArray();
    }
    shield
        .history()
        .ifPresent(history -> {
          for (Sample sample : done) {
            if (!sample.failed()) {
              history.add(sample.latent(), sample.seed());
            }
          }
        });
    return List.of(done);
  }

  private List<float[]> run(
      long[] seeds,
      Condition condition,
      Optional<Latents> given,
      Activity[] activities,
      int[] rows) {
    Noise noise = new Noise(seeds);
    Latents start =
        given.isPresent() ? levels.start(given.get()) : levels.start(noise.draw(0, shape));
    ShieldedDenoiser shielded = shield.over(decoration.apply(denoiser, noise), noise);
    Latents x0 = sampler.sample(watched(shielded), levels, start, noise, condition);
    searchNanos += shielded.searchNanos();
    shieldNanos += shielded.shieldNanos();
    List<float[]> finished = new ArrayList<>();
    for (int i = 0; i < rows.length; i++) {
      activities[rows[i]] = activities[rows[i]].plus(shielded.activities().get(i));
      finished.add(x0.row(i));
    }
    return finished;
  }

  private Denoiser watched(Denoiser shielded) {
    if (listener == null) {
      return shielded;
    }
    StepListener watcher = listener;
    int[] calls = new int[1];
    return (xt, sigma, condition) -> {
      Latents x0hat = shielded.denoise(xt, sigma, condition);
      int call = calls[0]++;
      if (!watcher.onStep(new StepListener.Step(call, levels.steps(), sigma, x0hat))) {
        throw new CancellationException("the listener stopped the run at call " + call);
      }
      return x0hat;
    };
  }

  private Sample settle(
      float[] x0, long requested, long seed, int attempt, Activity activity, List<Ball> earlier) {
    if (set == null) {
      return new Sample(
          delivery.apply(x0),
          requested,
          seed,
          attempt,
          activity,
          0,
          0,
          Optional.empty(),
          Optional.empty(),
          "");
    }
    try (LiveSet.Lease lease = set.lease()) {
      ProtectedSet epoch = lease.set();
      Guarantee asked = Guarantee.of(epoch.exact(), epoch.latents(), radius).delivering(delivery);
      if (fileCheck != null) {
        asked = asked.checking(fileCheck);
      }
      return switch (asked.settle(x0, earlier, seed)) {
        case Guarantee.Verdict.Outside outside ->
            new Sample(
                outside.latent(),
                requested,
                seed,
                attempt,
                activity,
                outside.moved(),
                outside.rounds(),
                outside.file().map(file -> file.encoded().picture()),
                Optional.of(certify(epoch, outside, requested, seed, attempt, activity)),
                "");
        case Guarantee.Verdict.Failed(String reason, int searches) ->
            new Sample(
                x0,
                requested,
                seed,
                attempt,
                activity,
                0,
                0,
                Optional.empty(),
                Optional.empty(),
                reason);
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Certificate certify(
      ProtectedSet set,
      Guarantee.Verdict.Outside outside,
      long requested,
      long seed,
      int attempt,
      Activity activity) {
    Optional<Guarantee.Nearest> nearest = outside.nearest();
    Optional<Certificate.Scales> scales = scales(set, outside);
    return new Certificate(
        scales.isEmpty() ? Certificate.STATEMENT : Certificate.SCALED_STATEMENT,
        set.id(),
        set.manifest().generation(),
        set.count(),
        set.space().toString(),
        set.space().fingerprint(),
        radius,
        nearest.map(n -> set.item(n.item()).id()).orElse(""),
        nearest.map(Guarantee.Nearest::distance).orElse(Double.POSITIVE_INFINITY),
        nearest.map(Guarantee.Nearest::lower).orElse(Double.POSITIVE_INFINITY),
        Distance.ARITHMETIC,
        "exact",
        scales,
        Certificate.sha256(outside.latent()),
        outside.file().map(file -> fileClaim(set, file)),
        Certificate.Measured.of(set, radius),
        seed,
        requested,
        attempt,
        sampler.name(),
        levels.steps(),
        activity.searches(),
        activity.acted(),
        outside.searches(),
        outside.moved());
  }

  private static Optional<Certificate.Scales> scales(
      ProtectedSet set, Guarantee.Verdict.Outside outside) {
    RadiusScales scales = set.radiusScales();
    if (scales.areOnes()) {
      return Optional.empty();
    }
    Optional<Guarantee.Nearest> toFile = outside.file().flatMap(Guarantee.OutsideFile::nearest);
    return Optional.of(
        new Certificate.Scales(
            scales.least(),
            scales.largest(),
            outside.nearest().map(Guarantee.Nearest::scale).orElse(1.0),
            toFile.map(Guarantee.Nearest::scale).orElse(1.0)));
  }

  private static long[] pick(long[] seeds, int[] rows) {
    return Arrays.stream(rows).mapToLong(row -> seeds[row]).toArray();
  }

  private Certificate.FileClaim fileClaim(ProtectedSet set, Guarantee.OutsideFile file) {
    Optional<Guarantee.Nearest> nearest = file.nearest();
    return new Certificate.FileClaim(
        set.radiusScales().areOnes()
            ? Certificate.FileClaim.STATEMENT
            : Certificate.FileClaim.SCALED_STATEMENT,
        file.encoded().picture().sha256(),
        nearest.map(n -> set.item(n.item()).id()).orElse(""),
        nearest.map(Guarantee.Nearest::distance).orElse(Double.POSITIVE_INFINITY),
        nearest.map(Guarantee.Nearest::lower).orElse(Double.POSITIVE_INFINITY),
        Objects.requireNonNull(fileCheck).tolerance());
  }
}
