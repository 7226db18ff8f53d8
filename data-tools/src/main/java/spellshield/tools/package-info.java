/// The command line: images in, protected sets, samples, audits and certificates out.
///
/// The only module that prints, reads the clock, and ends the process. Results go to standard
/// output, talk to standard error; `--json` makes the result one JSON object. Start reading at
/// [spellshield.tools.Main].
@NullMarked
package spellshield.tools;

import org.jspecify.annotations.NullMarked;
