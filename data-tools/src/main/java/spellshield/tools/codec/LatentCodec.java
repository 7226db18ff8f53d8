package spellshield.tools.codec;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import spellshield.index.store.LatentSpace;
import spellshield.sampler.Latents;
import spellshield.sampler.codec.AutoencoderCodec;
import spellshield.sampler.codec.Crop;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Resample;

/// The codec of a latent diffusion model: pictures are cropped and encoded by its autoencoder.
///
/// @param autoencoder closed with this codec
/// @param width of the pictures in pixels
/// @param height of the pictures in pixels
/// @param crop how pictures of other sizes are brought to this one
public record LatentCodec(AutoencoderCodec autoencoder, int width, int height, Crop crop)
    implements Codec {

  /// Opens the autoencoder of a model.
  ///
  /// @param model the folder of a diffusers pipeline in ONNX
  /// @param width of the pictures, 0 for the size that the model's config names
  /// @param height of the pictures, 0 for the size that the model's config names
  /// @param crop how pictures of other sizes are brought to this one
  public static LatentCodec open(Path model, int width, int height, Crop crop) throws IOException {
    AutoencoderCodec autoencoder = AutoencoderCodec.open(model);
    try {
      int size = autoencoder.sampleSize();
      if ((width == 0 || height == 0) && size == 0) {
        throw new IllegalArgumentException(
            model + ": the autoencoder's config names no sample_size; give --size");
      }
      LatentCodec codec =
          new LatentCodec(
              autoencoder, width == 0 ? size : width, height == 0 ? size : height, crop);
      codec.space(); // refuses a size that is no multiple of the factor
      return codec;
    } catch (RuntimeException e) {
      autoencoder.close();
      throw e;
    }
  }

  /// Opens the autoencoder of a model for pictures of the size and the crop that a set's have.
  public static LatentCodec open(Path model, LatentSpace space) throws IOException {
    return open(model, space.shape(), Crop.of(space.description()));
  }

  /// Opens the autoencoder of a model for pictures whose latents have a shape.
  public static LatentCodec open(Path model, int[] shape, Crop crop) throws IOException {
    AutoencoderCodec autoencoder = AutoencoderCodec.open(model);
    boolean picture = shape.length == 3;
    int height = picture ? shape[1] * autoencoder.factor() : autoencoder.factor();
    int width = picture ? shape[2] * autoencoder.factor() : autoencoder.factor();
    return new LatentCodec(autoencoder, width, height, crop);
  }

  @Override
  public LatentSpace space() {
    return autoencoder.space(width, height, crop);
  }

  @Override
  public RgbImage prepare(RgbImage image) {
    return Resample.fit(image.withChannels(3), width, height, crop);
  }

  @Override
  public float[] encode(RgbImage image) {
    return encode(List.of(image)).getFirst();
  }

  @Override
  public List<float[]> encode(List<RgbImage> images) {
    if (images.isEmpty()) {
      return List.of();
    }
    List<RgbImage> cropped = images.stream().map(this::prepare).toList();
    Latents latents = autoencoder.encode(cropped);
    List<float[]> rows = new ArrayList<>();
    for (int i = 0; i < latents.batch(); i++) {
      rows.add(latents.row(i));
    }
    return rows;
  }

  @Override
  public RgbImage decode(float[] latent) {
    return autoencoder.decode(new Latents(latent, 1, space().shape())).getFirst();
  }

  @Override
  public void close() {
    autoencoder.close();
  }
}
