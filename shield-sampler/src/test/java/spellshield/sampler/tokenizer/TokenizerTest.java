package spellshield.sampler.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.testing.Seeds;
import tools.jackson.databind.json.JsonMapper;

/// Vocabularies of a few dozen pieces, in which every id can be worked out by hand.
class TokenizerTest {
  private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789!?.,'";

  @TempDir private Path folder;

  private final Map<String, Integer> ids = new LinkedHashMap<>();

  private int add(String piece) {
    ids.putIfAbsent(piece, ids.size());
    return id(piece);
  }

  private int id(String piece) {
    Integer id = ids.get(piece);
    assertThat(id).as(piece).isNotNull();
    return id == null ? -1 : id;
  }

  /// Letters within and at the end of a word, and `cat` from the merges c+a and ca+t.
  private Path clip(String config) throws Exception {
    add("!");
    for (int i = 0; i < LETTERS.length(); i++) {
      String letter = LETTERS.substring(i, i + 1);
      add(letter);
      add(letter + "</w>");
    }
    for (String piece : List.of("ca", "cat</w>", "!!</w>", "<|startoftext|>", "<|endoftext|>")) {
      add(piece);
    }
    Files.writeString(folder.resolve("vocab.json"), new JsonMapper().writeValueAsString(ids));
    Files.writeString(folder.resolve("merges.txt"), "#version: 0.2\nc a\nca t</w>\n! !</w>\n\n");
    Files.writeString(folder.resolve("tokenizer_config.json"), config);
    return folder;
  }

  private long[] clipIds(int length, String padding, String... pieces) {
    List<String> all = new ArrayList<>(List.of("<|startoftext|>"));
    all.addAll(List.of(pieces));
    all.add("<|endoftext|>");
    while (all.size() < length) {
      all.add(padding);
    }
    return all.stream().mapToLong(this::id).toArray();
  }

  @Test
  void clip_cuts_words_and_merges_their_letters() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.open(clip("{}"))) {
      Map<String, List<String>> expected = new LinkedHashMap<>();
      expected.put("", List.of());
      expected.put("cat", List.of("cat</w>"));
      expected.put(" CAT\t\n cat ", List.of("cat</w>", "cat</w>"));
      expected.put("cab", List.of("ca", "b</w>"));
      expected.put("cat's", List.of("cat</w>", "'", "s</w>"));
      expected.put("cat12", List.of("cat</w>", "1</w>", "2</w>"));
      expected.put("cat!!", List.of("cat</w>", "!!</w>"));
      expected.put("cat<|endoftext|>cat", List.of("cat</w>", "<|endoftext|>", "cat</w>"));
      expected.put("猫", List.of("<|endoftext|>", "<|endoftext|>", "<|endoftext|>"));
      for (Map.Entry<String, List<String>> text : expected.entrySet()) {
        Tokens tokens = tokenizer.encode(text.getKey(), 9);
        String[] pieces = text.getValue().toArray(String[]::new);
        assertThat(tokens.ids()).as(text.getKey()).isEqualTo(clipIds(9, "<|endoftext|>", pieces));
        assertThat(Arrays.stream(tokens.attentionMask()).sum()).isEqualTo(pieces.length + 2);
        assertThat(tokens.dropped()).isEqualTo(0);
      }
      assertThat(tokenizer.modelLength()).isEqualTo(77);
    }
  }

  @Test
  void composed_and_decomposed_letters_are_one() throws Exception {
    add("Ã©</w>"); // the two bytes of é, as byte-level pieces write them, without their merge
    try (Tokenizer tokenizer = Tokenizer.open(clip("{}"))) {
      assertThat(tokenizer.encode("cafe\u0301", 12))
          .usingRecursiveComparison()
          .isEqualTo(tokenizer.encode("café", 12));
    }
  }

  @Test
  void a_padding_that_is_a_mark_is_never_merged() throws Exception {
    Path plain = clip("{\"pad_token\": \"!\", \"model_max_length\": 8}");
    try (Tokenizer tokenizer = Tokenizer.open(plain)) {
      assertThat(tokenizer.modelLength()).isEqualTo(8);
      assertThat(tokenizer.encode("cat!!").ids()).isEqualTo(clipIds(8, "!", "cat</w>", "!", "!"));
      assertThat(tokenizer.encode("cat!!").attentionMask()).containsExactly(1, 1, 1, 1, 1, 0, 0, 0);
    }
  }

  @Test
  void a_long_text_is_cut_before_its_end() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.open(clip("{}"))) {
      Tokens tokens = tokenizer.encode("cat a b c d", 5);
      assertThat(tokens.ids()).isEqualTo(clipIds(5, "", "cat</w>", "a</w>", "b</w>"));
      assertThat(tokens.attentionMask()).containsExactly(1, 1, 1, 1, 1);
      assertThat(tokens.dropped()).isEqualTo(2);
      assertThat(tokenizer.encode("cat cat", 2).ids()).isEqualTo(clipIds(2, ""));
      assertThat(tokenizer.encode("cat cat", 4).dropped()).isEqualTo(0);
    }
  }

  @Test
  void any_text_has_a_start_an_end_and_the_length_that_was_asked_for() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.open(clip("{}"))) {
      Seeds.check(
          300,
          random -> {
            char[] chars = new char[random.nextInt(200)];
            for (int i = 0; i < chars.length; i++) {
              // Halves of surrogate pairs, zeros and all.
              chars[i] =
                  (char) (random.nextBoolean() ? random.nextInt(128) : random.nextInt(1 << 16));
            }
            int length = random.nextInt(2, 100);
            Tokens tokens = tokenizer.encode(new String(chars), length);
            int used = (int) Arrays.stream(tokens.attentionMask()).sum();
            assertThat(tokens.ids()).hasSize(length);
            assertThat(tokens.ids()[0]).isEqualTo(id("<|startoftext|>"));
            assertThat(tokens.ids()[used - 1]).isEqualTo(id("<|endoftext|>"));
            assertThat(tokens.dropped() > 0 ? used : length).isEqualTo(length);
          });
    }
  }

  @Test
  void threads_may_share_a_tokenizer() throws Exception {
    try (Tokenizer tokenizer = Tokenizer.open(clip("{}"))) {
      List<long[]> alone =
          IntStream.range(0, 200).mapToObj(i -> tokenizer.encode("cat " + i, 9).ids()).toList();
      List<long[]> together =
          IntStream.range(0, 200)
              .parallel()
              .mapToObj(i -> tokenizer.encode("cat " + i, 9).ids())
              .toList();
      assertThat(together).usingRecursiveComparison().isEqualTo(alone);
    }
  }

  /// A model of a few pieces as SentencePiece stores it.
  private static byte[] sentencePiece(int kind, boolean unknown) {
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    List<String> pieces = List.of("<pad>", "</s>", "<unk>", "▁", "▁cat", "c", "a", "t", "s");
    for (int id = 0; id < pieces.size(); id++) {
      ByteArrayOutputStream piece = new ByteArrayOutputStream();
      field(piece, 1, pieces.get(id).getBytes(StandardCharsets.UTF_8));
      piece.write(2 << 3 | 5);
      ByteBuffer score = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      piece.writeBytes(score.putFloat(id < 3 ? 0 : -id).array());
      piece.writeBytes(new byte[] {3 << 3, (byte) (id < 2 ? 3 : id == 2 && unknown ? 2 : 1)});
      field(model, 1, piece.toByteArray());
    }
    field(model, 2, new byte[] {3 << 3, (byte) kind});
    return model.toByteArray();
  }

  private static void field(ByteArrayOutputStream out, int number, byte[] bytes) {
    out.write(number << 3 | 2);
    out.write(bytes.length); // all are shorter than 128
    out.writeBytes(bytes);
  }

  @Test
  void t5_takes_the_likeliest_pieces() throws Exception {
    Files.write(folder.resolve("spiece.model"), sentencePiece(1, true));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"tokenizer_class\": \"T5Tokenizer\", \"extra_ids\": 2, \"pad_token\": \"<pad>\"}");
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      assertThat(tokenizer.encode("", 4).ids()).containsExactly(1, 0, 0, 0);
      assertThat(tokenizer.encode("cats", 5).ids()).containsExactly(4, 8, 1, 0, 0);
      assertThat(tokenizer.encode("a   cat  ", 6).ids()).containsExactly(3, 6, 4, 1, 0, 0);
      assertThat(tokenizer.encode("dog", 4).ids()).containsExactly(3, 2, 1, 0);
      // The extra ids follow the nine pieces, the last first.
      assertThat(tokenizer.encode("<extra_id_0>", 3).ids()).startsWith(10);
      assertThat(tokenizer.encode("cats", 5).attentionMask()).containsExactly(1, 1, 1, 0, 0);
      assertThat(tokenizer.modelLength()).isEqualTo(512);
    }
  }

  @Test
  void a_broken_sentence_piece_model_is_refused() throws Exception {
    byte[] good = sentencePiece(1, true);
    for (int length = 1; length < good.length; length += 7) {
      Files.write(folder.resolve("spiece.model"), Arrays.copyOf(good, length));
      int end = length;
      // Cut between two pieces it is a smaller model, which may lack what a model needs.
      try (Tokenizer tokenizer = Tokenizer.open(folder)) {
        assertThat(tokenizer.encode("cat", 3).ids()).as("%d", end).hasSize(3);
      } catch (IllegalArgumentException e) {
        assertThat(e).hasMessageStartingWith(folder.resolve("spiece.model") + ": ");
      }
    }
    Files.write(folder.resolve("spiece.model"), sentencePiece(2, true));
    assertRefused("kind 2");
    Files.write(folder.resolve("spiece.model"), sentencePiece(1, false));
    assertRefused("unknown");
  }

  @Test
  void folders_that_are_no_tokenizer_are_refused() throws Exception {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tokenizer.open(folder.resolve("none")))
        .withMessageContaining("is not a folder");
    assertRefused("no tokenizer.json and no spiece.model");
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"CLIPTokenizer\"}");
    assertRefused("merges.txt");
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"tokenizer_class\": \"LlamaTokenizer\"}");
    assertRefused("'LlamaTokenizer' is not supported; supported: CLIPTokenizer, T5Tokenizer");
    Files.writeString(folder.resolve("tokenizer_config.json"), "[");
    assertRefused("tokenizer_config.json: no JSON");
    Files.writeString(folder.resolve("tokenizer_config.json"), "[]");
    assertRefused("JSON object");
    Files.delete(folder.resolve("tokenizer_config.json"));
    Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": 3}");
    assertRefused("the tokenizer cannot be read");
    clip("{\"bos_token\": \"<s>\"}");
    assertRefused("no token '<s>'");
  }

  private void assertRefused(String message) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tokenizer.open(folder).close())
        .withMessageContaining(message)
        .withMessageContaining(folder.toString());
  }

  @Test
  void a_closed_tokenizer_and_a_length_without_room_are_refused() throws Exception {
    Tokenizer tokenizer = Tokenizer.open(clip("{}"));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> tokenizer.encode("cat", 1))
        .withMessageContaining("length must be at least 2, but was 1");
    tokenizer.close();
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> tokenizer.encode("cat"));
  }
}
