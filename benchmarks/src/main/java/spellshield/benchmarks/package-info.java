/// JMH benchmarks; results are in `benchmarks/RESULTS.md`.
@NullMarked
package spellshield.benchmarks;

import org.jspecify.annotations.NullMarked;
