/// Other searches beside ours, on the same latents: Lucene's own queries, JVector's graph, and a
/// set whose latents lie on the edge of the ball.
///
/// A peer that searches sketches proposes candidates ([Candidates]); what lies inside is measured
/// in the full latents, as ours is ([Refined]). Start with [Peers], which knows their names. Those
/// that are no Java programs run in `benchmarks/peers`, on the files that [Heads] writes.
@NullMarked
package spellshield.benchmarks.peers;

import org.jspecify.annotations.NullMarked;
