/// The protected set.
@NullMarked
package spellshield.index;

import org.jspecify.annotations.NullMarked;
