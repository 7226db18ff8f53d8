/// Edits: what people do to a picture that stays a copy of it.
///
/// An [spellshield.tools.edit.Edit] takes a picture of the size that the codec encodes and returns
/// one of the same size and channels. It is deterministic: noise is drawn from the seed that is
/// given, and all else from the picture alone. Its name, such as `jpeg:75` or `crop:2%`, reads back
/// as the same edit.
@NullMarked
package spellshield.tools.edit;

import org.jspecify.annotations.NullMarked;
