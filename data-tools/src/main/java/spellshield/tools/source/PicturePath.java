package spellshield.tools.source;

import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import spellshield.tools.source.ImageSource.Origin;

/// A picture's path in its container, and the id and label that follow from it.
///
/// Ids do not depend on the container: a picture has the same one in a folder, a tar, a tar of
/// tars, a zip, WebDataset shards and parquet. So the id is `<class>/<file name>`, by these rules:
///
/// ```text
/// path                                             id                                  label
/// a/b/train/n01440764/x.JPEG                       n01440764/x.JPEG                    n01440764
/// n01440764.tar, in it x.JPEG                      n01440764/x.JPEG                    n01440764
/// dogs/small/rex.png                               dogs/small/rex.png                  small
/// rex.png                                          rex.png                             (none)
/// n01440764_18.jpg, also n01440764_18_n01440764.JPEG and n01440764/images/n01440764_18.JPEG
///                                                  n01440764/n01440764_18.JPEG         n01440764
/// ```
///
/// What lies above the first folder called `train` does not count, nor does it. The last line is
/// for ImageNet's own file names, which say the class and which containers spell differently.
///
/// A path is only a name: nothing is ever written under it.
///
/// @param folders from the outermost to the one that the picture lies in; may be empty
/// @param file name of the file
record PicturePath(List<String> folders, String file) {
  private static final int LONGEST = 1_000; // bytes of UTF-8, as of an item's id

  private static final Pattern IMAGENET = Pattern.compile("(n\\d{8})_(\\d+)(_\\1)?\\.(?i:jpe?g)");

  private static final Pattern SYNSET = Pattern.compile("n\\d{8}");

  /// Reads the name that a container gives a picture.
  ///
  /// @throws IOException if the name is none that an honest container has, with the reason
  static PicturePath parse(String name) throws IOException {
    String path = name.replace('\\', '/');
    if (path.startsWith("/")) {
      throw new IOException("its name leads out of the container; rename it");
    }
    return of(Arrays.stream(path.split("/")).filter(p -> !p.isEmpty() && !p.equals(".")).toList());
  }

  /// Takes the parts of a path, the file's name last.
  ///
  /// @throws IOException if no item could be called so, with the reason
  static PicturePath of(List<String> parts) throws IOException {
    if (parts.isEmpty()) {
      throw new IOException("it has no name; rename it");
    }
    if (parts.contains("..")) {
      throw new IOException("its name leads out of the container; rename it");
    }
    PicturePath path =
        new PicturePath(List.copyOf(parts.subList(0, parts.size() - 1)), parts.getLast());
    requireText(String.join("/", parts));
    return path;
  }

  private static void requireText(String id) throws IOException {
    if (id.chars().anyMatch(Character::isISOControl)) {
      throw new IOException("its name has control characters; rename it");
    }
    int bytes;
    try {
      bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(id)).remaining();
    } catch (CharacterCodingException e) {
      throw new IOException("its name is no Unicode; rename it", e);
    }
    if (bytes > LONGEST) {
      throw new IOException(
          "its name has %,d bytes, but at most %,d are read; rename it".formatted(bytes, LONGEST));
    }
  }

  /// Says whether this is no picture by its name: hidden, a table, a licence, a folder of a Mac.
  boolean isSkipped() {
    return file.startsWith(".")
        || file.toLowerCase(Locale.ROOT).endsWith(".tsv")
        || file.matches("(LICENSE|README|NOTICE)([.-].*)?|" + SynsetMapping.FILE)
        || folders.stream().anyMatch(f -> f.startsWith(".") || f.equals("__MACOSX"));
  }

  /// Returns this path, in the folder if it lies in none yet and the name is not empty.
  ///
  /// @throws IOException if no item could be called so, with the reason
  PicturePath orIn(String folder) throws IOException {
    return folders.isEmpty() && !folder.isEmpty() ? of(List.of(folder, file)) : this;
  }

  /// Returns this path, in a folder of its class if neither its folders nor its name say one.
  ///
  /// @throws IOException if no item could be called so, with the reason
  PicturePath orInClass(String label) throws IOException {
    return IMAGENET.matcher(file).matches() ? this : orIn(label);
  }

  /// Returns a file's name without its last ending.
  static String stem(String file) {
    int dot = file.lastIndexOf('.');
    return dot > 0 ? file.substring(0, dot) : file;
  }

  /// Returns whether the text is the number of a synset, such as `n01440764`.
  static boolean isSynset(String text) {
    return SYNSET.matcher(text).matches();
  }

  /// Returns where the picture comes from.
  ///
  /// @param source the container and the path in it, for people
  Origin origin(String source) {
    List<String> behind = folders.subList(folders.indexOf("train") + 1, folders.size());
    Matcher imagenet = IMAGENET.matcher(file);
    if (imagenet.matches()) {
      String synset = imagenet.group(1);
      if (Stream.of(List.of(), List.of(synset), List.of(synset, "images"))
          .anyMatch(behind::equals)) {
        String id = "%s/%s_%s.JPEG".formatted(synset, synset, imagenet.group(2));
        return new Origin(id, source, synset, stem(file));
      }
    }
    List<String> counted = behind.isEmpty() ? folders : behind; // train may be a class, too
    String label = counted.isEmpty() ? "" : counted.getLast();
    String id = counted.isEmpty() ? file : String.join("/", counted) + "/" + file;
    return new Origin(id, source, label, stem(file));
  }
}
