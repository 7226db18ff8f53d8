package spellshield.sampler.shield;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import spellshield.index.LiveSet;
import spellshield.index.ProtectedSet;
import spellshield.index.search.NeighborSearch;
import spellshield.index.store.LatentReader;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Noise;
import spellshield.sampler.ball.Ball;

/// SPELL as a decorator of a denoiser: what it keeps away from, how far, and when.
///
/// A shield is immutable and serves any number of runs; [#over] binds it to the trajectories of
/// one. It comes last, on the combined prediction after guidance, so that no guidance scale
/// multiplies a push.
///
/// ```java
/// Shield shield = Shield.builder().protecting(set, radius).build();
/// ShieldedDenoiser run = shield.over(denoiser, noise);
/// ```
public final class Shield {

  /// What the paper advises: pushed out early and far, so that fewer later pushes are needed.
  public static final double PAPER_OVERCOMPENSATION = 1.6;

  /// Up to so many latents the width of a search hardly matters to its cost.
  private static final int SMALL_SET = 100_000;

  /// Which search of a set the steps ask: `ProtectedSet::exact` or `ProtectedSet::hnsw`.
  @FunctionalInterface
  public interface SearchOf {
    /// Returns a search of the set.
    NeighborSearch of(ProtectedSet set) throws IOException;
  }

  /// A protected set at one step: its search, and the radius that both are used with.
  ///
  /// @param skin how much farther than the radius a search looks at most, so that its answer serves
  ///   later steps
  record Protected(NeighborSearch search, LatentReader latents, double radius, double skin) {}

  /// What is protected, held open until it is closed.
  ///
  /// @param lease that holds it; null where nothing need be held
  record Held(Protected set, LiveSet.@Nullable Lease lease) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      if (lease != null) {
        lease.close();
      }
    }
  }

  /// Where a step gets what is protected now. Of an epoch that was not changed the latents are the
  /// same object at each step.
  interface Source {
    Held hold() throws IOException;
  }

  private final @Nullable Source protectedSet;
  private final double batchRadius;
  private final @Nullable History history;
  private final double historyRadius;
  private final double overcompensation;
  private final double sigmaLow;
  private final double sigmaHigh;
  private final boolean candidateLists;
  private final int mostBalls;

  private Shield(Builder builder) {
    this.protectedSet = builder.protectedSet;
    this.batchRadius = builder.batchRadius;
    this.history = builder.history;
    this.historyRadius = builder.historyRadius;
    this.overcompensation = builder.overcompensation;
    this.sigmaLow = builder.sigmaLow;
    this.sigmaHigh = builder.sigmaHigh;
    this.candidateLists = builder.candidateLists;
    this.mostBalls = builder.mostBalls;
  }

  public static Builder builder() {
    return new Builder();
  }

  /// Binds the shield to one run.
  ///
  /// @param noise the run's noise: one seed per row
  public ShieldedDenoiser over(Denoiser denoiser, Noise noise) {
    return new ShieldedDenoiser(this, denoiser, noise);
  }

  Optional<Source> protectedSet() {
    return Optional.ofNullable(protectedSet);
  }

  /// Returns the radius that the predictions of one batch keep from each other; 0 is none.
  public double batchRadius() {
    return batchRadius;
  }

  /// Returns the outputs to keep away from.
  public Optional<History> history() {
    return Optional.ofNullable(history);
  }

  /// Returns a ball around each earlier output, as they are now.
  public List<Ball> historyBalls() {
    if (history == null) {
      return List.of();
    }
    return history.outputs().stream()
        .map(output -> new Ball(output.latent(), historyRadius))
        .toList();
  }

  double overcompensation() {
    return overcompensation;
  }

  boolean candidateLists() {
    return candidateLists;
  }

  int mostBalls() {
    return mostBalls;
  }

  boolean isActive(double sigma) {
    return sigmaLow <= sigma && sigma <= sigmaHigh;
  }

  /// Puts a shield together.
  public static final class Builder {
    private @Nullable Source protectedSet;
    private double batchRadius;
    private @Nullable History history;
    private double historyRadius;
    private double overcompensation = PAPER_OVERCOMPENSATION;
    private double sigmaLow = 0;
    private double sigmaHigh = Double.POSITIVE_INFINITY;
    private boolean candidateLists = true;
    private int mostBalls = 1000;

    private Builder() {}

    /// Keeps away from a protected set; a search looks up to twice as far as it must, in sets of
    /// more than 100,000 latents, where a wide search costs much more, up to a tenth farther.
    public Builder protecting(NeighborSearch search, LatentReader latents, double radius) {
      NeighborSearch.requireRadius(radius);
      return protecting(search, latents, radius, skin(latents, radius));
    }

    private static double skin(LatentReader latents, double radius) {
      return latents.count() <= SMALL_SET ? radius : radius / 10;
    }

    /// Keeps away from one epoch of a set, by the exact search.
    public Builder protecting(ProtectedSet set, double radius) {
      return protecting(set.exact(), set.latents(), radius);
    }

    /// Keeps away from what a set protects at each step, by the exact search: what was added since
    /// the step before repels, what was removed no longer does.
    public Builder protecting(LiveSet set, double radius) {
      return protecting(set, ProtectedSet::exact, radius);
    }

    /// Keeps away from what a set protects at each step.
    ///
    /// @param search which one each epoch of the set is asked by
    public Builder protecting(LiveSet set, SearchOf search, double radius) {
      NeighborSearch.requireRadius(radius);
      protectedSet =
          () -> {
            LiveSet.Lease lease = set.lease();
            boolean held = false;
            try {
              ProtectedSet epoch = lease.set();
              LatentReader latents = epoch.latents();
              Protected now =
                  new Protected(search.of(epoch), latents, radius, skin(latents, radius));
              held = true;
              return new Held(now, lease);
            } finally {
              if (!held) {
                lease.close();
              }
            }
          };
      return this;
    }

    /// Keeps away from a protected set.
    ///
    /// @param radius r of every ball, times the scale that the set gives an item, 1 unless told
    /// @param skin how much farther than r a search looks while x̂0 hardly moves; less where it
    ///   moves faster. More makes searches rarer and each of them dearer, and never changes what
    ///   the shield does
    public Builder protecting(
        NeighborSearch search, LatentReader latents, double radius, double skin) {
      if (!(skin >= 0 && skin < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("skin must be finite and not negative, but was " + skin);
      }
      NeighborSearch.requireRadius(radius);
      Held always = new Held(new Protected(search, latents, radius, skin), null);
      protectedSet = () -> always;
      return this;
    }

    /// Keeps the predictions of one batch (of one class, where there are classes) from each other.
    public Builder intraBatch(double radius) {
      batchRadius = NeighborSearch.requireRadius(radius);
      return this;
    }

    /// Keeps away from earlier outputs.
    public Builder history(History history, double radius) {
      this.history = history;
      this.historyRadius = NeighborSearch.requireRadius(radius);
      return this;
    }

    /// Sets λ; 1 lands on the surface of a single ball, less stays inside.
    public Builder overcompensation(double overcompensation) {
      if (!(overcompensation > 0 && overcompensation < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "overcompensation must be positive and finite, but was " + overcompensation);
      }
      this.overcompensation = overcompensation;
      return this;
    }

    /// Lets the shield act only at noise levels in `[sigmaLow, sigmaHigh]`.
    public Builder window(double sigmaLow, double sigmaHigh) {
      if (!(0 <= sigmaLow && sigmaLow <= sigmaHigh)) {
        throw new IllegalArgumentException(
            "need 0 <= sigmaLow <= sigmaHigh, but sigmaLow=%s, sigmaHigh=%s"
                .formatted(sigmaLow, sigmaHigh));
      }
      this.sigmaLow = sigmaLow;
      this.sigmaHigh = sigmaHigh;
      return this;
    }

    /// Searches at every step when off; the answers are the same.
    public Builder candidateLists(boolean on) {
      candidateLists = on;
      return this;
    }

    /// Leaves a prediction alone while more than this many balls hold it (1,000 unless told).
    ///
    /// Near the mean of a set a large radius holds thousands of latents at once; their sum says
    /// nothing. Such steps are counted as crowded.
    public Builder mostBalls(int mostBalls) {
      if (mostBalls < 1) {
        throw new IllegalArgumentException("mostBalls must be at least 1, but was " + mostBalls);
      }
      this.mostBalls = mostBalls;
      return this;
    }

    public Shield build() {
      return new Shield(this);
    }
  }
}
