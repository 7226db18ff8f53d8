package spellshield.benchmarks.latents;

import ai.onnxruntime.OrtException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Item;
import spellshield.index.store.LatentSpace;
import spellshield.index.store.Precision;
import spellshield.index.store.SetWriter;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.RgbImage;

/// The latents that all others are mixed from.
///
/// The 40,000 pictures of tiny-ImageNet through the TAEF2 encoder where both are at hand; else
/// 40,000 draws of a Gaussian whose spectrum is close to theirs.
final class BaseLatents {
  static final int DIM = 2048;
  private static final int COUNT = 40_000;
  private static final int BATCH = 32;

  private BaseLatents() {}

  /// Writes the set of base latents into a folder.
  ///
  /// @param shared holds `data/tiny-imagenet-train.tar` and `models/taef2`, or is absent
  static void write(Path shared, Path folder, Instant created) throws IOException {
    Path tar = shared.resolve("data").resolve("tiny-imagenet-train.tar");
    Path model =
        shared.resolve("models").resolve("taef2").resolve("vae_encoder").resolve("model.onnx");
    boolean real = Files.exists(tar) && Files.exists(model);
    LatentSpace space =
        new LatentSpace(real ? "taef2 64x64" : "gaussian stand-in", new int[] {32, 8, 8});
    try (SetWriter writer = SetWriter.begin(DiskStorage.at(folder), space, Precision.FLOAT32)) {
      if (real) {
        encode(tar, model, writer);
      } else {
        System.err.println(tar + " is absent: a Gaussian with its spectrum stands in");
        draw(writer);
      }
      writer.commit(Map.of(), created);
    } catch (OrtException e) {
      throw new IOException("the encoder failed: " + e.getMessage(), e);
    }
  }

  private static void encode(Path tar, Path model, SetWriter writer)
      throws IOException, OrtException {
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

  /// Draws latents whose standard deviation falls with the index as that of the real ones does: the
  /// leading 16 of 2,048 directions hold .19 of the variance, 64 hold .38, and the typical distance
  /// is 52.
  private static void draw(SetWriter writer) throws IOException {
    double[] deviation = new double[DIM];
    double sum = 0;
    for (int i = 0; i < DIM; i++) {
      deviation[i] = Math.pow(i + 4.0, -0.5);
      sum += deviation[i] * deviation[i];
    }
    double scale = 52 / Math.sqrt(2 * sum);
    SplittableRandom random = new SplittableRandom(0xba5e);
    float[] latent = new float[DIM];
    for (int item = 0; item < COUNT; item++) {
      for (int i = 0; i < DIM; i++) {
        latent[i] = (float) (scale * deviation[i] * random.nextGaussian());
      }
      writer.add(new Item("draw-%d".formatted(item), "", ""), latent);
    }
  }
}
