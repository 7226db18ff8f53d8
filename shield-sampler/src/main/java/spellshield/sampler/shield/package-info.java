/// SPELL: pushes the predicted clean latent out of the balls that it is about to land in.
///
/// With protected latents z_k, radius r and overcompensation λ, the sampler goes on from
///
/// ```text
/// x̂0' = x̂0 + λ·Σ_k relu(r / ‖x̂0 − z_k‖ − 1)·(x̂0 − z_k)
/// ```
///
/// where only the balls that hold x̂0 contribute: nearly always none, so that the cost is the
/// search for them. The z_k are a protected set, the other predictions of the batch, and earlier
/// outputs. Source: Kirchhof et al., "Shielded Diffusion", ICML 2025, arXiv 2410.06025. Start
/// reading at [spellshield.sampler.shield.Shield]. Pushing is no proof: the proof is the guarantee
/// after the last step.
@NullMarked
package spellshield.sampler.shield;

import org.jspecify.annotations.NullMarked;
