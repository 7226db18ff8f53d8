package spellshield.sampler.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// CLIP's byte-pair encoding: `vocab.json` and `merges.txt`, written as a `tokenizer.json`.
///
/// Text is brought into NFC, runs of white space become a blank, letters small; it is cut into
/// contractions, words, single digits and runs of the rest, whose bytes are merged. The last piece
/// of a word ends in `</w>`. Source: the CLIP converter of the transformers library, and Radford et
/// al. 2021, arXiv 2103.00020, section 2.4.
final class ClipFiles {
  private static final String PIECES =
      "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
  private static final String START = "<|startoftext|>";
  private static final String END = "<|endoftext|>";

  private ClipFiles() {}

  /// Returns the text of a special token, as CLIP has it unless the config says otherwise.
  static String special(TokenizerFolder folder, String name) {
    return folder.special(name).orElse(name.equals("bos_token") ? START : END);
  }

  static ObjectNode tokenizerJson(TokenizerFolder folder) throws IOException {
    JsonNode vocabulary = TokenizerFolder.readJson(folder.file("vocab.json"));
    ObjectNode root = TokenizerFolder.JSON.createObjectNode();
    root.put("version", "1.0");
    root.set("added_tokens", addedTokens(folder, vocabulary));
    normalizer(root.putObject("normalizer"));
    preTokenizer(root.putObject("pre_tokenizer"));
    postProcessor(root.putObject("post_processor"), folder, vocabulary);
    ObjectNode model = root.putObject("model");
    model.put("type", "BPE").put("unk_token", special(folder, "unk_token"));
    model.put("continuing_subword_prefix", "").put("end_of_word_suffix", "</w>");
    model.set("vocab", vocabulary);
    ArrayNode merges = model.putArray("merges");
    List<String> lines = Files.readAllLines(folder.file("merges.txt"));
    for (String line : lines) {
      if (!line.startsWith("#version") && !line.isBlank()) {
        merges.add(line);
      }
    }
    return root;
  }

  private static void normalizer(ObjectNode normalizer) {
    normalizer.put("type", "Sequence");
    ArrayNode parts = normalizer.putArray("normalizers");
    parts.addObject().put("type", "NFC");
    ObjectNode blanks = parts.addObject().put("type", "Replace").put("content", " ");
    blanks.putObject("pattern").put("Regex", "\\s+");
    parts.addObject().put("type", "Lowercase");
  }

  private static void preTokenizer(ObjectNode preTokenizer) {
    preTokenizer.put("type", "Sequence");
    ArrayNode parts = preTokenizer.putArray("pretokenizers");
    ObjectNode split = parts.addObject().put("type", "Split");
    split.put("behavior", "Removed").put("invert", true);
    split.putObject("pattern").put("Regex", PIECES);
    ObjectNode bytes = parts.addObject().put("type", "ByteLevel");
    bytes.put("add_prefix_space", false).put("trim_offsets", true).put("use_regex", true);
  }

  private static void postProcessor(
      ObjectNode processor, TokenizerFolder folder, JsonNode vocabulary) {
    processor.put("type", "RobertaProcessing").put("trim_offsets", false);
    processor.put("add_prefix_space", false);
    String end = special(folder, "eos_token");
    String start = special(folder, "bos_token");
    processor.putArray("sep").add(end).add(id(folder, vocabulary, end));
    processor.putArray("cls").add(start).add(id(folder, vocabulary, start));
  }

  /// Special tokens are never cut or merged. One that pads, `!` in some folders, is found before
  /// the text is normalised and even within a word.
  private static ArrayNode addedTokens(TokenizerFolder folder, JsonNode vocabulary) {
    Set<String> contents = new LinkedHashSet<>();
    for (String name : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
      contents.add(special(folder, name));
    }
    ArrayNode tokens = TokenizerFolder.JSON.createArrayNode();
    for (String content : contents) {
      ObjectNode token = tokens.addObject();
      token.put("id", id(folder, vocabulary, content)).put("content", content);
      boolean normalized = content.startsWith("<|");
      token.put("normalized", normalized).put("special", true);
      for (String flag : List.of("single_word", "lstrip", "rstrip")) {
        token.put(flag, false);
      }
      folder.added(content).ifPresent(said -> token.setAll((ObjectNode) said));
    }
    return tokens;
  }

  private static int id(TokenizerFolder folder, JsonNode vocabulary, String token) {
    if (!vocabulary.path(token).isIntegralNumber()) {
      throw new IllegalArgumentException(
          "%s has no token '%s', which is a special one"
              .formatted(folder.file("vocab.json"), token));
    }
    return vocabulary.path(token).asInt();
  }
}
