package spellshield.sampler.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import spellshield.index.testing.Seeds;
import spellshield.sampler.testing.Shared;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Prompts that the transformers library has tokenized, from the folders of real pipelines.
class TokenizerFixtureTest {
  private static final Map<String, String> FOLDERS =
      Map.of("input_ids", "tokenizer", "input_ids_2", "tokenizer_2", "input_ids_3", "tokenizer_3");

  @ParameterizedTest
  @CsvSource({"tiny-sd, 15", "tiny-sdxl, 28", "tiny-sd3, 42"})
  void tokens_are_those_of_the_reference(String pipeline, int count) throws Exception {
    Path folder = Shared.path("fixtures/" + pipeline);
    JsonNode texts =
        new JsonMapper().readTree(Files.readString(folder.resolve("expected/tokens.json")));
    int compared = 0;
    for (Map.Entry<String, String> encoder : FOLDERS.entrySet()) {
      if (!texts.path(0).has(encoder.getKey())) {
        continue;
      }
      try (Tokenizer tokenizer = Tokenizer.open(folder.resolve(encoder.getValue()))) {
        for (JsonNode text : texts) {
          long[] expected =
              text.path(encoder.getKey()).valueStream().mapToLong(JsonNode::asLong).toArray();
          Tokens tokens = tokenizer.encode(text.path("prompt").asString(), expected.length);
          assertThat(tokens.ids())
              .as("%s: %s", encoder.getValue(), text.path("prompt"))
              .isEqualTo(expected);
          compared++;
        }
      }
    }
    assertThat(compared).isEqualTo(count);
  }

  @Test
  void the_lengths_are_those_of_the_encoders() throws Exception {
    try (Tokenizer clip = Tokenizer.open(Shared.path("fixtures/tiny-sdxl/tokenizer_2"));
        Tokenizer t5 = Tokenizer.open(Shared.path("fixtures/tiny-sd3/tokenizer_3"))) {
      assertThat(clip.modelLength()).isEqualTo(77);
      assertThat(t5.modelLength()).isEqualTo(512);
      assertThat(clip.encode("").ids()).hasSize(77);
    }
  }

  @Test
  void a_sentence_piece_model_alone_gives_the_same_tokens(@TempDir Path folder) throws Exception {
    Path whole = Shared.path("fixtures/tiny-sd3/tokenizer_3");
    for (String name : List.of("spiece.model", "tokenizer_config.json")) {
      Files.copy(whole.resolve(name), folder.resolve(name));
    }
    String alphabet = "the quick Ünïcödé  ﬁ①Ａ\t\n日本😀.,!?'\"<>/0123456789\u00a0\u200bé";
    try (Tokenizer json = Tokenizer.open(whole);
        Tokenizer model = Tokenizer.open(folder)) {
      List<String> texts = new ArrayList<>(List.of("", " ", "<extra_id_7> of", "a</s>b", "<pad>"));
      Seeds.check(
          300,
          random -> {
            StringBuilder text = new StringBuilder();
            int[] points = alphabet.codePoints().toArray();
            for (int i = random.nextInt(60); i > 0; i--) {
              text.appendCodePoint(points[random.nextInt(points.length)]);
            }
            texts.add(text.toString());
          });
      for (String text : texts) {
        assertThat(model.encode(text, 64).ids()).as(text).isEqualTo(json.encode(text, 64).ids());
      }
    }
  }
}
