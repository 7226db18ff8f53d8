package spellshield.sampler.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// The tokenizer of one text encoder: CLIP's byte pairs or T5's unigrams.
///
/// Holds native memory until it is closed. Safe for several threads.
public final class Tokenizer implements AutoCloseable {

  /// What CLIP's text encoders were trained on.
  private static final int CLIP_LENGTH = 77;

  private static final int T5_LENGTH = 512;

  static {
    // DJL looks for a native library that fits a CUDA it finds, and would download it. Offline, it
    // takes the one from its jar.
    if (System.getProperty("ai.djl.offline") == null) {
      System.setProperty("ai.djl.offline", "true");
    }
  }

  private final HuggingFaceTokenizer library;
  private final int modelLength;
  private final long padding;

  private Tokenizer(HuggingFaceTokenizer library, int modelLength, long padding) {
    this.library = library;
    this.modelLength = modelLength;
    this.padding = padding;
  }

  /// Opens the tokenizer of a folder.
  ///
  /// @param folder with `vocab.json` and `merges.txt` (CLIP), `spiece.model` (T5) or
  ///   `tokenizer.json`, and usually a `tokenizer_config.json`
  /// @throws IOException if a file cannot be read
  /// @throws IllegalArgumentException if files are missing or make no sense, or the class is
  ///   neither
  public static Tokenizer open(Path folder) throws IOException {
    TokenizerFolder files = TokenizerFolder.of(folder);
    boolean clipFiles = files.has("vocab.json") && files.has("merges.txt");
    String guess = clipFiles ? "CLIPTokenizer" : "T5Tokenizer";
    String name = files.config().path("tokenizer_class").asString(guess);
    return switch (name) {
      case "CLIPTokenizer", "CLIPTokenizerFast" -> {
        if (!clipFiles && !files.has("tokenizer.json")) {
          throw files.missing("vocab.json with a merges.txt, and no tokenizer.json");
        }
        String json = clipFiles ? ClipFiles.tokenizerJson(files).toString() : json(files);
        String pad = ClipFiles.special(files, "pad_token");
        yield of(files, json, files.modelLength(CLIP_LENGTH), pad);
      }
      case "T5Tokenizer", "T5TokenizerFast" -> {
        String json = files.has("tokenizer.json") ? json(files) : sentencePiece(files);
        String pad = files.special("pad_token").orElse("<pad>");
        yield of(files, json, files.modelLength(T5_LENGTH), pad);
      }
      default ->
          throw new IllegalArgumentException(
              "%s: the tokenizer class '%s' is not supported; supported: CLIPTokenizer, T5Tokenizer"
                  .formatted(folder, name));
    };
  }

  private static String json(TokenizerFolder files) throws IOException {
    return Files.readString(files.file("tokenizer.json"));
  }

  private static String sentencePiece(TokenizerFolder files) throws IOException {
    if (!files.has("spiece.model")) {
      throw files.missing("tokenizer.json and no spiece.model");
    }
    JsonNode extra = files.config().path("extra_ids");
    try {
      return SentencePieceModel.parse(Files.readAllBytes(files.file("spiece.model")))
          .tokenizerJson(extra.canConvertToInt() ? extra.asInt() : 100)
          .toString();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(files.file("spiece.model") + ": " + e.getMessage(), e);
    }
  }

  private static Tokenizer of(TokenizerFolder files, String json, int modelLength, String pad)
      throws IOException {
    // Length and padding are seen to here; what the file says of them must not come first.
    Map<String, String> options = Map.of("padding", "false", "truncation", "false");
    HuggingFaceTokenizer library;
    try {
      library =
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)), options);
    } catch (RuntimeException e) { // what the native code throws
      throw new IllegalArgumentException(
          "%s: the tokenizer cannot be read: %s".formatted(files.folder(), e.getMessage()), e);
    }
    long[] padding = library.encode(pad, false, false).getIds();
    if (padding.length != 1) {
      library.close();
      throw new IllegalArgumentException(
          "%s: the padding must be one token, but '%s' is %d"
              .formatted(files.folder(), pad, padding.length));
    }
    return new Tokenizer(library, modelLength, padding[0]);
  }

  /// Returns the number of tokens that the encoder was trained on, start and end included.
  public int modelLength() {
    return modelLength;
  }

  /// Returns a text of the length that the encoder was trained on.
  public Tokens encode(String text) {
    return encode(text, modelLength);
  }

  /// Returns a text as `length` tokens: padded if it is shorter, cut before its end token if
  /// longer.
  ///
  /// Half a surrogate pair, which no text should hold, counts as a question mark.
  ///
  /// @param length at least 2
  public Tokens encode(String text, int length) {
    if (length < 2) {
      throw new IllegalArgumentException("length must be at least 2, but was " + length);
    }
    String sound = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    long[] all = library.encode(sound, true, false).getIds();
    int used = Math.min(all.length, length);
    long[] ids = Arrays.copyOf(all, length);
    ids[used - 1] = all[all.length - 1]; // the end stays
    Arrays.fill(ids, used, length, padding);
    long[] mask = new long[length];
    Arrays.fill(mask, 0, used, 1);
    return new Tokens(ids, mask, all.length - used);
  }

  @Override
  public void close() {
    library.close();
  }
}
