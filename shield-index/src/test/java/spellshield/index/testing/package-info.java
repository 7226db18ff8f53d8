/// What the tests of every module share.
@NullMarked
package spellshield.index.testing;

import org.jspecify.annotations.NullMarked;
