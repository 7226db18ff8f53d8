/// Sources: where pictures come from, one at a time and always in the same order.
///
/// Nothing is passed over in silence: a file that cannot be read is an entry of its own, with the
/// reason, and what is skipped by its name is counted. Start at
/// [spellshield.tools.source.ImageSource].
@NullMarked
package spellshield.tools.source;

import org.jspecify.annotations.NullMarked;
