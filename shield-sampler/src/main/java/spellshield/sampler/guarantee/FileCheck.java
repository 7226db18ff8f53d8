package spellshield.sampler.guarantee;

import spellshield.sampler.image.RgbImage;

/// The file that a latent becomes, read again: what a stranger finds in it.
///
/// Where decoding and encoding are not lossless, the latent of the file is not the latent that was
/// sampled, and only a statement about the former can be checked from the file.
public interface FileCheck {

  /// A picture and the latent that it encodes to, `[D]`.
  record Encoded(float[] latent, RgbImage picture) {}

  /// Decodes a latent to 8 bits a sample and encodes the picture again; deterministic.
  Encoded encode(float[] latent);

  /// Returns how far, at most, another machine's encoding of the same picture may lie from this
  /// one's; what is claimed of a file holds with that to spare.
  double tolerance();
}
