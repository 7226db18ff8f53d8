/// What the tests of this module share.
@NullMarked
package spellshield.tools.testing;

import org.jspecify.annotations.NullMarked;
