package spellshield.index.store;

import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/// What a latent belongs to.
///
/// @param id unique in its set, 1 to 1,000 bytes of UTF-8, no control characters: it stands in logs
///   and certificates
/// @param source where the image came from, such as a path; may be empty, at most 4,096 bytes
/// @param label such as its class; may be empty, at most 4,096 bytes
/// @param sha256 of the file that the image was stored in, 64 hex digits; empty where it is not
///   known
/// @param edit what was done to the image before it was encoded, such as `mirror`; empty for the
///   image itself, at most 1,000 bytes
public record Item(String id, String source, String label, String sha256, String edit) {
  public Item {
    if (id.isEmpty() || id.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException(
          "an id has at least 1 character and no control characters, but was '%s'".formatted(id));
    }
    requireText("id", id, 1_000);
    requireText("source", source, 4_096);
    requireText("label", label, 4_096);
    requireText("edit", edit, 1_000);
    if (!sha256.isEmpty()) {
      FileEntry.requireSha256("item '%s'".formatted(id), sha256);
    }
  }

  /// An image of which no more is known.
  public Item(String id, String source, String label) {
    this(id, source, label, "", "");
  }

  /// Returns whether this is an edited copy of the image that has this id.
  public boolean isVariant() {
    return !edit.isEmpty();
  }

  /// Returns the same image with an edit.
  public Item withEdit(String other) {
    return new Item(id, source, label, sha256, other);
  }

  private static void requireText(String name, String text, int limit) {
    int length;
    try {
      length = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text)).remaining();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          "%s must be well-formed Unicode, but half of a surrogate pair is missing: '%s'"
              .formatted(name, text),
          e);
    }
    if (length > limit) {
      throw new IllegalArgumentException(
          "%s must be at most %d bytes of UTF-8, but was %d: '%.60s…'"
              .formatted(name, limit, length, text));
    }
  }
}
