package spellshield.benchmarks.latents;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.index.store.SetWriter;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.ImageDoor;

/// The latents that all others are mixed from: the 40,000 pictures of tiny-ImageNet through the
/// TAEF2 encoder.
final class BaseLatents {
  static final int DIM = 2048;
  private static final int BATCH = 32;
  static final int[] SHAPE = {32, 8, 8};

  private BaseLatents() {}

  /// Returns whether pictures and encoder are at hand.
  static boolean areAt(Path shared) {
    return Files.exists(pictures(shared)) && Files.exists(encoder(shared));
  }

  static Path pictures(Path shared) {
    return shared.resolve("data").resolve("tiny-imagenet-train.tar");
  }

  private static Path encoder(Path shared) {
    return shared.resolve("models").resolve("taef2").resolve("vae_encoder").resolve("model.onnx");
  }

  /// Writes the set of base latents into a folder.
  ///
  /// @param shared holds `data/tiny-imagenet-train.tar` and `models/taef2`
  static void write(Path shared, Path folder, Instant created) throws IOException {
    LatentSpace space = new LatentSpace("taef2 64x64", SHAPE);
    try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT32)) {
      encode(pictures(shared), encoder(shared), writer);
      writer.commit(Map.of(), created);
    }
  }

  private static void encode(Path tar, Path model, SetWriter writer) throws IOException {
    try (Encoder encoder = new Encoder(model);
        InputStream in = new BufferedInputStream(Files.newInputStream(tar));
        TarArchiveInputStream entries = new TarArchiveInputStream(in)) {
      List<RgbImage> images = new ArrayList<>();
      List<String> names = new ArrayList<>();
      for (TarArchiveEntry entry = entries.getNextEntry();
          entry != null;
          entry = entries.getNextEntry()) {
        if (entry.isFile()) {
          images.add(ImageDoor.read(entries.readAllBytes(), entry.getName()).withChannels(3));
          names.add(entry.getName());
        }
        if (images.size() == BATCH) {
          append(encoder.encode(images), names, writer);
          images.clear();
          names.clear();
        }
      }
      if (!images.isEmpty()) {
        append(encoder.encode(images), names, writer);
      }
    }
  }

  private static void append(float[] latents, List<String> names, SetWriter writer)
      throws IOException {
    float[] latent = new float[DIM];
    for (int i = 0; i < names.size(); i++) {
      System.arraycopy(latents, i * DIM, latent, 0, DIM);
      writer.add(new Item(names.get(i), "", ""), latent);
    }
  }
}
