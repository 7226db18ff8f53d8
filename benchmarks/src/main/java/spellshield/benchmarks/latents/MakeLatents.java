package spellshield.benchmarks.latents;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Consumer;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.LatentStore;
import spellshield.index.store.Manifest;
import spellshield.index.store.Precision;
import spellshield.index.store.SetWriter;
import spellshield.index.store.Verification;
import spellshield.sampler.Condition;
import spellshield.sampler.Denoiser;
import spellshield.sampler.Euler;
import spellshield.sampler.Latents;
import spellshield.sampler.Noise;
import spellshield.sampler.NoiseSchedule;
import spellshield.sampler.denoiser.EmpiricalDenoiser;

/// Makes the latents that the search is measured on; `shield bench make-latents` calls it.
///
/// Into a folder, the cache, go `base` (40,000 real latents), `latents` (mixes of them, float16),
/// and `queries`: the predictions of a model that has memorised the first 10,000 latents, 16
/// trajectories of 32 EDM steps, query `32·t + step`. What is already there is left as it is. The
/// same call writes the same bytes.
public final class MakeLatents {
  public static final int TRAJECTORIES = 16;
  public static final int STEPS = 32;
  private static final int MEMORISED = 10_000;

  // One date for all, so that a set made twice has the same bytes.
  private static final Instant CREATED = Instant.parse("2026-11-24T00:00:00Z");

  private MakeLatents() {}

  /// Makes what is missing, from real latents where they are at hand; else as [#standIn].
  ///
  /// @param shared the folder of the pictures and the encoder
  /// @param told hears in a line what was made, and what stands in
  /// @throws IllegalArgumentException if the cache holds fewer latents
  public static void make(Path shared, Path cache, long count, Consumer<String> told)
      throws IOException {
    if (!BaseLatents.areAt(shared)) {
      told.accept(BaseLatents.pictures(shared) + " or its encoder is absent");
      standIn(cache, count, told);
      return;
    }
    Path base = cache.resolve("base");
    if (!isMade(base)) {
      BaseLatents.write(shared, base, CREATED);
      told.accept("encoded the base");
    }
    if (!holds(cache, count)) {
      try (LatentStore store = LatentStore.open(DiskStorage.at(base), Verification.FULL)) {
        write(new MixedLatents(store, count), store.manifest().space(), cache);
      }
      told.accept("mixed %,d latents".formatted(count));
    }
    makeQueries(cache, told);
  }

  /// Makes what is missing; the latents are draws of a Gaussian with the spectrum of real ones.
  ///
  /// @throws IllegalArgumentException if the cache holds fewer latents
  public static void standIn(Path cache, long count, Consumer<String> told) throws IOException {
    if (!holds(cache, count)) {
      LatentSpace space = new LatentSpace(GaussianLatents.SPACE, BaseLatents.SHAPE);
      write(new GaussianLatents(count), space, cache);
      told.accept(
          "drew %,d latents of a Gaussian: it stands in for real ones, whose spectrum it has"
              .formatted(count));
    }
    makeQueries(cache, told);
  }

  private static boolean isMade(Path folder) throws IOException {
    try {
      return Files.isDirectory(folder) && Manifest.newest(DiskStorage.at(folder)).count() > 0;
    } catch (NoSuchFileException e) {
      return false; // begun, but never committed
    }
  }

  private static boolean holds(Path cache, long count) throws IOException {
    Path latents = cache.resolve("latents");
    if (!isMade(latents)) {
      return false;
    }
    long held = Manifest.newest(DiskStorage.at(latents)).count();
    if (held < count) {
      throw new IllegalArgumentException(
          "%s holds %,d latents, not %,d; name another folder".formatted(latents, held, count));
    }
    return true;
  }

  private static void write(LatentReader latents, LatentSpace space, Path cache)
      throws IOException {
    float[] latent = new float[latents.dim()];
    DiskStorage storage = DiskStorage.at(Files.createDirectories(cache).resolve("latents"));
    try (SetWriter writer = SetWriter.begin(storage, space, Precision.FLOAT16)) {
      for (long item = 0; item < latents.count(); item++) {
        latents.read(item, latent);
        writer.add(new Item("latent-%d".formatted(item), "", ""), latent);
      }
      writer.commit(Map.of(), CREATED);
    }
  }

  private static void makeQueries(Path cache, Consumer<String> told) throws IOException {
    Path queries = cache.resolve("queries");
    if (!isMade(queries)) {
      DiskStorage storage = DiskStorage.at(cache.resolve("latents"));
      try (LatentStore store = LatentStore.open(storage, Verification.ON_USE)) {
        sample(store, queries);
      }
      told.accept("sampled the queries");
    }
  }

  /// Returns what the model behind the queries has memorised: the first 10,000 latents.
  ///
  /// @param shape of one latent, `[C, H, W]`
  public static Latents memorised(LatentReader latents, int... shape) {
    int dim = latents.dim();
    int count = (int) Math.min(MEMORISED, latents.count());
    float[] memorised = new float[count * dim];
    float[] latent = new float[dim];
    for (int item = 0; item < count; item++) {
      latents.read(item, latent);
      System.arraycopy(latent, 0, memorised, item * dim, dim);
    }
    return new Latents(memorised, count, shape);
  }

  /// Returns EDM's levels for these latents. They are made for data with a deviation of 0.5, so
  /// each is scaled by twice the deviation of the latents.
  public static double[] sigmas(Latents memorised) {
    int dim = memorised.dim();
    double squares = 0;
    double[] sum = new double[dim];
    for (int i = 0; i < memorised.values().length; i++) {
      squares += (double) memorised.values()[i] * memorised.values()[i];
      sum[i % dim] += memorised.values()[i];
    }
    int count = memorised.batch();
    double meanSquare = 0;
    for (double value : sum) {
      meanSquare += value / count * (value / count);
    }
    double deviation = Math.sqrt((squares / count - meanSquare) / dim);
    double[] sigmas = NoiseSchedule.Karras.edm().sigmas(STEPS);
    for (int i = 0; i < sigmas.length; i++) {
      sigmas[i] *= deviation / 0.5;
    }
    return sigmas;
  }

  /// Samples the trajectories of a denoiser.
  ///
  /// @param noise one seed per trajectory
  public static Latents sample(Denoiser denoiser, double[] sigmas, Noise noise, int... shape) {
    Latents start = noise.draw(0, shape);
    for (int i = 0; i < start.values().length; i++) {
      start.values()[i] *= (float) sigmas[0];
    }
    return new Euler().sample(denoiser, sigmas, start, noise, Condition.NONE);
  }

  private static void sample(LatentStore latents, Path folder) throws IOException {
    LatentSpace space = latents.manifest().space();
    Latents data = memorised(latents, space.shape());
    float[][] predictions = new float[TRAJECTORIES * STEPS][];
    long[] seeds = new long[TRAJECTORIES];
    Arrays.setAll(seeds, t -> t);
    try (EmpiricalDenoiser memoriser = EmpiricalDenoiser.of(data)) {
      int[] step = new int[1];
      Denoiser recorder =
          (xt, sigma, condition) -> {
            Latents x0hat = memoriser.denoise(xt, sigma, condition);
            for (int t = 0; t < TRAJECTORIES; t++) {
              predictions[t * STEPS + step[0]] = x0hat.row(t);
            }
            step[0]++;
            return x0hat;
          };
      sample(recorder, sigmas(data), new Noise(seeds), space.shape());
    }
    try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT32)) {
      for (int i = 0; i < predictions.length; i++) {
        writer.add(new Item("query-%d".formatted(i), "", ""), predictions[i]);
      }
      writer.commit(Map.of(), CREATED);
    }
  }
}
