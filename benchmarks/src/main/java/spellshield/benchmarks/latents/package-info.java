/// The latents that the search is measured on, made from real ones.
///
/// Start reading at [spellshield.benchmarks.latents.MakeLatents].
@NullMarked
package spellshield.benchmarks.latents;

import org.jspecify.annotations.NullMarked;
