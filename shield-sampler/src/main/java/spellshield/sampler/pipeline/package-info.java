/// Whole pipelines: from a text or a label to pictures outside a protected set.
///
/// [spellshield.sampler.pipeline.DiffusionPipeline] loads a folder,
/// [spellshield.sampler.pipeline.Request] says what to sample,
/// [spellshield.sampler.pipeline.Protection] what to stay out of, and
/// [spellshield.sampler.pipeline.Generated] is what comes of it. How a family of models reads a
/// request and feeds its network is a `Family`; names, types and ranks are the network's own.
@NullMarked
package spellshield.sampler.pipeline;

import org.jspecify.annotations.NullMarked;
