package spellshield.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Gatherers;
import java.util.stream.Stream;
import spellshield.index.ItemSink;
import spellshield.index.store.Item;
import spellshield.index.store.SeenIds;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.codec.Codec;
import spellshield.tools.edit.Edit;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.ImageSource.Entry;
import spellshield.tools.source.ImageSource.Origin;
import spellshield.tools.source.Stored;

/// Pictures to latents: read in order by one thread, decoded, cropped and edited by all cores while
/// the encoder runs, encoded in batches, given to a sink in the order of the source.
///
/// What a picture becomes does not depend on the others, on the batches or on the cores.
final class Encoding {

  /// How many pictures are encoded at once.
  private static final int BATCH = 16;

  /// How many pictures are decoded ahead of the encoder.
  private static final int AHEAD = 4 * BATCH;

  /// What an entry takes in a tar besides its content: a header, and half a block of padding.
  private static final int HEADER_BYTES = 768;

  /// What noise is drawn from in variants that have some: the same in every build.
  private static final long EDIT_SEED = 0x5be11;

  private final Codec codec;
  private final List<Edit> variants;
  private final ItemSink sink;
  private final Consumer<String> leftOut;
  private final Milestone milestone;
  private final SeenIds ids = new SeenIds(); // an archive may hold a name twice
  private final Set<String> waitingFiles = new HashSet<>();
  private final List<Prepared> waiting = new ArrayList<>();
  private Tally tally;
  private long readBytes;
  private long waitedNanos;
  private long encoderNanos;

  /// Is told when everything up to an entry is in the sink.
  @FunctionalInterface
  interface Milestone {
    void reached(Tally tally, Origin last) throws IOException;
  }

  /// @param variants edits whose results are protected, too
  /// @param sink where latents go
  /// @param leftOut is told of each entry that cannot be used, in a line
  /// @param before what became of the entries before the first one that is encoded
  Encoding(
      Codec codec,
      List<Edit> variants,
      ItemSink sink,
      Consumer<String> leftOut,
      Milestone milestone,
      Tally before) {
    this.codec = codec;
    this.variants = variants;
    this.sink = sink;
    this.leftOut = leftOut;
    this.milestone = milestone;
    this.tally = before;
  }

  /// A picture that is ready for the encoder, followed by its edited copies; or why there is none.
  private record Prepared(
      Origin origin, int size, String sha256, List<RgbImage> images, String reason) {}

  /// Encodes the entries from the one on that comes after those of the tally.
  ///
  /// @param end takes no entry from this number on
  /// @return what became of all entries, those before included
  Tally run(ImageSource source, long end, boolean quiet) throws IOException {
    long from = tally.entries();
    long total = source.count().isEmpty() ? -1 : Math.min(end, source.count().getAsLong()) - from;
    long bytes = source.bytes().orElse(0);
    try (Progress progress = Progress.start("encoding", total, quiet);
        Stream<Stored> stored = source.stored(from);
        Stream<Prepared> prepared =
            stored
                .limit(Math.max(0, end - from))
                .gather(Gatherers.mapConcurrent(AHEAD, this::prepare))) {
      Iterator<Prepared> entries = prepared.iterator();
      while (hasNext(entries)) {
        Prepared entry = entries.next();
        readBytes += entry.size + HEADER_BYTES;
        take(entry, from);
        progress.step();
        if (total < 0 && bytes > 0) {
          progress.expect(Math.round((double) bytes / readBytes * progress.done()) - from);
        }
      }
      flush();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return tally;
  }

  /// Returns the share of the time so far in which the encoder waited for pictures.
  double idleShare() {
    return (double) waitedNanos / Math.max(1, waitedNanos + encoderNanos);
  }

  private boolean hasNext(Iterator<Prepared> entries) {
    long start = System.nanoTime();
    boolean more = entries.hasNext();
    waitedNanos += System.nanoTime() - start;
    return more;
  }

  private Prepared prepare(Stored stored) {
    Origin origin = stored.origin();
    return switch (stored.decode()) {
      case Entry.Picture(Origin same, RgbImage image) -> {
        List<RgbImage> images = new ArrayList<>();
        RgbImage plain = codec.prepare(image);
        images.add(plain);
        for (Edit edit : variants) {
          images.add(edit.apply(plain, codec, EDIT_SEED));
        }
        yield new Prepared(origin, stored.size(), stored.sha256(), images, "");
      }
      case Entry.Unreadable(Origin same, String reason) ->
          new Prepared(origin, stored.size(), "", List.of(), reason);
    };
  }

  private void take(Prepared entry, long from) throws IOException {
    String id = entry.origin.id();
    if (entry.images.isEmpty()) {
      leaveOut(entry, entry.reason);
    } else if (!ids.add(id) || (from > 0 && sink.contains(id))) {
      leaveOut(entry, secondOf(entry.origin));
    } else {
      if (!entry.sha256.isEmpty() && !waitingFiles.add(entry.sha256)) {
        flush(); // an equal file is among those that wait
      }
      OptionalLong same = sink.holding(entry.sha256);
      if (same.isPresent()) {
        flush();
        sink.join(item(entry), same.getAsLong());
        tally = tally.andDuplicate();
        milestone.reached(tally, entry.origin);
        return;
      }
      waiting.add(entry);
      if (waiting.size() == BATCH) {
        flush();
      }
    }
  }

  /// An entry that is left out comes after the ones that wait.
  private void leaveOut(Prepared entry, String reason) throws IOException {
    flush();
    leftOut.accept(reason);
    tally = tally.andLeftOut();
    milestone.reached(tally, entry.origin);
  }

  private void flush() throws IOException {
    if (waiting.isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    List<RgbImage> images = waiting.stream().flatMap(entry -> entry.images.stream()).toList();
    List<float[]> latents = new ArrayList<>(images.size());
    for (int i = 0; i < images.size(); i += BATCH) {
      latents.addAll(codec.encode(images.subList(i, Math.min(images.size(), i + BATCH))));
    }
    Iterator<float[]> next = latents.iterator();
    for (Prepared entry : waiting) {
      Item item = item(entry);
      sink.add(item, next.next());
      for (Edit edit : variants) {
        sink.add(item.withEdit(edit.name()), next.next());
      }
      tally = tally.andPicture(variants.size());
    }
    Origin last = waiting.getLast().origin;
    waiting.clear();
    waitingFiles.clear();
    milestone.reached(tally, last);
    encoderNanos += System.nanoTime() - start;
  }

  private static Item item(Prepared entry) {
    Origin origin = entry.origin;
    return new Item(origin.id(), origin.source(), origin.label(), entry.sha256, "");
  }

  /// Returns the line for a picture whose id an earlier one of the same source has.
  static String secondOf(Origin origin) {
    return "%s: a second picture with the id '%s'; rename one of the two"
        .formatted(origin.source(), origin.id());
  }
}
