/// Reports: what people look at.
///
/// [spellshield.tools.report.ContactSheet] draws without fonts of the machine, so that a server
/// without any shows the same as a desktop.
@NullMarked
package spellshield.tools.report;

import org.jspecify.annotations.NullMarked;
