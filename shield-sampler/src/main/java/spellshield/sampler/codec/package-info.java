/// Autoencoders: pictures to the latents of a diffusion model and back.
///
/// [spellshield.sampler.codec.AutoencoderCodec] owns the range of the pixels, the normalisation of
/// the latents and the fingerprint of their space, of which [spellshield.sampler.codec.Crop] is a
/// part.
@NullMarked
package spellshield.sampler.codec;

import org.jspecify.annotations.NullMarked;
