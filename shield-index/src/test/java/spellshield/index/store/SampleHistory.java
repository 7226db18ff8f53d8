package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// A set that is built, added to, taken from and rewritten, again and again: what it holds follows
/// from the number of its generation, so that a reader can tell exactly which one it sees.
///
/// Of four generations the first is a build, the second adds and removes, the third only removes,
/// the fourth is the living rest in one order.
///
/// @param count items of a build; must be at least 4
record SampleHistory(int count) {
  private static final int SHAPE = 3;
  private static final long SHARD_BYTES = 64 + 2 * 24;

  private static Precision precision(long build) {
    return build % 8 == 1 ? Precision.FLOAT16 : Precision.FLOAT32;
  }

  private SampleSet built(long build) {
    return SampleSet.of(build, precision(build), count, SHAPE);
  }

  private SampleSet added(long build) {
    return SampleSet.of(build + 1, precision(build), count / 2, SHAPE);
  }

  /// Commits the next generation.
  Manifest commitNext(Storage storage, long generation) throws IOException {
    return commitNext(storage, generation, writer -> {});
  }

  /// Commits the next generation with a writer that may be stopped at the last moment.
  Manifest commitNext(Storage storage, long generation, Consumer<SetWriter> beforeCommit)
      throws IOException {
    long build = generation - (generation - 1) % 4;
    if (generation == build) {
      return built(build).build(storage, SHARD_BYTES);
    }
    try (SetWriter writer =
        generation == build + 3
            ? SetWriter.rewrite(storage, SHARD_BYTES)
            : SetWriter.extend(storage, SHARD_BYTES)) {
      if (generation == build + 1) {
        writer.remove(built(build).items().get(1).id());
        added(build).addTo(writer);
        writer.rescale(built(build).items().get(2).id(), 2);
        writer.rescale(added(build).items().get(0).id(), 4);
        writer.rescale(added(build).items().get(1).id(), 0.5f);
      }
      if (generation == build + 2) {
        writer.rescale(built(build).items().get(0).id(), 3);
        writer.remove(built(build).items().get(3).id());
        writer.remove(added(build).items().get(0).id());
      }
      writer.latents().close();
      try (OutputStream part = writer.file("more", "more/part")) {
        part.write(1);
      }
      beforeCommit.accept(writer);
      return writer.commit(Map.of(), SampleSet.CREATED, "generation " + generation);
    }
  }

  /// Returns what lives in a generation, in order: items and the latents that were added.
  Map<Item, float[]> living(long generation) {
    long build = generation - (generation - 1) % 4;
    List<Item> items = new ArrayList<>(built(build).items());
    List<float[]> latents = new ArrayList<>(built(build).latents());
    if (generation > build) {
      items.addAll(added(build).items());
      latents.addAll(added(build).latents());
    }
    Map<Item, float[]> living = new LinkedHashMap<>();
    for (int i = 0; i < items.size(); i++) {
      boolean gone =
          (generation > build && i == 1) || (generation > build + 1 && (i == 3 || i == count));
      if (!gone) {
        living.put(items.get(i), latents.get(i));
      }
    }
    return living;
  }

  /// Returns the radius scale of an item of a generation that lives.
  private double scale(long generation, Item item) {
    long build = generation - (generation - 1) % 4;
    if (generation == build) {
      return 1;
    }
    List<Item> items = built(build).items();
    List<Item> more = added(build).items();
    return item.equals(items.get(2))
        ? 2
        : item.equals(more.get(0))
            ? 4
            : item.equals(more.get(1))
                ? 0.5
                : item.equals(items.get(0)) && generation > build + 1 ? 3 : 1;
  }

  /// Reads everything through the store and compares: the set of this generation, whole.
  void requireEqualTo(LatentStore store) {
    Manifest manifest = store.manifest();
    long generation = manifest.generation();
    Map<Item, float[]> living = living(generation);
    assertThat(store.living().count()).isEqualTo(living.size());
    assertThat(manifest.livingCount()).isEqualTo(living.size());
    assertThat(manifest.epochs()).hasSize((int) ((generation - 1) % 4) + 1);
    assertThat(manifest.epochs().getLast().number()).isEqualTo(generation);
    List<Item> found = new ArrayList<>();
    float[] read = new float[SHAPE];
    store
        .living()
        .items()
        .forEach(item -> {
          Item record = store.item(item);
          found.add(record);
          assertThat(store.radiusScales().of(item)).isEqualTo(scale(generation, record));
          double error = store.read(item, read);
          float[] latent = living.getOrDefault(record, new float[0]);
          double squares = 0;
          for (int i = 0; i < latent.length; i++) {
            squares += Math.pow((double) latent[i] - read[i], 2);
          }
          assertThat(error).isBetween(Math.sqrt(squares), Math.sqrt(squares) * (1 + 0x1p-20));
        });
    assertThat(found).containsExactlyElementsOf(living.keySet());
    assertThat(manifest.rescaledCount())
        .isEqualTo(living.keySet().stream().filter(item -> scale(generation, item) != 1).count());
  }
}
