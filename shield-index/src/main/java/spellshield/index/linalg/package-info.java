/// The one door to ND4J: dense matrix products and symmetric eigenvectors.
///
/// Everything that this project asks of a tensor library goes through
/// [spellshield.index.linalg.Matrix], so that a backend (CPU or CUDA) or the library itself can be
/// exchanged in one place. ND4J takes seconds to start; nothing here is touched before it is
/// needed.
@NullMarked
package spellshield.index.linalg;

import org.jspecify.annotations.NullMarked;
