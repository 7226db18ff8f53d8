package spellshield.sampler.shield;

import it.unimi.dsi.fastutil.longs.LongOpenHashSet;
import it.unimi.dsi.fastutil.longs.LongSet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.store.LatentReader;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;
import spellshield.sampler.ball.Ball;

/// A denoiser whose predictions the shield pushes, bound to the trajectories of one run.
///
/// All rows are moved from one snapshot of the batch, so that their order does not matter. A row
/// never repels itself, by its place in the batch and not by its distance: two equal rows part.
/// Without the intra-batch source a row's answer does not depend on the other rows. Of a live set
/// each call asks the newest epoch, and answers as a shield that begins with it would.
public final class ShieldedDenoiser implements Denoiser {

  /// Which random stream gives a direction at a hit; far from the numbers that samplers draw.
  private static final long DIRECTION_STREAM = 1L << 40;

  private final Shield shield;
  private final Denoiser denoiser;
  private final Repellency repellency;
  private final long[] seeds;

  /// The seeds; with the intra-batch source told apart where they are equal, as rows that coincide
  /// must part.
  private final long[] directionSeeds;

  /// One for each row, of searches in `remembered`.
  private TrajectoryMemory[] memories = {};

  private @Nullable LatentReader remembered;
  private final List<Ball> past;
  private final Activity[] activities;
  private long searchNanos;
  private long shieldNanos;
  private int calls;

  ShieldedDenoiser(Shield shield, Denoiser denoiser, Noise noise) {
    this.shield = shield;
    this.denoiser = denoiser;
    this.repellency = new Repellency(shield.overcompensation());
    this.seeds = noise.seeds();
    this.directionSeeds = shield.batchRadius() == 0 ? seeds : apart(seeds);
    this.activities = new Activity[seeds.length];
    Arrays.fill(activities, Activity.NONE);
    this.past = shield.historyBalls();
  }

  private static long[] apart(long[] seeds) {
    LongSet seen = new LongOpenHashSet();
    long[] apart = seeds.clone();
    for (int row = 0; row < apart.length; row++) {
      for (int again = 1; !seen.add(apart[row]); again++) {
        apart[row] = Noise.stream(seeds[row], DIRECTION_STREAM - again).nextLong();
      }
    }
    return apart;
  }

  /// Returns what the shield did for each row so far.
  public List<Activity> activities() {
    return List.of(activities);
  }

  /// Returns the time spent in searches so far, all rows together.
  public long searchNanos() {
    return searchNanos;
  }

  /// Returns the time spent so far in all that the shield does, searches included: everything but
  /// the denoiser's own.
  public long shieldNanos() {
    return shieldNanos;
  }

  @Override
  public Latents denoise(Latents xt, double sigma, Condition condition) {
    Latents x0hat = denoiser.denoise(xt, sigma, condition);
    long start = System.nanoTime();
    Latents pushed = push(x0hat, xt, sigma, condition);
    shieldNanos += System.nanoTime() - start;
    return pushed;
  }

  private Latents push(Latents x0hat, Latents xt, double sigma, Condition condition) {
    if (x0hat.batch() != seeds.length) {
      throw new IllegalArgumentException(
          "a batch of %d does not fit a run of %d seeds".formatted(x0hat.batch(), seeds.length));
    }
    int call = calls++;
    if (!shield.isActive(sigma)) {
      return x0hat;
    }
    List<List<Ball>> balls = protectedBalls(x0hat);
    List<Ball> batch = batchBalls(x0hat);
    float[][] moved = new float[x0hat.batch()][];
    IntStream.range(0, x0hat.batch())
        .parallel()
        .forEach(row -> {
          balls.get(row).addAll(past);
          addOthers(balls.get(row), batch, row, condition);
          moved[row] = move(x0hat.row(row), xt.row(row), balls.get(row), row, call);
        });
    Latents out = x0hat.copy();
    for (int row = 0; row < moved.length; row++) {
      System.arraycopy(moved[row], 0, out.values(), row * out.dim(), out.dim());
    }
    return out;
  }

  private float[] move(float[] x0hat, float[] xt, List<Ball> balls, int row, int call) {
    Activity step = new Activity(1, 0, 0, 0, 0);
    float[] moved = x0hat;
    // Most often too few are near to be a crowd, whether they hold it or not.
    if (balls.size() > shield.mostBalls()
        && Repellency.holding(x0hat, balls).size() > shield.mostBalls()) {
      step = new Activity(1, 0, 0, 0, 1);
    } else if (!balls.isEmpty()) {
      SplittableRandom random = Noise.stream(directionSeeds[row], DIRECTION_STREAM + call);
      Repellency.Push push = repellency.push(x0hat, xt, balls, random);
      if (push != null) {
        step = new Activity(1, 0, 1, push.exactHit() ? 1 : 0, 0);
        moved = push.moved();
      }
    }
    activities[row] = activities[row].plus(step);
    return moved;
  }

  /// Returns a ball around every row's prediction; none without the intra-batch source.
  private List<Ball> batchBalls(Latents x0hat) {
    List<Ball> balls = new ArrayList<>();
    for (int row = 0; shield.batchRadius() > 0 && row < x0hat.batch(); row++) {
      balls.add(new Ball(x0hat.row(row), shield.batchRadius(), true));
    }
    return balls;
  }

  private static void addOthers(List<Ball> balls, List<Ball> batch, int row, Condition condition) {
    for (int other = 0; other < batch.size(); other++) {
      if (other != row && condition.same(row, other)) {
        balls.add(batch.get(other));
      }
    }
  }

  /// Returns, for every row, the balls of the protected set that hold it.
  private List<List<Ball>> protectedBalls(Latents x0hat) {
    List<List<Ball>> balls = new ArrayList<>();
    for (int row = 0; row < x0hat.batch(); row++) {
      balls.add(new ArrayList<>());
    }
    shield
        .protectedSet()
        .ifPresent(source -> {
          long start = System.nanoTime();
          try (Shield.Held held = source.hold()) {
            addProtected(held.set(), x0hat, balls);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
          searchNanos += System.nanoTime() - start;
        });
    return balls;
  }

  private void addProtected(Shield.Protected set, Latents x0hat, List<List<Ball>> balls) {
    List<List<Neighbor>> inside = recallAll(set, x0hat);
    for (int row = 0; row < x0hat.batch(); row++) {
      // More than the shield pushes from need not be read; one more tells that they are too many.
      List<Neighbor> neighbors = inside.get(row);
      for (int i = 0; i < Math.min(neighbors.size(), shield.mostBalls() + 1); i++) {
        float[] centre = new float[x0hat.dim()];
        double error = set.latents().read(neighbors.get(i).item(), centre);
        balls.get(row).add(new Ball(centre, neighbors.get(i).ball(set.radius()) + error));
      }
    }
  }

  /// Returns the memories of the rows, new ones where the set is another than at the call before:
  /// items, their numbers and what is clear of them may have changed.
  private TrajectoryMemory[] memories(Shield.Protected set) {
    if (!set.latents().equals(remembered)) {
      remembered = set.latents();
      memories =
          IntStream.range(0, seeds.length)
              .mapToObj(row ->
                  new TrajectoryMemory(
                      set.latents(), set.search().scales().least(), set.radius(), set.skin()))
              .toArray(TrajectoryMemory[]::new);
    }
    return memories;
  }

  private List<List<Neighbor>> recallAll(Shield.Protected set, Latents x0hat) {
    TrajectoryMemory[] memory = memories(set);
    List<@Nullable List<Neighbor>> answers = new ArrayList<>();
    int[] due = new int[x0hat.batch()];
    int dueCount = 0;
    for (int row = 0; row < x0hat.batch(); row++) {
      List<Neighbor> known = shield.candidateLists() ? memory[row].recall(x0hat.row(row)) : null;
      answers.add(known);
      if (known == null) {
        due[dueCount++] = row;
      }
    }
    // The trajectories whose memory has run out share one search.
    int dim = x0hat.dim();
    float[] queries = new float[dueCount * dim];
    double[] reaches = new double[dueCount];
    for (int i = 0; i < dueCount; i++) {
      System.arraycopy(x0hat.values(), due[i] * dim, queries, i * dim, dim);
      reaches[i] = shield.candidateLists() ? memory[due[i]].reach() : set.radius();
    }
    List<Neighborhood> found = set.search().search(queries, reaches);
    for (int i = 0; i < dueCount; i++) {
      int row = due[i];
      memory[row].remember(x0hat.row(row), found.get(i));
      List<Neighbor> inside = new ArrayList<>();
      for (Neighbor neighbor : found.get(i).neighbors()) {
        if (neighbor.isInside(set.radius())) {
          inside.add(neighbor);
        }
      }
      answers.set(row, inside);
      activities[row] = activities[row].plus(new Activity(0, 1, 0, 0, 0));
    }
    List<List<Neighbor>> complete = new ArrayList<>();
    for (List<Neighbor> answer : answers) {
      complete.add(Objects.requireNonNull(answer));
    }
    return complete;
  }
}
