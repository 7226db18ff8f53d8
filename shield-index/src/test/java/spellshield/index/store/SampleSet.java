package spellshield.index.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import tools.jackson.databind.node.JsonNodeFactory;

/// A set made up from a seed, so that a reader can tell exactly which set it sees.
///
/// @param precision of the stored values
/// @param shape of one latent
/// @param items what is in it
/// @param latents one per item
record SampleSet(Precision precision, int[] shape, List<Item> items, List<float[]> latents) {
  static final Instant CREATED = Instant.parse("2026-01-02T03:04:05Z");

  static SampleSet of(long seed, Precision precision, int count, int... shape) {
    SplittableRandom random = new SplittableRandom(seed);
    List<Item> items = new ArrayList<>();
    List<float[]> latents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String id = "é-" + seed + "-" + i;
      String sha256 = i % 4 == 0 ? "" : Hashes.sha256(id.getBytes(StandardCharsets.UTF_8));
      items.add(new Item(id, "train/" + i + ".png", i % 3 == 0 ? "" : "c" + i, sha256, ""));
      float[] latent = new float[new LatentSpace("test", shape).dim()];
      for (int j = 0; j < latent.length; j++) {
        latent[j] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(-6, 4)));
      }
      latents.add(latent);
    }
    return new SampleSet(precision, shape, items, latents);
  }

  LatentSpace space() {
    return new LatentSpace("test", shape);
  }

  void addTo(SetWriter writer) throws IOException {
    for (int i = 0; i < items.size(); i++) {
      writer.add(items.get(i), latents.get(i));
    }
  }

  /// Builds the whole set, with a further file on the side and one in a sub-folder.
  Manifest build(Storage storage, long shardBytes) throws IOException {
    try (SetWriter writer = SetWriter.begin(storage, space(), precision, shardBytes)) {
      addTo(writer);
      try (LatentStore latents = writer.latents();
          OutputStream sketch = writer.file("sketch", "sketch");
          OutputStream graph = writer.file("hnsw", "hnsw/_0.cfs")) {
        sketch.write(sketchOf(latents));
        graph.write(items.toString().getBytes(StandardCharsets.UTF_8));
      }
      return writer.commit(
          Map.of("sketch", JsonNodeFactory.instance.objectNode().put("dim", 3)), CREATED);
    }
  }

  /// Reads everything through the store and compares: this set, whole, and no other.
  void requireEqualTo(Storage storage, LatentStore store) throws IOException {
    assertThat(store.count()).isEqualTo(items.size());
    assertThat(store.manifest().space()).isEqualTo(space());
    assertThat(store.manifest().precision()).isEqualTo(precision);
    float[] read = new float[store.dim()];
    for (int i = 0; i < items.size(); i++) {
      double error = store.read(i, read);
      requireClose(latents.get(i), read, error);
      assertThat(store.item(i)).isEqualTo(items.get(i));
    }
    FileEntry sketch = store.manifest().files("sketch").getFirst();
    assertThat(sketch.read(storage)).isEqualTo(sketchOf(store));
    FileEntry graph = store.manifest().files("hnsw").getFirst();
    assertThat(graph.read(storage)).isEqualTo(items.toString().getBytes(StandardCharsets.UTF_8));
  }

  private void requireClose(float[] latent, float[] read, double error) {
    switch (precision) {
      case FLOAT32 -> {
        assertThat(error).isZero();
        for (int i = 0; i < latent.length; i++) {
          assertThat(Float.floatToRawIntBits(read[i]))
              .isEqualTo(Float.floatToRawIntBits(latent[i]));
        }
      }
      case FLOAT16 -> {
        double squares = 0;
        double norm = 0;
        for (int i = 0; i < latent.length; i++) {
          squares += ((double) latent[i] - read[i]) * ((double) latent[i] - read[i]);
          norm += (double) latent[i] * latent[i];
        }
        assertThat(error).isGreaterThanOrEqualTo(Math.sqrt(squares));
        // 11 significant bits, and 2⁻²⁵ for each subnormal; a bound that is idle would pass all
        // else
        assertThat(error)
            .isLessThanOrEqualTo(
                (0x1p-11 * Math.sqrt(norm) + Math.sqrt(latent.length) * 0x1p-25) * (1 + 0x1p-20));
      }
    }
  }

  private static byte[] sketchOf(LatentStore store) {
    byte[] sketch = new byte[(int) store.count()];
    float[] latent = new float[store.dim()];
    for (int i = 0; i < sketch.length; i++) {
      store.read(i, latent);
      sketch[i] = (byte) Float.hashCode(latent[0]);
    }
    return sketch;
  }
}
