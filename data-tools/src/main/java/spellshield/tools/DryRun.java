package spellshield.tools;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;
import spellshield.index.ItemSink;
import spellshield.index.store.Item;
import spellshield.index.store.Precision;
import spellshield.tools.codec.Codec;
import spellshield.tools.edit.Edit;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.LatentSource;
import spellshield.tools.source.Stored;
import tools.jackson.databind.node.ObjectNode;

/// What a build would take, from a sample of it.
///
/// @param entries of the source
/// @param latents that the set would have, were all of them different pictures that can be read
/// @param bytes of the set, sketches and graph included
/// @param perSecond pictures that were decoded and encoded in a second here
/// @param idleShare the share of the time in which the encoder waited for them
/// @param encodeSeconds for all entries
record DryRun(
    long entries,
    long latents,
    long bytes,
    double perSecond,
    double idleShare,
    double encodeSeconds) {

  /// How many pictures are encoded to see how long it takes.
  static final int SAMPLE = 256;

  /// Of these, how many the JIT and the encoder warm up with.
  private static final int WARM_UP = 64;

  /// Codes, order and boxes of an item in its sketch, and its node in the graph with its vector.
  private static final int INDEX_BYTES = 135 + 256 + 80;

  /// The bytes of an item's record.
  private static final int RECORD_BYTES = 160;

  /// Encodes a sample of pictures.
  static DryRun of(
      ImageSource source,
      Codec codec,
      List<Edit> variants,
      Precision precision,
      SetBuild.Range range)
      throws IOException {
    long entries = entries(source, range);
    encode(source, codec, variants, range.from(), Math.min(WARM_UP, entries / 2));
    long from = range.from() + Math.min(WARM_UP, entries / 2);
    long count = Math.min(entries - (from - range.from()), SAMPLE - WARM_UP);
    long start = System.nanoTime();
    double idle = encode(source, codec, variants, from, count);
    double seconds = (System.nanoTime() - start) / 1e9;
    double rate = count / seconds;
    long latents = entries * (1 + variants.size());
    long bytes = latents * rowBytes(codec.space().dim(), precision);
    return new DryRun(entries, latents, bytes, rate, idle, entries / rate);
  }

  /// Looks at latents, which need no encoder.
  static DryRun of(LatentSource source, Precision precision, SetBuild.Range range)
      throws IOException {
    OptionalLong count = source.count();
    if (count.isEmpty()) {
      throw new IOException("this source does not say how many latents it has");
    }
    long entries = Math.min(range.end(), count.getAsLong()) - range.from();
    int dim = Arrays.stream(source.shape()).reduce(1, Math::multiplyExact);
    return new DryRun(entries, entries, entries * rowBytes(dim, precision), 0, 0, 0);
  }

  private static long rowBytes(int dim, Precision precision) {
    return (long) dim * precision.bits() / 8 + 8 + RECORD_BYTES + INDEX_BYTES;
  }

  private static long entries(ImageSource source, SetBuild.Range range) {
    long all =
        source
            .count()
            .orElseGet(() -> {
              try (Stream<Stored> entries = source.stored(0)) {
                return entries.count();
              }
            });
    return Math.max(0, Math.min(range.end(), all) - range.from());
  }

  private static double encode(
      ImageSource source, Codec codec, List<Edit> variants, long from, long count)
      throws IOException {
    Tally before = new Tally(from, 0, 0, 0, 0);
    Encoding encoding =
        new Encoding(codec, variants, new Nowhere(), line -> {}, (tally, last) -> {}, before);
    encoding.run(source, from + count, true);
    return encoding.idleShare();
  }

  /// Where latents go that were made to see how long it takes.
  private static final class Nowhere implements ItemSink {
    @Override
    public void add(Item item, float[] latent) {}

    @Override
    public OptionalLong holding(String sha256) {
      return OptionalLong.empty();
    }

    @Override
    public void join(Item item, long number) {}

    @Override
    public boolean contains(String id) {
      return false;
    }
  }

  ObjectNode print() {
    ObjectNode json = Json.object();
    json.put("entries", entries).put("latents", latents).put("bytes", bytes);
    json.put("picturesPerSecond", perSecond).put("encoderIdle", idleShare);
    return json.put("encodeSeconds", encodeSeconds);
  }

  @Override
  public String toString() {
    String size =
        "%,d entries, %,d latents, about %,.1f MB on disk".formatted(entries, latents, bytes / 1e6);
    return perSecond == 0
        ? size + "; no encoder runs"
        : "%s; %.1f pictures/s here, %s to encode them all; the encoder would wait %.0f %% of the time; nothing was written"
            .formatted(size, perSecond, Progress.duration(encodeSeconds), 100 * idleShare);
  }
}
