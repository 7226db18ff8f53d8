package spellshield.tools.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import spellshield.tools.image.ImageDoor;

/// The forms that pictures and latents come in.
public enum SourceKind {
  /// A folder of pictures and of folders of them, ImageNet's CLS-LOC among them.
  FOLDER,
  /// A tar of pictures, a tar of such tars, or a folder of them; gzipped or not.
  TAR,
  /// WebDataset shards, gzipped or not: one, or a folder of them.
  WEBDATASET,
  /// A zip of pictures, such as Kaggle's of ImageNet.
  ZIP,
  /// Hugging Face parquet: one file, or a folder of them.
  PARQUET,
  /// An IDX file of grey pictures.
  IDX,
  /// Latents in an array of NumPy, `.npy` or `.npz`.
  NPY,
  /// Latents in a safetensors file.
  SAFETENSORS,
  /// Latents as EDM2's tools write them: a zip of means and standard deviations.
  EDM2_ZIP;

  private static final int MAX_SHARDS = 100_000; // more files in a folder are pictures

  /// Returns how the command line calls it.
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /// Says whether it holds latents instead of pictures.
  public boolean holdsLatents() {
    return this == NPY || this == SAFETENSORS || this == EDM2_ZIP;
  }

  /// Finds out by its content, never by its name, what lies at a path.
  ///
  /// @throws IOException if it is nothing of these, or cannot be read
  public static SourceKind sniff(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      return ofFolder(path);
    }
    if (Glob.is(path)) {
      return ofGlob(path);
    }
    if (!Files.exists(path)) {
      throw new IOException(path + ": no such file or folder; check the path");
    }
    SourceKind kind = Files.isRegularFile(path) ? ofFile(path) : FOLDER;
    if (kind != FOLDER) {
      return kind;
    }
    throw new IOException(
        "%s: neither a folder of pictures nor a tar, a zip, parquet, an IDX file, .npy, .npz or safetensors; name one of these"
            .formatted(path));
  }

  /// Returns what all matches of a pattern are: shards of one kind, or else pictures and folders.
  private static SourceKind ofGlob(Path glob) throws IOException {
    SourceKind kind = null;
    for (Path match : Glob.matches(glob)) {
      SourceKind one = Files.isRegularFile(match) ? ofFile(match) : FOLDER;
      boolean shard = one == TAR || one == WEBDATASET || one == PARQUET;
      if (one != FOLDER && (!shard || (kind != null && kind != one))) {
        throw new IOException(
            "%s: %s (%s) is not read together with others (%s); name it alone"
                .formatted(glob, match.getFileName(), one, kind == null ? "none" : kind));
      }
      kind = one;
      if (kind == FOLDER) {
        break; // a picture or a folder: what else is no picture is told when it is read
      }
    }
    return kind == null ? FOLDER : kind;
  }

  /// Returns the kind of a file; [#FOLDER] if it is none.
  private static SourceKind ofFile(Path file) throws IOException {
    byte[] start = start(file);
    if (begins(start, "PK\u0003\u0004") || begins(start, "PK\u0005\u0006")) {
      return ofZip(file);
    }
    if (begins(start, "PAR1")) {
      return PARQUET;
    }
    if (begins(start, "\u0093NUMPY")) {
      return NPY;
    }
    if (isTar(file)) {
      return WebDatasetSource.sniff(file) ? WEBDATASET : TAR;
    }
    if (IdxSource.sniff(file)) {
      return IDX;
    }
    // A header's length of 64 bits, little-endian, and a header in JSON.
    boolean safetensors =
        start.length >= 10
            && start[8] == '{'
            && ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong() >>> 48 == 0;
    return safetensors ? SAFETENSORS : FOLDER;
  }

  private static SourceKind ofZip(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file);
        ZipInputStream zip = new ZipInputStream(in)) {
      // The first entries that are files decide; the directory at the end may be cut off.
      for (int i = 0; i < 8; i++) {
        ZipEntry entry = zip.getNextEntry();
        if (entry == null) {
          break;
        }
        if (entry.isDirectory() || entry.getName().equals(DatasetJson.FILE)) {
          continue;
        }
        boolean array = begins(zip.readNBytes(6), "\u0093NUMPY");
        boolean edm2 = entry.getName().matches("(.*/)?img-mean-std-\\d+\\.npy");
        return array ? edm2 ? EDM2_ZIP : NPY : ZIP;
      }
      return ZIP;
    } catch (IOException | IllegalArgumentException e) {
      return ZIP; // what is wrong is said when it is opened
    }
  }

  private static SourceKind ofFolder(Path folder) throws IOException {
    if (!shards(folder, PARQUET).isEmpty()) {
      return PARQUET;
    }
    List<Path> tars = shards(folder, TAR);
    return tars.isEmpty() ? FOLDER : WebDatasetSource.sniff(tars.getFirst()) ? WEBDATASET : TAR;
  }

  /// Returns the files that a source of shards has, sorted by name: the file itself, the matches of
  /// a pattern, or the tars or parquet files right in a folder. A folder that also holds folders or
  /// pictures has none.
  ///
  /// Of a folder as Hugging Face has them, files called `train-…` are taken and none of other
  /// splits; they may lie in a folder `data` in it.
  static List<Path> shards(Path path, SourceKind kind) throws IOException {
    if (Glob.is(path)) {
      return Glob.matches(path);
    }
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    Path data = path.resolve("data");
    List<Path> found = matching(kind == PARQUET && Files.isDirectory(data) ? data : path, kind);
    List<Path> train =
        found.stream().filter(f -> String.valueOf(f.getFileName()).startsWith("train-")).toList();
    return train.isEmpty() ? found : train;
  }

  private static List<Path> matching(Path folder, SourceKind kind) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files =
          all.filter(f -> !String.valueOf(f.getFileName()).startsWith("."))
              .limit(MAX_SHARDS)
              .sorted()
              .toList();
    }
    List<Path> found = new ArrayList<>();
    for (Path file : files) {
      if (Files.isDirectory(file)) {
        return List.of();
      }
      byte[] start = Files.isRegularFile(file) ? start(file) : new byte[0];
      if (kind == PARQUET ? begins(start, "PAR1") : isTar(file)) {
        found.add(file);
      } else if (ImageDoor.isImage(start)) {
        return List.of();
      }
    }
    return found;
  }

  private static byte[] start(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(32);
    }
  }

  private static boolean isTar(Path file) throws IOException {
    return Files.isRegularFile(file) && TarMembers.sniff(file);
  }

  private static boolean begins(byte[] start, String latin1) {
    if (start.length < latin1.length()) {
      return false;
    }
    for (int i = 0; i < latin1.length(); i++) {
      if ((start[i] & 0xff) != latin1.charAt(i)) {
        return false;
      }
    }
    return true;
  }
}
