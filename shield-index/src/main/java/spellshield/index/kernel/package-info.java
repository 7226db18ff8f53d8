/// The arithmetic of the search, fixed to the bit.
///
/// Every function has two bodies: one for the Vector API and a scalar twin that reads like the
/// formula. Both add in the same written order with separate multiplications and additions (never
/// fused, never a lane reduction), so that a result has the same bits on every instruction set,
/// before and after the JIT takes over, and with or without the module `jdk.incubator.vector`.
/// Start reading at [spellshield.index.kernel.Distance], which says what a distance is here and how
/// far it may be off.
@NullMarked
package spellshield.index.kernel;

import org.jspecify.annotations.NullMarked;
