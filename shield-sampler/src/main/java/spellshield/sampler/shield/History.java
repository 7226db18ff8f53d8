package spellshield.sampler.shield;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import spellshield.index.FingerprintMismatchException;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.LatentStore;
import spellshield.index.store.Precision;
import spellshield.index.store.SetWriter;
import spellshield.index.store.Verification;

/// Finished outputs that later ones keep away from, with the seeds that made them.
///
/// Lets batches differ from each other, and a batch of one stay diverse. Safe for many threads; a
/// run sees the outputs that were there when it began.
public final class History {

  /// One output.
  ///
  /// @param latent `[D]`, shared, not to be written to
  public record Output(float[] latent, long seed) {}

  private final int dim;
  private final List<Output> outputs = new ArrayList<>();

  /// Begins an empty history of latents with `dim` values.
  public History(int dim) {
    if (dim < 1) {
      throw new IllegalArgumentException("dim must be at least 1, but was " + dim);
    }
    this.dim = dim;
  }

  /// Appends an output.
  ///
  /// @throws IllegalArgumentException if a value is not finite: nothing could keep away from it
  public synchronized void add(float[] latent, long seed) {
    if (latent.length != dim) {
      throw new IllegalArgumentException(
          "a latent of %d values does not fit a history of %d".formatted(latent.length, dim));
    }
    for (int i = 0; i < dim; i++) {
      if (!Float.isFinite(latent[i])) {
        throw new IllegalArgumentException(
            "value %d of the output of seed %d is %s, which nothing can keep away from"
                .formatted(i, seed, latent[i]));
      }
    }
    outputs.add(new Output(latent.clone(), seed));
  }

  /// Returns all outputs so far, oldest first.
  public synchronized List<Output> outputs() {
    return List.copyOf(outputs);
  }

  /// Saves the outputs with their seeds as a set of latents in a folder, crash-safely.
  ///
  /// @param space the space that they live in
  /// @param created the time that the manifest tells
  public void save(Path folder, LatentSpace space, Instant created) throws IOException {
    try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT32)) {
      for (Output output : outputs()) {
        writer.add(
            new Item("output-%d".formatted(writer.count()), "seed " + output.seed(), ""),
            output.latent());
      }
      writer.commit(Map.of(), created);
    }
  }

  /// Loads what [#save] wrote.
  ///
  /// @param space the space that the latents must live in
  /// @throws IOException if the folder holds no history
  /// @throws FingerprintMismatchException if the history lives in another space
  public static History load(Path folder, LatentSpace space) throws IOException {
    try (LatentStore store = LatentStore.open(DiskStorage.at(folder), Verification.FULL)) {
      if (!store.manifest().space().equals(space)) {
        throw new FingerprintMismatchException(store.manifest().space(), space);
      }
      History history = new History(store.dim());
      float[] latent = new float[store.dim()];
      for (long item = 0; item < store.count(); item++) {
        String source = store.item(item).source();
        if (!source.matches("seed -?\\d{1,19}")) {
          throw new IOException(
              "%s: item %d has no seed, but '%s'".formatted(folder, item, source));
        }
        store.read(item, latent);
        history.add(latent, Long.parseLong(source.substring(5)));
      }
      return history;
    }
  }

  public int dim() {
    return dim;
  }
}
