/// After the last step: out of every ball, and a proof of it.
///
/// [spellshield.sampler.guarantee.Guarantee] moves a finished latent to the nearest point it can
/// find outside all balls, checks it exactly, and [spellshield.sampler.guarantee.Certificate]
/// states what was checked:
///
/// ```text
/// ‖x0 − z_k‖ ≥ s_k·lower > s_k·r     for every latent z_k of the named set, s_k = 1 unless told
/// ```
///
/// [spellshield.sampler.guarantee.ShieldedSampler] is the whole run: noise, sampler, shield,
/// guarantee.
@NullMarked
package spellshield.sampler.guarantee;

import org.jspecify.annotations.NullMarked;
