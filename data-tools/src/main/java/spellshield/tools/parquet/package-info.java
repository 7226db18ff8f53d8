/// Pictures in parquet files as Hugging Face's `datasets` writes them: the only door to Hardwood.
///
/// A footer is checked before a page is read, pictures come a few at a time, whatever the size of
/// the file and its row groups, and whatever the library throws at a damaged file is an
/// [java.io.IOException] of one line. Start at [spellshield.tools.parquet.ParquetPictures].
@NullMarked
package spellshield.tools.parquet;

import org.jspecify.annotations.NullMarked;
