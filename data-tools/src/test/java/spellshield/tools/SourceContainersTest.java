package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import spellshield.index.ProtectedSet;
import spellshield.index.store.Item;
import spellshield.index.store.Precision;
import spellshield.sampler.codec.Crop;
import spellshield.tools.codec.PixelCodec;
import spellshield.tools.source.ImageSource;
import spellshield.tools.source.SourceKind;
import spellshield.tools.source.Stored;
import spellshield.tools.testing.Containers;
import spellshield.tools.testing.Containers.Picture;
import spellshield.tools.testing.ParquetWriter;
import spellshield.tools.testing.Shared;

/// The same pictures from every container give the same set.
class SourceContainersTest {
  private static final int COUNT = 300;

  @TempDir private Path folder = Path.of("");

  @Test
  void imagenet_gives_the_same_set_from_every_container() throws IOException {
    Path tar = Shared.path("data/tiny-imagenet-train.tar");
    check(Containers.fromTar(tar, 40_000 / COUNT, COUNT), 16, true);
  }

  /// Their names are not of the form of ImageNet's own, so `.jpg` in shards would be another name.
  @Test
  void full_size_imagenet_gives_the_same_set_from_every_container() throws IOException {
    Path tar = Shared.path("data/imagenet-sample.tar");
    check(Containers.fromTar(tar, 20, 10), 16, false);
  }

  @Test
  void emoji_give_the_same_set_from_every_container() throws IOException {
    check(Containers.emoji(COUNT), 16, true);
  }

  private void check(List<Picture> pictures, int size, boolean shards) throws IOException {
    Map<SourceKind, Path> containers = new LinkedHashMap<>();
    containers.put(SourceKind.FOLDER, Containers.folder(folder.resolve("folder/train"), pictures));
    containers.put(SourceKind.TAR, Containers.tar(folder.resolve("plain"), pictures));
    containers.put(SourceKind.ZIP, Containers.kaggleZip(folder.resolve("zip"), pictures));
    if (shards) {
      containers.put(
          SourceKind.WEBDATASET, Containers.webDataset(folder.resolve("shards"), pictures, 70));
    }
    byte[] parquet = ParquetWriter.write(pictures, 70);
    containers.put(SourceKind.PARQUET, Files.write(folder.resolve("rows"), parquet));
    Map<String, Row> truth = Map.of();
    List<String> hashes = List.of();
    for (var container : containers.entrySet()) {
      assertThat(SourceKind.sniff(container.getValue())).isEqualTo(container.getKey());
      Map<String, Row> rows = rows(container.getValue(), size);
      truth = truth.isEmpty() ? rows : truth;
      assertThat(rows).as("%s", container.getKey()).hasSize(pictures.size()).isEqualTo(truth);
      // The bytes are the same, too; shards hold them in files of other names.
      List<String> ids = ids(ImageSource.open(container.getValue()), 0);
      hashes = hashes.isEmpty() ? ids : hashes;
      assertThat(ids).as("%s", container.getKey()).containsExactlyInAnyOrderElementsOf(hashes);
      // A killed build goes on in the middle, at the end and behind it.
      resumes(ImageSource.open(container.getValue()), pictures.size());
    }
    Path tars = Containers.tarOfTars(folder.resolve("tars"), pictures);
    assertThat(SourceKind.sniff(tars)).isEqualTo(SourceKind.TAR);
    assertThat(rows(tars, size)).as("a tar of tars").isEqualTo(truth);
    resumes(ImageSource.open(tars), pictures.size());
    gzipped(containers.get(SourceKind.TAR), SourceKind.TAR, size, truth);
    gzipped(tars, SourceKind.TAR, size, truth);
    if (shards) {
      Path packed =
          Containers.webDataset(folder.resolve("packed-shards"), pictures, 70, Containers::gzip);
      gzipped(packed, SourceKind.WEBDATASET, size, truth);
    }
    // The folder of a whole download, and the class tars without the one around them.
    assertThat(rows(folder.resolve("folder"), size)).isEqualTo(truth);
    Path unpacked = Files.createDirectories(folder.resolve("unpacked"));
    for (String label : pictures.stream().map(Picture::label).distinct().toList()) {
      LinkedHashMap<String, byte[]> members = new LinkedHashMap<>();
      pictures.stream()
          .filter(p -> p.label().equals(label))
          .forEach(p -> members.put(p.file(), p.bytes()));
      byte[] tar = Containers.tar(members);
      boolean packed = label.hashCode() % 2 == 0; // gzipped ones beside plain ones
      Files.write(
          unpacked.resolve(label + (packed ? ".tar.gz" : ".tar")),
          packed ? Containers.gzip(tar) : tar);
    }
    assertThat(rows(unpacked, size)).as("a folder of tars").isEqualTo(truth);
  }

  /// The same in a gzip, of which nothing can be read but from its beginning on.
  private void gzipped(Path container, SourceKind kind, int size, Map<String, Row> truth)
      throws IOException {
    Path packed =
        Files.isDirectory(container)
            ? container
            : Containers.gzip(container, folder.resolve(container.getFileName() + ".tgz"));
    assertThat(SourceKind.sniff(packed)).isEqualTo(kind);
    assertThat(rows(packed, size)).as("%s", packed).isEqualTo(truth);
    resumes(ImageSource.open(packed), truth.size());
  }

  private static void resumes(ImageSource source, int count) {
    List<String> all = ids(source, 0);
    assertThat(all).hasSize(count).doesNotHaveDuplicates();
    for (int from : new int[] {1, count / 2, count - 1, count, count + 5}) {
      assertThat(ids(source, from))
          .as("from %d", from)
          .isEqualTo(all.subList(Math.min(from, count), count));
    }
  }

  private static List<String> ids(ImageSource source, long from) {
    try (Stream<Stored> entries = source.stored(from)) {
      return entries.map(e -> e.origin().id() + " " + e.sha256()).toList();
    }
  }

  /// A latent and its label, equal bit for bit.
  private record Row(String label, List<Integer> latent) {}

  private Map<String, Row> rows(Path container, int size) throws IOException {
    ImageSource source = ImageSource.open(container);
    PixelCodec codec = SetBuild.fit(source, size, size, 3, Crop.ADM, SetBuild.Range.ALL, true);
    Path place = folder.resolve("set-" + container.getFileName());
    SetBuild build =
        SetBuild.build(
            source, codec, SetBuild.Options.simple(place, Precision.FLOAT16, Long.MAX_VALUE, true));
    assertThat(build.tally().leftOut()).isZero();
    Map<String, Row> rows = new LinkedHashMap<>();
    try (ProtectedSet set = ProtectedSet.open(place)) {
      float[] latent = new float[set.space().dim()];
      for (long i = 0; i < set.count(); i++) {
        set.latents().read(i, latent);
        Item item = set.item(i);
        List<Integer> bits = new ArrayList<>();
        for (float value : latent) {
          bits.add(Float.floatToRawIntBits(value));
        }
        rows.put(item.id(), new Row(item.label() + codec.description(), bits));
      }
    }
    return rows;
  }
}
