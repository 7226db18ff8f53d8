package spellshield.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import spellshield.sampler.guarantee.Certificate;
import spellshield.sampler.guarantee.Sample;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.Png;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes samples as PNG files that carry their certificates, and says what became of each.
///
/// @param output the folder
/// @param list gets an object for each sample
/// @param lines whether a line is printed for each
record SampleWriter(Path output, ArrayNode list, Console console, boolean lines) {

  /// The keyword of the PNG text that holds the certificate.
  static final String CERTIFICATE = "spellshield-certificate";

  /// The keyword of the PNG text that says how a picture was made, as other tools write it.
  static final String PARAMETERS = "parameters";

  /// Reports a sample that could not be brought outside; it is not written.
  void fail(Sample sample) {
    entry(sample).put("failure", sample.failure());
    console.say(
        "shield: seed %d: not written, %s".formatted(sample.requestedSeed(), sample.failure()));
  }

  /// Writes a certified sample.
  ///
  /// @param parameters how it was made; empty for nothing to say
  void write(Sample sample, RgbImage image, String parameters) throws IOException {
    Certificate certificate = sample.certificate().orElseThrow();
    String name = "sample-%d".formatted(sample.requestedSeed());
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    texts.put("Software", "SpellShield");
    if (!parameters.isEmpty()) {
      texts.put(PARAMETERS, parameters + ", SpellShield certificate: " + certificate.id());
    }
    texts.put(CERTIFICATE, certificate.toJson());
    Path picture = output.resolve(name + ".png");
    Files.write(picture, Png.write(image, texts));
    Files.writeString(output.resolve(name + ".json"), certificate.toJson() + "\n");
    ObjectNode entry = entry(sample).put("picture", picture.toString());
    entry.put("nearest", certificate.nearestId()).put("distance", certificate.nearestDistance());
    certificate.file().ifPresent(file -> entry.put("fileDistance", file.nearestDistance()));
    if (lines) {
      console.print(
          "%s  %.4f from %s, pushed at %d of %d steps%s"
              .formatted(
                  picture,
                  certificate.nearestDistance(),
                  certificate.nearestId(),
                  sample.activity().acted(),
                  sample.activity().steps(),
                  certificate
                      .file()
                      .map(file -> "; the file %.4f".formatted(file.nearestDistance()))
                      .orElse("")));
    }
  }

  private ObjectNode entry(Sample sample) {
    ObjectNode entry = list.addObject().put("seed", sample.requestedSeed());
    entry.put("attempts", sample.attempts()).put("pushedSteps", sample.activity().acted());
    entry.put("searches", sample.activity().searches()).put("moved", sample.moved());
    return entry.put("rounds", sample.rounds());
  }
}
