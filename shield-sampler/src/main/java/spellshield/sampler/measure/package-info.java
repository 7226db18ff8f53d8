/// How different the pictures of a set are from each other.
///
/// [spellshield.sampler.measure.Vendi] counts how many truly different rows a set holds, from 1
/// (all alike) to n; [spellshield.sampler.measure.Pairwise] gives the mean distance of two rows.
/// Rows may be latents, or any features; all numbers are float64.
@NullMarked
package spellshield.sampler.measure;

import org.jspecify.annotations.NullMarked;
