/// Prompts as numbers: the tokenizers of a pipeline's text encoders, from their folders.
///
/// [Tokenizer#open] reads `tokenizer/`, `tokenizer_2/` or `tokenizer_3/` of a diffusers pipeline
/// and [Tokenizer#encode] gives ids and attention mask of a fixed length, start and end in place:
///
/// ```text
/// "a cat"  →  [start, a, cat, end, pad, pad, …]     mask [1, 1, 1, 1, 0, 0, …]
/// ```
///
/// The work is done by the tokenizers library of Hugging Face, in Rust, which DJL brings to the
/// JVM. It wants a `tokenizer.json`; where a folder has only what older pipelines have (CLIP's
/// `vocab.json` and `merges.txt`, T5's `spiece.model`), one is written in memory, as the library's
/// own converters would. `TokenizerFixtureTest` compares ids with those of the Python library. Why
/// this library: docs/decisions/0006.
@NullMarked
package spellshield.sampler.tokenizer;

import org.jspecify.annotations.NullMarked;
