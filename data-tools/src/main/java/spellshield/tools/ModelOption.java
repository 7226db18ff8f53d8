package spellshield.tools;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import spellshield.index.FingerprintMismatchException;
import spellshield.index.store.LatentSpace;
import spellshield.tools.codec.Codec;
import spellshield.tools.codec.LatentCodec;
import spellshield.tools.codec.PixelCodec;

/// The model whose autoencoder makes the latents of a set; without one the pixels are the latent.
final class ModelOption {
  @Option(
      names = {"-m", "--model"},
      paramLabel = "FOLDER",
      description =
          "A diffusers pipeline in ONNX, whose autoencoder makes the latents (docs/models.md). Unless"
              + " told, the pixels are the latents.")
  private @Nullable Path model;

  @Nullable Path folder() {
    return model;
  }

  /// Returns the codec of a set that exists.
  ///
  /// @throws FingerprintMismatchException if the model's latents are of another space
  Codec of(LatentSpace space) throws IOException {
    if (model == null) {
      if (space.description().startsWith("autoencoder-v1 ")) {
        throw new IllegalArgumentException(
            "the set holds latents of an autoencoder; name the model's folder with --model");
      }
      return PixelCodec.parse(space.description());
    }
    Codec codec = LatentCodec.open(model, space);
    if (!codec.space().fingerprint().equals(space.fingerprint())) {
      codec.close();
      throw new FingerprintMismatchException(space, codec.space());
    }
    return codec;
  }
}
