/// Sampling: a [spellshield.sampler.Denoiser] predicts the clean latent, a sampler steps towards
/// it.
///
/// Everything works in the coordinates of the noise level σ: `x_t = x0 + σ·ε`, `ε ~ N(0, I)`. A
/// network that was trained on `α·x0 + s·ε` sees `α·x_t` with `σ = s/α`. Guidance, particle
/// guidance and the shield are decorators of the denoiser, the shield last, so that samplers know
/// none of them.
@NullMarked
package spellshield.sampler;

import org.jspecify.annotations.NullMarked;
