package spellshield.tools.source;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.Iterator;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import spellshield.tools.image.ImageDoor;

/// Pictures in a zip, in the order of its directory, read where they lie; zip64 too.
///
/// Of Kaggle's zip of ImageNet (`ILSVRC/Data/CLS-LOC/…`) only the training pictures are read, and
/// their classes have to be those of its `LOC_synset_mapping.txt`. Of a zip with a `dataset.json`
/// (as StyleGAN's and EDM's tools write) that file says the labels. Ids and labels are else those
/// of [PicturePath].
///
/// A zip is refused when it was cut off, when entries share bytes, or when it claims to unpack to
/// over 100 times its size; a single entry that does so is an unreadable one.
public final class ZipSource implements ImageSource {
  static final String CLS_LOC = "ILSVRC/Data/CLS-LOC/train/";

  /// No honest picture of over a mebibyte shrinks to less than a hundredth.
  private static final int MAX_RATIO = 100;

  private static final int SMALL = 1 << 20;

  private final Path file;
  private final boolean clsLoc;
  private final SynsetMapping mapping;
  private final DatasetJson labels;
  private final long count;

  private ZipSource(
      Path file, boolean clsLoc, SynsetMapping mapping, DatasetJson labels, long count) {
    this.file = file;
    this.clsLoc = clsLoc;
    this.mapping = mapping;
    this.labels = labels;
    this.count = count;
  }

  /// Reads the directory of a zip; no picture is read yet.
  ///
  /// @throws IOException if it is no whole zip, claims what none holds, or its classes are not
  ///   those of its mapping
  static ZipSource open(Path file) throws IOException {
    try (ZipFile zip = whole(file)) {
      boolean clsLoc = zip.stream().anyMatch(e -> e.getName().startsWith(CLS_LOC));
      SynsetMapping mapping = mapping(zip, file);
      DatasetJson labels = clsLoc ? DatasetJson.NONE : DatasetJson.in(zip, file.toString());
      ZipSource source = new ZipSource(file, clsLoc, mapping, labels, 0);
      long count = 0;
      Hollow hollow = new Hollow(file.toString());
      for (Iterator<? extends ZipEntry> all = zip.stream().iterator(); all.hasNext(); ) {
        ZipEntry entry = all.next();
        if (source.counts(entry)) {
          count++;
          String problem = source.problem(entry);
          if (problem.isEmpty()) {
            hollow.picture();
            source.origin(entry);
          } else {
            hollow.hollow(problem);
          }
        }
      }
      if (count == 0) {
        throw new IOException(file + ": no pictures in this zip; name one that holds some");
      }
      return new ZipSource(file, clsLoc, mapping, labels, count);
    }
  }

  /// Opens a zip whose directory is honest about sizes.
  static ZipFile whole(Path file) throws IOException {
    ZipFile zip;
    try {
      zip = new ZipFile(file.toFile());
    } catch (IOException | RuntimeException e) {
      throw new IOException(
          "%s: no whole zip (%s); fetch it again".formatted(file, Reason.of(e)), e);
    }
    try {
      requireHonest(zip, file);
      return zip;
    } catch (IOException e) {
      zip.close();
      throw e;
    }
  }

  private static void requireHonest(ZipFile zip, Path file) throws IOException {
    long length = Files.size(file);
    long packed = 0;
    double unpacked = 0;
    for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements(); ) {
      ZipEntry entry = all.nextElement();
      packed += Math.clamp(entry.getCompressedSize(), 0, Long.MAX_VALUE / 2 - packed);
      unpacked += entry.getSize();
    }
    if (packed > length) {
      throw new IOException(
          "%s: its entries share bytes (%,d in a file of %,d), as zip bombs do; pack it anew"
              .formatted(file, packed, length));
    }
    if (unpacked > (double) MAX_RATIO * length + SMALL) {
      throw new IOException(
          "%s: %,d bytes claim to unpack to %,.0f, as zip bombs do; pack it anew"
              .formatted(file, length, unpacked));
    }
  }

  private static SynsetMapping mapping(ZipFile zip, Path file) throws IOException {
    ZipEntry entry = zip.getEntry(SynsetMapping.FILE);
    if (entry == null) {
      return SynsetMapping.NONE;
    }
    return SynsetMapping.parse(read(zip, entry, SMALL), file + "!/" + SynsetMapping.FILE);
  }

  /// Returns an entry's content; what it says of its size has to be true.
  static byte[] read(ZipFile zip, ZipEntry entry, long most) throws IOException {
    if (entry.getSize() > most) {
      throw new IOException("%,d bytes, but at most %,d are read".formatted(entry.getSize(), most));
    }
    if (entry.getSize() > SMALL && entry.getSize() / MAX_RATIO > entry.getCompressedSize()) {
      throw new IOException(
          "%,d bytes unpack to %,d, as zip bombs do; pack it anew"
              .formatted(entry.getCompressedSize(), entry.getSize()));
    }
    try (InputStream in = zip.getInputStream(entry)) {
      byte[] content = in == null ? new byte[0] : in.readNBytes((int) entry.getSize() + 1);
      if (content.length != entry.getSize()) {
        throw new IOException(
            "it unpacks to %s bytes, but the directory says %,d; pack it anew"
                .formatted(
                    content.length < entry.getSize() ? "" + content.length : "more",
                    entry.getSize()));
      }
      CRC32 crc = new CRC32(); // the JDK's reader does not look at it
      crc.update(content);
      if (entry.getCrc() >= 0 && entry.getCrc() != crc.getValue()) {
        throw new IOException(
            "its bytes have the checksum %08x, but the directory says %08x; fetch it again"
                .formatted(crc.getValue(), entry.getCrc()));
      }
      return content;
    } catch (ZipException | EOFException | RuntimeException e) {
      throw new IOException("damaged in the zip (%s); fetch it again".formatted(Reason.of(e)), e);
    }
  }

  @Override
  public Stream<Stored> stored(long from) {
    try {
      return Pull.stream(new Reader(from));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(count);
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "zip %s: %,d files%s",
        file,
        count,
        clsLoc
            ? " under " + CLS_LOC + " (nothing else is read)"
            : labels == DatasetJson.NONE ? "" : ", labels of its dataset.json");
  }

  private boolean counts(ZipEntry entry) {
    String name = entry.getName();
    if (entry.isDirectory()
        || (clsLoc && !name.startsWith(CLS_LOC))
        || name.equals(DatasetJson.FILE)) {
      return false;
    }
    try {
      return !PicturePath.parse(name).isSkipped();
    } catch (IOException e) {
      return true; // told as an entry
    }
  }

  /// Returns what is wrong with an entry before it is read; empty if nothing is.
  private String problem(ZipEntry entry) {
    try {
      PicturePath.parse(entry.getName());
    } catch (IOException e) {
      return Reason.of(e);
    }
    if (entry.getSize() == 0) {
      return "the file is empty; fetch it again or remove it";
    }
    return entry.getSize() > ImageDoor.MAX_FILE ? Stored.tooLarge(entry.getSize()) : "";
  }

  private Origin origin(ZipEntry entry) throws IOException {
    String source = file + "!/" + entry.getName();
    Origin origin = PicturePath.parse(entry.getName()).origin(source);
    String label = labels.label(entry.getName(), origin.label());
    return mapping.named(new Origin(origin.id(), source, label, origin.name()));
  }

  private Stored stored(ZipFile zip, ZipEntry entry) {
    String source = file + "!/" + entry.getName();
    String shown = Reason.line(source);
    Origin origin = new Origin(shown, shown, "", shown);
    String problem = problem(entry);
    try {
      if (problem.isEmpty()) {
        origin = origin(entry);
        return Stored.file(origin, read(zip, entry, ImageDoor.MAX_FILE));
      }
    } catch (IOException e) {
      problem = Reason.of(e);
    }
    return Stored.unreadable(origin, problem);
  }

  /// One pass over the directory.
  private final class Reader implements Pull<Stored> {
    private final ZipFile zip;
    private final Iterator<? extends ZipEntry> entries;

    Reader(long from) throws IOException {
      this.zip = whole(file);
      this.entries = zip.stream().filter(ZipSource.this::counts).skip(from).iterator();
    }

    @Override
    public @Nullable Stored next() {
      return entries.hasNext() ? stored(zip, entries.next()) : null;
    }

    @Override
    public void close() throws IOException {
      zip.close();
    }
  }
}
