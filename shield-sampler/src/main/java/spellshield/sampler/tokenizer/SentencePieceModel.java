package spellshield.sampler.tokenizer;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// T5's `spiece.model`, a protocol buffer of SentencePiece, written as a `tokenizer.json`.
///
/// Of the message only pieces with their log-probabilities, the table of the normaliser and the
/// kind of model are read. Source: sentencepiece_model.proto, and the T5 converter of the
/// transformers library.
///
/// @param pieces in the order of their ids
/// @param unknown the id of the piece for what no other holds
/// @param charsMap the normaliser's table; empty for none
record SentencePieceModel(List<Piece> pieces, int unknown, byte[] charsMap) {

  /// A piece and the logarithm of its probability.
  record Piece(String text, float score) {}

  // Field numbers of sentencepiece_model.proto.
  private static final int MODEL_PIECES = 1;
  private static final int MODEL_TRAINER = 2;
  private static final int MODEL_NORMALIZER = 3;
  private static final int PIECE_TEXT = 1;
  private static final int PIECE_SCORE = 2;
  private static final int PIECE_KIND = 3;
  private static final int KIND_UNKNOWN = 2;
  private static final int TRAINER_MODEL = 3;
  private static final int MODEL_UNIGRAM = 1;
  private static final int NORMALIZER_CHARS_MAP = 2;

  /// What stands for a blank, and begins a word.
  private static final String BLANK = "▁";

  /// Reads a model.
  ///
  /// @throws IllegalArgumentException if the bytes are no such message or the model is not unigram
  static SentencePieceModel parse(byte[] bytes) {
    List<Piece> pieces = new ArrayList<>();
    int unknown = -1;
    byte[] charsMap = new byte[0];
    for (Field field : Field.all(bytes)) {
      if (field.number() == MODEL_PIECES) {
        Piece piece = new Piece("", 0);
        for (Field part : Field.all(field.bytes())) {
          switch (part.number()) {
            case PIECE_TEXT -> piece = new Piece(part.text(), piece.score());
            case PIECE_SCORE -> piece = new Piece(piece.text(), Float.intBitsToFloat(part.bits()));
            case PIECE_KIND -> unknown = part.bits() == KIND_UNKNOWN ? pieces.size() : unknown;
            default -> {}
          }
        }
        pieces.add(piece);
      } else if (field.number() == MODEL_TRAINER) {
        requireUnigram(field);
      } else if (field.number() == MODEL_NORMALIZER) {
        for (Field part : Field.all(field.bytes())) {
          charsMap = part.number() == NORMALIZER_CHARS_MAP ? part.bytes() : charsMap;
        }
      }
    }
    if (unknown < 0) {
      throw new IllegalArgumentException("a SentencePiece model needs a piece for the unknown");
    }
    return new SentencePieceModel(pieces, unknown, charsMap);
  }

  private static void requireUnigram(Field trainer) {
    for (Field part : Field.all(trainer.bytes())) {
      if (part.number() == TRAINER_MODEL && part.bits() != MODEL_UNIGRAM) {
        throw new IllegalArgumentException(
            "a SentencePiece model must be unigram, kind 1, but is of kind " + part.bits());
      }
    }
  }

  /// Returns the same tokenizer as JSON.
  ///
  /// @param extraIds how many `<extra_id_…>` follow the pieces, the last first
  ObjectNode tokenizerJson(int extraIds) {
    List<Piece> all = new ArrayList<>(pieces);
    for (int i = extraIds - 1; i >= 0; i--) {
      all.add(new Piece("<extra_id_" + i + ">", 0));
    }
    ObjectNode root = TokenizerFolder.JSON.createObjectNode().put("version", "1.0");
    ArrayNode added = root.putArray("added_tokens");
    List<String> special = List.of("<pad>", "</s>", "<unk>");
    ArrayNode vocabulary = TokenizerFolder.JSON.createArrayNode();
    int end = -1;
    for (int id = 0; id < all.size(); id++) {
      String text = all.get(id).text();
      vocabulary.addArray().add(text).add(all.get(id).score());
      end = text.equals("</s>") ? id : end;
      if (id >= pieces.size() || special.contains(text)) {
        ObjectNode token = added.addObject().put("id", id).put("content", text);
        token.put("single_word", false).put("lstrip", false).put("rstrip", false);
        token.put("normalized", false).put("special", true);
      }
    }
    if (end < 0) {
      throw new IllegalArgumentException("T5's SentencePiece model needs the piece '</s>'");
    }
    normalizer(root.putObject("normalizer"));
    ObjectNode words = root.putObject("pre_tokenizer").put("type", "Metaspace");
    words.put("replacement", BLANK).put("prepend_scheme", "always").put("split", true);
    postProcessor(root.putObject("post_processor"), end);
    ObjectNode model = root.putObject("model").put("type", "Unigram").put("unk_id", unknown);
    model.set("vocab", vocabulary);
    return root;
  }

  private void normalizer(ObjectNode normalizer) {
    ArrayNode parts = normalizer.put("type", "Sequence").putArray("normalizers");
    if (charsMap.length > 0) {
      String table = Base64.getEncoder().encodeToString(charsMap);
      parts.addObject().put("type", "Precompiled").put("precompiled_charsmap", table);
    }
    parts.addObject().put("type", "Strip").put("strip_left", false).put("strip_right", true);
    ObjectNode blanks = parts.addObject().put("type", "Replace").put("content", BLANK);
    blanks.putObject("pattern").put("Regex", " {2,}");
  }

  private static void postProcessor(ObjectNode processor, int end) {
    processor.put("type", "TemplateProcessing");
    for (String kind : List.of("single", "pair")) {
      ArrayNode template = processor.putArray(kind);
      for (String part : kind.equals("single") ? List.of("A") : List.of("A", "B")) {
        template.addObject().putObject("Sequence").put("id", part).put("type_id", 0);
        template.addObject().putObject("SpecialToken").put("id", "</s>").put("type_id", 0);
      }
    }
    ObjectNode token = processor.putObject("special_tokens").putObject("</s>").put("id", "</s>");
    token.putArray("ids").add(end);
    token.putArray("tokens").add("</s>");
  }

  /// One field of a protocol buffer's message.
  ///
  /// @param bits of a number, the lower 32
  /// @param bytes of a text or an inner message; none of a number
  private record Field(int number, int bits, byte[] bytes) {

    String text() {
      return new String(bytes, StandardCharsets.UTF_8);
    }

    static List<Field> all(byte[] message) {
      ByteBuffer buffer = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
      List<Field> fields = new ArrayList<>();
      try {
        while (buffer.hasRemaining()) {
          fields.add(next(buffer));
        }
      } catch (BufferUnderflowException e) {
        throw new IllegalArgumentException("a SentencePiece model that is cut off", e);
      }
      return fields;
    }

    private static Field next(ByteBuffer buffer) {
      int tag = (int) varint(buffer);
      int number = tag >>> 3;
      return switch (tag & 7) {
        case 0 -> new Field(number, (int) varint(buffer), new byte[0]);
        case 1 -> new Field(number, (int) buffer.getLong(), new byte[0]);
        case 2 -> {
          long length = varint(buffer);
          if (length < 0 || length > buffer.remaining()) {
            throw new BufferUnderflowException();
          }
          byte[] bytes = new byte[(int) length];
          buffer.get(bytes);
          yield new Field(number, 0, bytes);
        }
        case 5 -> new Field(number, buffer.getInt(), new byte[0]);
        default ->
            throw new IllegalArgumentException(
                "no SentencePiece model: a field of the wire type " + (tag & 7));
      };
    }

    /// Seven bits a byte, the lowest first, while the eighth is set.
    private static long varint(ByteBuffer buffer) {
      long value = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        byte next = buffer.get();
        value |= (next & 0x7fL) << shift;
        if (next >= 0) {
          return value;
        }
      }
      throw new IllegalArgumentException("no SentencePiece model: a number of more than 64 bits");
    }
  }
}
