package spellshield.tools.source;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.stream.Stream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.source.TarMembers.Kind;
import spellshield.tools.source.TarMembers.Member;

/// Pictures in tars, read where they lie: plain tars, and tars of tars such as ImageNet's
/// `ILSVRC2012_img_train.tar`, which holds one tar for each class. The outer ones may be gzipped.
///
/// Ids and labels are those of [PicturePath]; a picture in no folder of an inner tar, of one of
/// several tars, or of one called after a synset, lies in a folder of that tar's name. A damaged
/// inner tar is an unreadable entry, and reading goes on behind it; a damaged outer one ends the
/// run. Going on from an entry reads the headers before it, and no contents; of a gzipped tar, all
/// before it is unpacked again, and that it was cut off is known when all before is read.
public final class TarSource implements ImageSource {
  private final String shown;
  private final List<Path> files;

  private TarSource(String shown, List<Path> files) {
    this.shown = shown;
    this.files = files;
  }

  /// Opens tars as one source; nothing but their ends is read yet.
  ///
  /// @param shown what the user named
  /// @param files at least one, in the order in which they are read
  /// @throws IOException if one of them was cut off
  static TarSource open(Path shown, List<Path> files) throws IOException {
    TarMembers.requireWhole(files);
    return new TarSource(shown.toString(), List.copyOf(files));
  }

  @Override
  public Stream<Stored> stored(long from) {
    return Pull.stream(new Reader(from));
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.empty(); // known when all headers were read
  }

  @Override
  public OptionalLong bytes() {
    return OptionalLong.of(TarMembers.bytes(files));
  }

  @Override
  public String description() {
    return files.size() == 1
        ? "tar %s of pictures or of tars of them".formatted(shown)
        : String.format(Locale.ROOT, "%,d tars of pictures in %s", files.size(), shown);
  }

  /// One pass over all members.
  private final class Reader implements Pull<Stored> {
    private final Hollow hollow = new Hollow(shown);
    private long toSkip;
    private int file; // of the next tar
    private @Nullable TarBytes bytes;
    private @Nullable TarMembers outer;
    private @Nullable TarMembers inner;
    private String place = ""; // of the members being read
    private String folder = ""; // what a picture in none lies in
    private String outerFolder = "";

    Reader(long from) {
      this.toSkip = from;
    }

    @Override
    public @Nullable Stored next() throws IOException {
      while (outer != null || openNext()) {
        Stored entry = inner != null ? inInner(inner) : inOuter(Objects.requireNonNull(outer));
        if (entry != null && toSkip-- <= 0) {
          return entry;
        }
      }
      return null;
    }

    private @Nullable Stored inOuter(TarMembers tar) throws IOException {
      Member member = tar.next();
      if (member == null) {
        close();
        return null;
      }
      boolean isTar = member.kind() == Kind.FILE && tar.isTar(member);
      return isTar ? begin(tar, member) : entry(tar, member);
    }

    private boolean openNext() throws IOException {
      if (file == files.size()) {
        return false;
      }
      Path path = files.get(file++);
      String name = String.valueOf(path.getFileName()).replaceFirst("(?i)\\.gz$", "");
      String stem = PicturePath.stem(name);
      place = path.toString();
      folder = files.size() > 1 || PicturePath.isSynset(stem) ? stem : "";
      outerFolder = folder;
      bytes = TarBytes.open(path);
      outer = TarMembers.of(bytes, place);
      return true;
    }

    /// Begins an inner tar; null, or an entry that says why not.
    private @Nullable Stored begin(TarMembers tar, Member member) {
      String called = place + "!/" + member.name();
      try {
        inner = tar.inside(member, called);
        place = called;
        folder = PicturePath.stem(member.name().substring(member.name().lastIndexOf('/') + 1));
        return null;
      } catch (IOException e) {
        return damaged(called, e);
      }
    }

    private @Nullable Stored inInner(TarMembers tar) throws IOException {
      Member member;
      try {
        member = tar.next();
      } catch (ZipException e) { // of all, not of this inner tar
        throw e;
      } catch (IOException e) {
        String called = place;
        leave();
        return damaged(called, e);
      }
      if (member == null) {
        leave();
        return null;
      }
      return entry(tar, member);
    }

    private void leave() {
      inner = null;
      folder = outerFolder;
      place = files.get(file - 1).toString();
    }

    private static Stored damaged(String place, IOException e) {
      String said = String.valueOf(e.getMessage());
      String reason = said.startsWith(place + ": ") ? said.substring(place.length() + 2) : said;
      String shown = Reason.line(place);
      return Stored.unreadable(new Origin(shown, shown, "", shown), Reason.line(reason));
    }

    /// Returns an entry, or null for what is none.
    private @Nullable Stored entry(TarMembers tar, Member member) throws IOException {
      if (member.kind() == Kind.FOLDER) {
        return null;
      }
      String source = place + "!/" + member.name();
      Origin origin;
      try {
        PicturePath path = PicturePath.parse(member.name()).orIn(folder);
        if (path.isSkipped()) {
          return null;
        }
        origin = path.origin(source);
      } catch (IOException e) { // a name that no honest tar has
        String shown = Reason.line(source);
        return empty(new Origin(shown, shown, "", shown), Reason.of(e));
      }
      if (member.kind() == Kind.OTHER) {
        return empty(origin, "a link or a special file, which is not followed; remove it");
      }
      if (member.size() == 0) {
        return empty(origin, "the file is empty; fetch it again or remove it");
      }
      if (member.size() > ImageDoor.MAX_FILE) {
        return empty(origin, Stored.tooLarge(member.size()));
      }
      hollow.picture();
      return toSkip > 0
          ? Stored.unreadable(origin, "skipped")
          : Stored.file(origin, tar.read(member));
    }

    private Stored empty(Origin origin, String reason) throws IOException {
      hollow.hollow(reason);
      return Stored.unreadable(origin, reason);
    }

    @Override
    public void close() throws IOException {
      outer = null;
      inner = null;
      if (bytes != null) {
        bytes.close();
        bytes = null;
      }
    }
  }
}
