/// Denoisers in closed form: what a perfectly trained network would answer for a given data set.
///
/// For data `z_1 … z_K`, each as likely as the other, the mean of what `x_t = x0 + σ·ε` came from
/// is an average of the data, weighted by how well each item explains `x_t`:
///
/// ```text
/// D(x, σ) = Σ_k w_k·z_k,   w = softmax_k(−‖x − z_k‖² / (2σ²))
/// ```
///
/// [spellshield.sampler.denoiser.EmpiricalDenoiser] is exactly that. Sampling with it ends on the
/// data: it memorises, and is the sharpest test a shield can have.
/// [spellshield.sampler.denoiser.LocalEmpiricalDenoiser] weighs every position by a window around
/// it, and so makes new pictures out of pieces; it is a generator that needs no training.
///
/// Both keep the rule of [spellshield.sampler.Denoiser] that a row's bits do not depend on the rest
/// of its batch.
@NullMarked
package spellshield.sampler.denoiser;

import org.jspecify.annotations.NullMarked;
