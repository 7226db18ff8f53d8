/// The command line.
@NullMarked
package spellshield.tools;

import org.jspecify.annotations.NullMarked;
