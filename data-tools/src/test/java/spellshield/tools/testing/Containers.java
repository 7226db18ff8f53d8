package spellshield.tools.testing;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/// The same pictures in every container that ImageNet comes in.
public final class Containers {
  private Containers() {}

  /// A picture file and its class.
  public record Picture(String label, String file, byte[] bytes) {
    /// Returns the file's name without ending.
    public String stem() {
      return file.substring(0, file.lastIndexOf('.'));
    }
  }

  /// Returns every n-th picture of a tar of `train/<class>/<file>`, sorted by class and file.
  public static List<Picture> fromTar(Path tar, int every, int most) throws IOException {
    List<Picture> pictures = new ArrayList<>();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(tar));
        TarArchiveInputStream entries = new TarArchiveInputStream(in)) {
      int i = 0;
      for (TarArchiveEntry entry = entries.getNextEntry();
          entry != null && pictures.size() < most;
          entry = entries.getNextEntry()) {
        if (entry.isFile() && i++ % every == 0) {
          String[] parts = entry.getName().split("/", 3);
          pictures.add(new Picture(parts[1], parts[2], entries.readAllBytes()));
        }
      }
    }
    return sorted(pictures);
  }

  /// Returns emoji of this project, put into classes, called as synsets are, by their first digits.
  public static List<Picture> emoji(int most) throws IOException {
    List<Picture> pictures = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of("..", "data", "emoji"))) {
      for (Path file :
          files.filter(f -> f.toString().endsWith(".png")).sorted().limit(most).toList()) {
        String name = file.getFileName().toString();
        int group = Integer.parseInt(name.substring(0, 3).replace('-', '0'), 16);
        pictures.add(new Picture("n%08d".formatted(group), name, Files.readAllBytes(file)));
      }
    }
    return sorted(pictures);
  }

  private static List<Picture> sorted(List<Picture> pictures) {
    return pictures.stream()
        .sorted(Comparator.comparing(Picture::label).thenComparing(Picture::file))
        .toList();
  }

  /// Writes `<folder>/<class>/<file>`.
  public static Path folder(Path folder, List<Picture> pictures) throws IOException {
    for (Picture picture : pictures) {
      Path place = Files.createDirectories(folder.resolve(picture.label()));
      Files.write(place.resolve(picture.file()), picture.bytes());
    }
    return folder;
  }

  /// Writes a tar of `train/<class>/<file>`.
  public static Path tar(Path file, List<Picture> pictures) throws IOException {
    SequencedMap<String, byte[]> members = new LinkedHashMap<>();
    for (Picture picture : pictures) {
      members.put("train/" + picture.label() + "/" + picture.file(), picture.bytes());
    }
    return Files.write(file, tar(members));
  }

  /// Writes a tar of one tar for each class, as ImageNet's is.
  public static Path tarOfTars(Path file, List<Picture> pictures) throws IOException {
    SequencedMap<String, SequencedMap<String, byte[]>> classes = new TreeMap<>();
    for (Picture picture : pictures) {
      classes
          .computeIfAbsent(picture.label(), c -> new LinkedHashMap<>())
          .put(picture.file(), picture.bytes());
    }
    SequencedMap<String, byte[]> tars = new LinkedHashMap<>();
    for (var entry : classes.entrySet()) {
      tars.put(entry.getKey() + ".tar", tar(entry.getValue()));
    }
    return Files.write(file, tar(tars));
  }

  /// Returns a tar.
  public static byte[] tar(SequencedMap<String, byte[]> members) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes)) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
      for (var member : members.entrySet()) {
        TarArchiveEntry entry = new TarArchiveEntry(member.getKey(), true);
        entry.setSize(member.getValue().length);
        tar.putArchiveEntry(entry);
        tar.write(member.getValue());
        tar.closeArchiveEntry();
      }
    }
    return bytes.toByteArray();
  }

  /// Writes a file's bytes gzipped into another, in two members, as parallel gzips do.
  public static Path gzip(Path file, Path to) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    byte[] first = gzip(Arrays.copyOf(whole, whole.length / 3));
    byte[] rest = gzip(Arrays.copyOfRange(whole, whole.length / 3, whole.length));
    Files.write(to, first);
    return Files.write(to, rest, StandardOpenOption.APPEND);
  }

  /// Returns bytes gzipped.
  public static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }

  /// Writes a zip as Kaggle packs ImageNet, with things beside the training pictures.
  public static Path kaggleZip(Path file, List<Picture> pictures) throws IOException {
    SequencedMap<String, byte[]> members = new LinkedHashMap<>();
    StringBuilder mapping = new StringBuilder();
    pictures.stream()
        .map(Picture::label)
        .distinct()
        .sorted()
        .forEach(label -> mapping.append(label).append(" the class ").append(label).append('\n'));
    members.put("ILSVRC/Annotations/CLS-LOC/val/a.xml", new byte[] {'<'});
    for (Picture picture : pictures) {
      members.put(
          "ILSVRC/Data/CLS-LOC/train/" + picture.label() + "/" + picture.file(), picture.bytes());
    }
    members.put("ILSVRC/Data/CLS-LOC/val/v.JPEG", pictures.getFirst().bytes());
    members.put("LOC_synset_mapping.txt", mapping.toString().getBytes(StandardCharsets.UTF_8));
    return zip(file, members, true);
  }

  /// Writes a zip.
  public static Path zip(Path file, SequencedMap<String, byte[]> members, boolean stored)
      throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (var member : members.entrySet()) {
        ZipEntry entry = new ZipEntry(member.getKey());
        if (stored) {
          CRC32 crc = new CRC32();
          crc.update(member.getValue());
          entry.setMethod(ZipEntry.STORED);
          entry.setSize(member.getValue().length);
          entry.setCrc(crc.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(member.getValue());
      }
    }
    return file;
  }

  /// Writes a folder of WebDataset shards; endings are lower-case, as its readers want them.
  public static Path webDataset(Path folder, List<Picture> pictures, int perShard)
      throws IOException {
    return webDataset(folder, pictures, perShard, bytes -> bytes);
  }

  /// Turns the bytes of a file into those of another.
  @FunctionalInterface
  public interface Packing {
    /// Returns the bytes to write.
    byte[] pack(byte[] bytes) throws IOException;
  }

  /// Writes a folder of WebDataset shards, each packed; their names do not tell.
  public static Path webDataset(Path folder, List<Picture> pictures, int perShard, Packing packing)
      throws IOException {
    Files.createDirectories(folder);
    for (int shard = 0; shard * perShard < pictures.size(); shard++) {
      SequencedMap<String, byte[]> members = new LinkedHashMap<>();
      int end = Math.min(pictures.size(), (shard + 1) * perShard);
      for (Picture picture : pictures.subList(shard * perShard, end)) {
        String ending = picture.file().endsWith(".png") ? ".png" : ".jpg";
        members.put(picture.stem() + ".cls", picture.label().getBytes(StandardCharsets.UTF_8));
        members.put(picture.stem() + ending, picture.bytes());
      }
      Files.write(folder.resolve("%06d.tar".formatted(shard)), packing.pack(tar(members)));
    }
    Files.writeString(folder.resolve("index.json"), "{}");
    return folder;
  }
}
