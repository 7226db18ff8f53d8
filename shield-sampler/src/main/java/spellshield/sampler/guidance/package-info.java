/// What steers a prediction towards its condition: decorators of a [spellshield.sampler.Denoiser].
///
/// They stand between the network and the shield, which sees only their combined prediction and
/// never the two halves of a doubled batch.
@NullMarked
package spellshield.sampler.guidance;

import org.jspecify.annotations.NullMarked;
