/// The protected set: what may not be come near to.
///
/// [spellshield.index.ProtectedSetBuilder] turns latents into a folder: the latents themselves,
/// their sketches, and a graph. [spellshield.index.ProtectedSet] opens it and offers the two
/// searches; [spellshield.index.ProtectedSetEditor] adds to it and takes out of it. Nothing here
/// knows what the latents are of, or that there is such a thing as diffusion.
///
/// Below lie `store` (bytes on disk), `kernel` (fixed arithmetic), `sketch` (small vectors that
/// bound distances), `search` (exact scan and graph) and `linalg` (the door to ND4J).
@NullMarked
package spellshield.index;

import org.jspecify.annotations.NullMarked;
