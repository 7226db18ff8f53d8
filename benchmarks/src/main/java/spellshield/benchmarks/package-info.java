/// JMH benchmarks; results are in `benchmarks/RESULTS.md`.
///
/// Not `@NullMarked` like the other packages: JMH fills the fields of its states after
/// construction.
package spellshield.benchmarks;
