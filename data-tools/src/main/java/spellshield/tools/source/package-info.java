/// Sources: where pictures, or latents, come from, one at a time and always in the same order.
///
/// Nothing is passed over in silence: what cannot be read is an entry of its own, with the reason,
/// and what is skipped by its name is skipped by one rule ([PicturePath]). Containers are those of
/// strangers: names are only names, headers are checked before they are believed, and a container
/// that lies about itself is refused in one line. Ids and labels do not depend on the container.
/// Start at [spellshield.tools.source.ImageSource], then [spellshield.tools.source.SourceKind],
/// which tells the containers apart.
@NullMarked
package spellshield.tools.source;

import org.jspecify.annotations.NullMarked;
