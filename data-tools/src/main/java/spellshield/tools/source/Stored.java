package spellshield.tools.source;

import spellshield.index.store.Hashes;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.UnreadableImageException;
import spellshield.tools.source.ImageSource.Entry;
import spellshield.tools.source.ImageSource.Origin;

/// An entry as its container stores it: read, but not decoded.
///
/// Reading is a matter of one thread and the disk, decoding of all threads: [#decode] may be called
/// on any.
public final class Stored {
  private final Origin origin;
  private final byte[] bytes;
  private final Decoder decoder;
  private final boolean file;

  /// Turns the bytes of a picture into the picture.
  @FunctionalInterface
  interface Decoder {
    RgbImage decode(byte[] bytes) throws UnreadableImageException;
  }

  private Stored(Origin origin, byte[] bytes, Decoder decoder, boolean file) {
    this.origin = origin;
    this.bytes = bytes;
    this.decoder = decoder;
    this.file = file;
  }

  /// A file of a format that [ImageDoor] reads.
  static Stored file(Origin origin, byte[] bytes) {
    return new Stored(origin, bytes, file -> ImageDoor.read(file, origin.source()), true);
  }

  /// A picture of a format of its own.
  static Stored raw(Origin origin, byte[] bytes, Decoder decoder) {
    return new Stored(origin, bytes, decoder, false);
  }

  /// An entry that holds no picture.
  ///
  /// @param reason what is wrong, and what to do; the origin's source is put before it
  static Stored unreadable(Origin origin, String reason) {
    return unreadable(origin, new UnreadableImageException(origin.source(), reason));
  }

  /// An entry that holds no picture, for a reason that names it already.
  static Stored unreadable(Origin origin, UnreadableImageException reason) {
    return new Stored(
        origin,
        new byte[0],
        nothing -> {
          throw reason;
        },
        false);
  }

  /// Returns the reason why a file of so many bytes is not read.
  static String tooLarge(long bytes) {
    return "%,d MB, but at most %d MB are read; make it smaller"
        .formatted(bytes >> 20, ImageDoor.MAX_FILE >> 20);
  }

  /// Returns where the entry comes from.
  public Origin origin() {
    return origin;
  }

  /// Returns the number of bytes that the container stores for it.
  public int size() {
    return bytes.length;
  }

  /// Returns the SHA-256 of the picture's file, in hex; empty where it is none that says all about
  /// the picture, such as the bare samples of an IDX file.
  public String sha256() {
    return file ? Hashes.sha256(bytes) : "";
  }

  /// Returns the picture, or the reason why there is none. Any thread.
  public Entry decode() {
    try {
      return new Entry.Picture(origin, decoder.decode(bytes));
    } catch (UnreadableImageException e) {
      return new Entry.Unreadable(origin, String.valueOf(e.getMessage()));
    }
  }
}
