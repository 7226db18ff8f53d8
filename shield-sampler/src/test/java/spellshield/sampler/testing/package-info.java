/// What several tests use.
@NullMarked
package spellshield.sampler.testing;

import org.jspecify.annotations.NullMarked;
