/// Pictures of 8-bit samples, as files hold them.
@NullMarked
package spellshield.sampler.image;

import org.jspecify.annotations.NullMarked;
