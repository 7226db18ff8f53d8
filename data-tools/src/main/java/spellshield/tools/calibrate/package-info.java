/// Calibration: which radius?
///
/// Two sides are measured on samples: how far an edited copy lies from what is protected
/// ([spellshield.tools.calibrate.Calibration.Copies], one for each [spellshield.tools.edit.Edit]),
/// and how far pictures lie that were never protected. A radius that *catches* a copy (the copy is
/// in a ball, as the exact search and an audit judge it) also *blocks* some innocent picture; both
/// shares grow with the radius, and the useful one lies where the first is large and the second
/// small.
///
/// Shares of a sample come with bounds ([spellshield.index.Proportion], Clopper and Pearson), and a
/// radius is recommended by the bounds, not by the shares:
/// [spellshield.tools.calibrate.Calibration#judge]. Start reading there.
@NullMarked
package spellshield.tools.calibrate;

import org.jspecify.annotations.NullMarked;
