/// JMH benchmarks, run by `./shield bench`; results are in `benchmarks/RESULTS.md`.
///
/// | | what is measured |
/// | --- | --- |
/// | [spellshield.benchmarks.StepQueryBenchmark] | one query of one step: exact, HNSW, candidate lists, brute force; p50 and p99 |
/// | [spellshield.benchmarks.BatchBenchmark] | a query in batches of 1 to 64, on one thread and on all cores |
/// | [spellshield.benchmarks.BuildBenchmark] | codes and graph from stored latents |
/// | [spellshield.benchmarks.ShieldStepBenchmark] | what the shield adds to a step beside the search |
///
/// Start reading at [spellshield.benchmarks.BenchCommand].
///
/// Not `@NullMarked` like the other packages: JMH fills the fields of its states after
/// construction.
package spellshield.benchmarks;
