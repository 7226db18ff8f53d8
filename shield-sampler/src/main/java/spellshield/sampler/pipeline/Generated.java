package spellshield.sampler.pipeline;

import java.util.Optional;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.image.RgbImage;

/// One result of a pipeline.
///
/// @param picture what the latent decodes to; empty where the request wanted latents only, and for
///   a sample that could not be brought outside, which must not be shown
/// @param sample the latent, its seed, what the shield did, and the certificate, which names the
///   nearest protected item
/// @param parameters how it was made, in the wording that other tools write into the PNG text chunk
///   `parameters`
public record Generated(Optional<RgbImage> picture, Sample sample, String parameters) {}
