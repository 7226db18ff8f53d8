/// Forbidden balls, and the way out of many at once.
@NullMarked
package spellshield.sampler.ball;

import org.jspecify.annotations.NullMarked;
