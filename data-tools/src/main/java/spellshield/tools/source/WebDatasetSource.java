package spellshield.tools.source;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.source.TarMembers.Kind;
import spellshield.tools.source.TarMembers.Member;
import spellshield.tools.tensor.StrictJson;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/// WebDataset shards: tars, gzipped or not, in which the members of one sample follow each other
/// and share the name up to its first dot, such as `n01440764_18.jpg` and `n01440764_18.cls`.
///
/// ```text
/// .jpg .jpeg .png .webp   the picture; a sample without one, or with two, is an unreadable entry
/// .cls                    the class: its number, or its name
/// .json                   filename: the path that the picture had; label or class, where no .cls is
/// .txt                    what the picture shows
/// ```
///
/// Ids and labels follow from the path in `.json`, or else from the member's name ([PicturePath]);
/// a picture whose path has no folder lies in one of its class's name. A synset in the path is the
/// label; else the class, through `LOC_synset_mapping.txt` beside the shards if it is a number;
/// else the folder. Names that two shards use for two pictures are the same id.
public final class WebDatasetSource implements ImageSource {
  private static final Pattern SAMPLE = Pattern.compile("((?:.*/)?[^/.]+)\\.([^/]+)");
  private static final Pattern PICTURE = Pattern.compile("(?:.*\\.)?(?:jpe?g|png|webp)");
  private static final int MAX_TEXT = 1 << 20; // bytes of .cls, .json, .txt

  private final String shown;
  private final List<Path> shards;
  private final SynsetMapping mapping;

  private WebDatasetSource(String shown, List<Path> shards, SynsetMapping mapping) {
    this.shown = shown;
    this.shards = shards;
    this.mapping = mapping;
  }

  /// Opens shards; nothing but their ends is read yet.
  ///
  /// @param shown what the user named
  /// @param shards at least one, in the order in which they are read
  /// @throws IOException if one of them was cut off
  static WebDatasetSource open(Path shown, List<Path> shards) throws IOException {
    TarMembers.requireWhole(shards);
    Path folder = shards.getFirst().toAbsolutePath().getParent();
    return new WebDatasetSource(
        shown.toString(),
        List.copyOf(shards),
        folder == null ? SynsetMapping.NONE : SynsetMapping.in(folder));
  }

  /// Says whether a tar begins as a shard: two of its first members are parts of one sample, and
  /// one of those is a picture.
  static boolean sniff(Path tar) throws IOException {
    try (TarBytes bytes = TarBytes.open(tar)) {
      TarMembers members = TarMembers.of(bytes, tar.toString());
      String key = "";
      boolean picture = false;
      for (int i = 0; i < 16; i++) {
        Member member = members.next();
        Matcher match = SAMPLE.matcher(member == null ? "" : member.name());
        if (member == null || !match.matches()) {
          continue;
        }
        boolean isPicture = isPicture(match.group(2));
        if (match.group(1).equals(key) && (picture || isPicture)) {
          return true;
        }
        key = match.group(1);
        picture = isPicture;
      }
      return false;
    } catch (IOException e) {
      return false; // what is wrong is said when it is read
    }
  }

  private static boolean isPicture(String ending) {
    return PICTURE.matcher(ending.toLowerCase(Locale.ROOT)).matches();
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
    return OptionalLong.of(TarMembers.bytes(shards));
  }

  @Override
  public String description() {
    return String.format(Locale.ROOT, "WebDataset %s: shards: %,d", shown, shards.size());
  }

  /// A member and its content; nothing where that is not read.
  private record Part(Member member, byte[] content) {
    static final Part NONE = new Part(new Member("", Kind.FILE, 0, 0), new byte[0]);
  }

  /// What was read of a sample.
  private static final class Sample {
    final String key;
    @Nullable Part picture;
    String problem = "";
    Part cls = Part.NONE;
    Part json = Part.NONE;
    Part text = Part.NONE;

    Sample(String key) {
      this.key = key;
    }
  }

  /// One pass over all samples.
  private final class Reader implements Pull<Stored> {
    private final Hollow hollow = new Hollow(shown);
    private long toSkip;
    private int shard; // the next one
    private @Nullable TarBytes bytes;
    private @Nullable TarMembers members;
    private @Nullable Member ahead; // the first one of the next sample
    private String place = "";

    Reader(long from) {
      this.toSkip = from;
    }

    @Override
    public @Nullable Stored next() throws IOException {
      while (members != null || openNext()) {
        TarMembers tar = members;
        Sample sample = tar == null ? null : sample(tar);
        if (tar == null || sample == null) {
          close();
        } else if (toSkip-- <= 0) {
          return stored(sample);
        } else if (sample.picture != null) {
          hollow.picture();
        }
      }
      return null;
    }

    private boolean openNext() throws IOException {
      if (shard == shards.size()) {
        return false;
      }
      Path path = shards.get(shard++);
      place = path.toString();
      bytes = TarBytes.open(path);
      members = TarMembers.of(bytes, place);
      return true;
    }

    /// Reads one sample, or its headers where it is skipped; null at the end of the shard.
    private @Nullable Sample sample(TarMembers tar) throws IOException {
      Sample sample = null;
      Member member = ahead != null ? ahead : tar.next();
      ahead = null;
      for (; member != null; member = tar.next()) {
        Matcher match = SAMPLE.matcher(member.name());
        boolean isPart = match.matches() && member.kind() == Kind.FILE;
        String key = isPart ? match.group(1) : member.name();
        boolean counts = member.kind() != Kind.FOLDER && !isSkipped(member.name());
        if (!counts) {
          continue;
        }
        if (sample != null && !sample.key.equals(key)) {
          ahead = member;
          return sample;
        }
        sample = sample == null ? new Sample(key) : sample;
        if (isPart) {
          take(tar, sample, member, match.group(2).toLowerCase(Locale.ROOT));
        }
      }
      return sample;
    }

    private void take(TarMembers tar, Sample sample, Member member, String ending)
        throws IOException {
      if (isPicture(ending)) {
        sample.problem = sample.picture == null ? "" : "the sample has two pictures; keep one";
        sample.picture = part(tar, member, ImageDoor.MAX_FILE);
      } else {
        switch (ending) {
          case "cls" -> sample.cls = part(tar, member, MAX_TEXT);
          case "json" -> sample.json = part(tar, member, MAX_TEXT);
          case "txt" -> sample.text = part(tar, member, MAX_TEXT);
          default -> {} // captions in other languages, masks, embeddings: parts that do not count
        }
      }
    }

    private Part part(TarMembers tar, Member member, long most) throws IOException {
      boolean read = toSkip <= 0 && member.size() <= most;
      return new Part(member, read ? tar.read(member) : new byte[0]);
    }

    private Stored stored(Sample sample) throws IOException {
      String source = place + "!/" + fileName(sample);
      Origin origin;
      try {
        origin = origin(sample, source);
      } catch (IOException e) {
        return empty(nameless(source), Reason.of(e));
      }
      Part picture = sample.picture;
      if (picture == null) {
        return empty(origin, "the sample has no picture (.jpg, .png or .webp); remove it");
      }
      if (!sample.problem.isEmpty()) {
        return empty(origin, sample.problem);
      }
      if (picture.member().size() > ImageDoor.MAX_FILE) {
        return empty(origin, Stored.tooLarge(picture.member().size()));
      }
      if (picture.content().length == 0) {
        return empty(origin, "the file is empty; fetch it again or remove it");
      }
      hollow.picture();
      return Stored.file(origin, picture.content());
    }

    /// Where a sample comes from whose name cannot be kept.
    private static Origin nameless(String source) {
      String shown = Reason.line(source);
      return new Origin(shown, shown, "", shown);
    }

    private Stored empty(Origin origin, String reason) throws IOException {
      hollow.hollow(reason);
      return Stored.unreadable(origin, reason);
    }

    private static String fileName(Sample sample) {
      return sample.picture == null ? sample.key : sample.picture.member().name();
    }

    private Origin origin(Sample sample, String source) throws IOException {
      JsonNode json = json(text(sample.json));
      String cls = text(sample.cls);
      for (String field : List.of("class", "label", "cls")) {
        cls = cls.isEmpty() ? json.path(field).asString("") : cls;
      }
      cls = mapping.synset(cls);
      String path = json.path("filename").asString("");
      PicturePath parsed = PicturePath.parse(path.isEmpty() ? fileName(sample) : path);
      Origin origin = parsed.orInClass(cls).origin(source);
      String label = PicturePath.isSynset(origin.label()) || cls.isEmpty() ? origin.label() : cls;
      Origin labelled = new Origin(origin.id(), source, label, origin.name());
      String shows = text(sample.text);
      return shows.isEmpty()
          ? mapping.named(labelled)
          : new Origin(origin.id(), source, label, shows);
    }

    /// Returns a text of one line; empty if there is no such member.
    private static String text(Part part) throws IOException {
      Member member = part.member();
      if (member.size() > MAX_TEXT) {
        throw new IOException(
            "'%s' has %,d bytes, but at most %,d are read"
                .formatted(member.name(), member.size(), MAX_TEXT));
      }
      String text = new String(part.content(), StandardCharsets.UTF_8);
      return text.replaceAll("\\p{Cntrl}+", " ").strip();
    }

    private static JsonNode json(String text) throws IOException {
      try {
        return StrictJson.read(text.isEmpty() ? "{}" : text);
      } catch (JacksonException e) {
        throw new IOException("its .json is damaged (%s)".formatted(Reason.of(e)), e);
      }
    }

    private static boolean isSkipped(String name) {
      try {
        return PicturePath.parse(name).isSkipped();
      } catch (IOException e) {
        return false; // told when the sample is
      }
    }

    @Override
    public void close() throws IOException {
      members = null;
      ahead = null;
      if (bytes != null) {
        bytes.close();
        bytes = null;
      }
    }
  }
}
