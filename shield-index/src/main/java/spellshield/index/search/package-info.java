/// Which protected latents lie within a radius: the exact scan, and Lucene's graph.
///
/// A latent z of scale s is *inside* the ball of radius r around q unless the lower end of the
/// interval that holds `‖q − z‖` is above `s·r`; rounding, of the arithmetic and of float16, never
/// lets one slip out. The scale is 1 unless told ([spellshield.index.store.RadiusScales]). Both
/// searches give their answer as a [spellshield.index.search.Neighborhood]; only the exact one
/// proves that nothing is missing. Start reading at [spellshield.index.search.NeighborSearch].
@NullMarked
package spellshield.index.search;

import org.jspecify.annotations.NullMarked;
