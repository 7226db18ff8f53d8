package spellshield.tools.codec;

import java.util.List;
import spellshield.index.store.LatentSpace;
import spellshield.sampler.image.RgbImage;

/// From pictures to latents and back.
///
/// Any number of threads may use one codec.
public interface Codec extends AutoCloseable {

  /// Returns the space of this codec's latents.
  LatentSpace space();

  /// Returns a picture of any size as it is encoded: cropped and scaled to the codec's size, with
  /// its channels.
  RgbImage prepare(RgbImage image);

  /// Returns the latent of a picture of any size, `[C, H, W]` flat.
  float[] encode(RgbImage image);

  /// Returns the latents of pictures of any sizes, in their order; faster than one at a time where
  /// a network encodes.
  default List<float[]> encode(List<RgbImage> images) {
    return images.stream().map(this::encode).toList();
  }

  /// Returns the picture of a latent, 8 bits a sample.
  ///
  /// @param latent `[C, H, W]` flat; not changed
  /// @throws IllegalArgumentException if its length is not the space's, or a value is NaN
  RgbImage decode(float[] latent);

  /// Returns what is left of a latent that goes out as a picture and is read again.
  default float[] roundTrip(float[] latent) {
    return encode(decode(latent));
  }

  /// Gives back what the codec holds; nothing unless it says so.
  @Override
  default void close() {}
}
