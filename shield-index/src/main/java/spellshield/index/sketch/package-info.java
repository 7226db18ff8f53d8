/// Small vectors whose distance never exceeds that of the latents.
///
/// With μ the mean, P the d leading principal directions as rows and `ρ(v) = ‖v − PᵀPv‖` the norm
/// of what they drop, the sketch of x is `s(x) = (ρ(x − μ), P(x − μ))`, `d + 1` numbers, and
///
/// ```text
/// ‖s(q) − s(z)‖ ≤ (1 + ε)·‖q − z‖,   ε = ‖PPᵀ − I‖
/// ```
///
/// so everything within a radius can be found by looking at sketches alone, whatever the size of
/// the latents. [spellshield.index.sketch.Sketcher] makes sketches and derives the margin that
/// keeps the inequality true in float32; [spellshield.index.sketch.SketchTable] holds those of a
/// set, in blocks of 64.
@NullMarked
package spellshield.index.sketch;

import org.jspecify.annotations.NullMarked;
