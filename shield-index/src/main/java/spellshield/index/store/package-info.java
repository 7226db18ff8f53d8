/// Latents on disk.
@NullMarked
package spellshield.index.store;

import org.jspecify.annotations.NullMarked;
