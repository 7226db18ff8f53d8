package spellshield.tools;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What became of the entries of a source so far.
///
/// @param entries that were taken, in order
/// @param pictures that are protected
/// @param duplicates of these, those that share the latent of an equal file
/// @param variants latents of edited copies
/// @param leftOut entries that could not be read
record Tally(long entries, long pictures, long duplicates, long variants, long leftOut) {
  static final Tally NONE = new Tally(0, 0, 0, 0, 0);

  Tally plus(Tally more) {
    return new Tally(
        entries + more.entries,
        pictures + more.pictures,
        duplicates + more.duplicates,
        variants + more.variants,
        leftOut + more.leftOut);
  }

  /// One more entry that was left out.
  Tally andLeftOut() {
    return new Tally(entries + 1, pictures, duplicates, variants, leftOut + 1);
  }

  /// One more picture that shares the latent of an equal file.
  Tally andDuplicate() {
    return new Tally(entries + 1, pictures + 1, duplicates + 1, variants, leftOut);
  }

  /// One more picture with a latent of its own, and edited copies of it.
  Tally andPicture(int copies) {
    return new Tally(entries + 1, pictures + 1, duplicates, variants + copies, leftOut);
  }

  ObjectNode print() {
    ObjectNode json = Json.object();
    json.put("entries", entries).put("pictures", pictures).put("duplicates", duplicates);
    return json.put("variants", variants).put("leftOut", leftOut);
  }

  static Tally parse(JsonNode json) {
    return new Tally(
        json.get("entries").longValue(),
        json.get("pictures").longValue(),
        json.get("duplicates").longValue(),
        json.get("variants").longValue(),
        json.get("leftOut").longValue());
  }

  /// Returns the counts in words: `1,871 pictures protected, 2 left out`, and what else there is.
  ///
  /// @param done such as `protected`
  String inWords(String done) {
    return "%,d pictures %s%s%s, %d left out"
        .formatted(
            pictures,
            done,
            duplicates == 0
                ? ""
                : ", %,d of them equal files that share a latent".formatted(duplicates),
            variants == 0 ? "" : ", with %,d edited copies".formatted(variants),
            leftOut);
  }
}
