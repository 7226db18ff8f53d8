package spellshield.benchmarks.latents;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentReader;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.LatentStore;
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

/// Makes the latents that the search is measured on: `java … MakeLatents SHARED CACHE COUNT`.
///
/// Into the folder CACHE go `base` (40,000 real latents), `latents` (COUNT mixes of them, float16),
/// and `queries`: the predictions of a model that has memorised the first 10,000 mixes, 16
/// trajectories of 32 EDM steps, query `32·t + step`. What is already there is left as it is.
public final class MakeLatents {
  static final int TRAJECTORIES = 16;
  static final int STEPS = 32;
  private static final int MEMORISED = 10_000;

  // One date for all, so that a set made twice has the same bytes.
  private static final Instant CREATED = Instant.parse("2026-11-24T00:00:00Z");

  private MakeLatents() {}

  /// Makes what is missing.
  ///
  /// @param args the folder of the pictures and the encoder, the cache, the number of latents
  public static void main(String[] args) throws IOException {
    Path shared = Path.of(args[0]);
    Path cache = Files.createDirectories(Path.of(args[1]));
    long count = Long.parseLong(args[2]);
    Path base = cache.resolve("base");
    Path latents = cache.resolve("latents");
    Path queries = cache.resolve("queries");
    if (!Files.isDirectory(base)) {
      BaseLatents.write(shared, base, CREATED);
      System.err.println("encoded the base");
    }
    if (!Files.isDirectory(latents)) {
      try (LatentStore store = LatentStore.open(DiskStorage.at(base), Verification.FULL)) {
        mix(store, latents, count);
      }
      System.err.println("mixed " + count + " latents");
    }
    if (!Files.isDirectory(queries)) {
      try (LatentStore store = LatentStore.open(DiskStorage.at(latents), Verification.ON_USE)) {
        sample(store, queries);
      }
      System.err.println("sampled the queries");
    }
  }

  private static void mix(LatentStore base, Path folder, long count) throws IOException {
    LatentReader mixed = new MixedLatents(base, count);
    LatentSpace space = base.manifest().space();
    float[] latent = new float[mixed.dim()];
    try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT16)) {
      for (long item = 0; item < count; item++) {
        mixed.read(item, latent);
        writer.add(new Item("mix-%d".formatted(item), "", ""), latent);
      }
      writer.commit(Map.of(), CREATED);
    }
  }

  private static void sample(LatentStore latents, Path folder) throws IOException {
    int dim = latents.dim();
    float[] memorised = new float[MEMORISED * dim];
    float[] latent = new float[dim];
    double squares = 0;
    double[] sum = new double[dim];
    for (int item = 0; item < MEMORISED; item++) {
      latents.read(item, latent);
      System.arraycopy(latent, 0, memorised, item * dim, dim);
      for (int i = 0; i < dim; i++) {
        squares += (double) latent[i] * latent[i];
        sum[i] += latent[i];
      }
    }
    double meanSquare = 0;
    for (double value : sum) {
      meanSquare += value / MEMORISED * (value / MEMORISED);
    }
    // EDM's schedule is made for data with a deviation of 0.5: the latents are scaled to it.
    float scale = (float) (0.5 / Math.sqrt((squares / MEMORISED - meanSquare) / dim));
    float[] scaled = memorised.clone();
    for (int i = 0; i < scaled.length; i++) {
      scaled[i] *= scale;
    }
    float[][] predictions = new float[TRAJECTORIES * STEPS][];
    long[] seeds = new long[TRAJECTORIES];
    for (int t = 0; t < TRAJECTORIES; t++) {
      seeds[t] = t;
    }
    Noise noise = new Noise(seeds);
    double[] sigmas = NoiseSchedule.Karras.edm().sigmas(STEPS);
    Latents data = new Latents(scaled, MEMORISED, latents.manifest().space().shape());
    try (EmpiricalDenoiser memoriser = EmpiricalDenoiser.of(data)) {
      int[] step = new int[1];
      Denoiser recorder =
          (xt, sigma, condition) -> {
            Latents x0hat = memoriser.denoise(xt, sigma, condition);
            for (int t = 0; t < TRAJECTORIES; t++) {
              float[] row = x0hat.row(t);
              for (int i = 0; i < dim; i++) {
                row[i] /= scale;
              }
              predictions[t * STEPS + step[0]] = row;
            }
            step[0]++;
            return x0hat;
          };
      Latents start = noise.draw(0, latents.manifest().space().shape());
      for (int i = 0; i < start.values().length; i++) {
        start.values()[i] *= (float) sigmas[0];
      }
      new Euler().sample(recorder, sigmas, start, noise, Condition.NONE);
    }
    LatentSpace space = latents.manifest().space();
    try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT32)) {
      for (int i = 0; i < predictions.length; i++) {
        writer.add(new Item("query-%d".formatted(i), "", ""), predictions[i]);
      }
      writer.commit(Map.of(), CREATED);
    }
  }
}
