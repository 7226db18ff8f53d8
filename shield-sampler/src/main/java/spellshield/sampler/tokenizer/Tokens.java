package spellshield.sampler.tokenizer;

/// One text as a text encoder takes it.
///
/// @param ids a fixed number of tokens, start and end included, padded to the right
/// @param attentionMask 1 for tokens of the text, its start and its end, 0 for padding; some
///   encoders are fed without it
/// @param dropped how many tokens did not fit and were left out before the end
public record Tokens(long[] ids, long[] attentionMask, int dropped) {}
