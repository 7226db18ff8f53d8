/// Which protected latents lie within a radius: the exact scan, and Lucene's graph.
///
/// A latent z is *inside* the ball of radius r around q unless the lower end of the interval that
/// holds `‖q − z‖` is above r; rounding, of the arithmetic and of float16, never lets one slip out.
/// Both searches give their answer as a [spellshield.index.search.Neighborhood]; only the exact one
/// proves that nothing is missing. Start reading at [spellshield.index.search.NeighborSearch].
@NullMarked
package spellshield.index.search;

import org.jspecify.annotations.NullMarked;
