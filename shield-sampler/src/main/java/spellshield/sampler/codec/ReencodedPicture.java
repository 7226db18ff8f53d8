package spellshield.sampler.codec;

import java.util.List;
import spellshield.sampler.Latents;
import spellshield.sampler.guarantee.FileCheck;
import spellshield.sampler.image.RgbImage;

/// Decodes a latent to a picture of 8 bits and encodes that again.
///
/// @param shape of a latent
record ReencodedPicture(AutoencoderCodec codec, int... shape) implements FileCheck {
  @Override
  public Encoded encode(float[] latent) {
    RgbImage picture = codec.decode(new Latents(latent, 1, shape)).getFirst();
    return new Encoded(codec.encode(List.of(picture)).values(), picture);
  }

  @Override
  public double tolerance() {
    return AutoencoderCodec.ENCODER_TOLERANCE;
  }
}
