/// Codecs: from pictures to latents and back.
///
/// A [spellshield.tools.codec.Codec] owns everything between a picture and a latent: the crop, the
/// range, the normalisation. Its [spellshield.index.store.LatentSpace] names all of that, so a set
/// encoded by one codec is never searched with another.
///
/// [spellshield.tools.codec.PixelCodec] takes the pixels themselves for the latent.
@NullMarked
package spellshield.tools.codec;

import org.jspecify.annotations.NullMarked;
