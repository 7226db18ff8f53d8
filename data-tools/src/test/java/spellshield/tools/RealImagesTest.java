package spellshield.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.junit.jupiter.api.Test;
import spellshield.index.search.ExactScan;
import spellshield.index.search.Neighbor;
import spellshield.index.search.Neighborhood;
import spellshield.index.search.SetStatistics;
import spellshield.index.sketch.SketchTable;
import spellshield.index.sketch.Sketcher;
import spellshield.index.store.LatentReader;
import spellshield.sampler.image.RgbImage;
import spellshield.tools.image.ImageDoor;
import spellshield.tools.image.Resample;
import spellshield.tools.source.ImageSource;
import spellshield.tools.testing.Shared;

/// The exact search on real pictures, as pixels, against a float64 brute force.
class RealImagesTest {
  private static final Path DATA = Path.of("..", "data");
  private static final int QUERIES = 12;

  @Test
  void emoji() throws IOException {
    assertEqualsBruteForce(pixels(ImageSource.open(DATA.resolve("emoji")), 1871), 64 * 64 * 3);
  }

  @Test
  void ten_thousand_pictures_of_clothes() throws IOException {
    Path clothes = DATA.resolve("fashion-mnist").resolve("train-images-idx3-ubyte.gz");
    assertEqualsBruteForce(pixels(ImageSource.open(clothes), 10_000), 28 * 28);
  }

  /// 64×64 colour pictures as grey ones of half the side: 160 MB of latents instead of 2 GB.
  @Test
  void forty_thousand_photographs() throws IOException {
    Path tar = Shared.path("data/tiny-imagenet-train.tar");
    List<byte[]> files = new ArrayList<>();
    try (InputStream in = new BufferedInputStream(Files.newInputStream(tar));
        TarArchiveInputStream entries = new TarArchiveInputStream(in)) {
      for (TarArchiveEntry entry = entries.getNextEntry();
          entry != null;
          entry = entries.getNextEntry()) {
        if (entry.isFile()) {
          files.add(entries.readAllBytes());
        }
      }
    }
    assertThat(files).hasSize(40_000);
    float[] values = new float[files.size() * 1024];
    IntStream.range(0, files.size())
        .parallel()
        .forEach(i -> {
          try {
            RgbImage image = ImageDoor.read(files.get(i), "photograph " + i).withChannels(1);
            copy(Resample.resize(image, 32, 32, Resample.Filter.BOX), values, i * 1024);
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
    assertEqualsBruteForce(values, 1024);
  }

  private static float[] pixels(ImageSource source, int count) {
    List<RgbImage> images = new ArrayList<>();
    try (Stream<ImageSource.Entry> entries = source.entries()) {
      entries
          .limit(count)
          .forEach(entry -> images.add(((ImageSource.Entry.Picture) entry).image()));
    }
    assertThat(images).hasSize(count);
    int dim = images.getFirst().samples().length;
    float[] values = new float[count * dim];
    for (int i = 0; i < count; i++) {
      copy(images.get(i), values, i * dim);
    }
    return values;
  }

  private static void copy(RgbImage image, float[] values, int at) {
    byte[] samples = image.samples();
    for (int i = 0; i < samples.length; i++) {
      values[at + i] = (samples[i] & 0xff) / 255f;
    }
  }

  private static void assertEqualsBruteForce(float[] values, int dim) {
    LatentReader latents = LatentReader.of(values, dim);
    SketchTable table = SketchTable.of(Sketcher.fit(latents, 64, 64), latents);
    ExactScan scan = new ExactScan(table, latents);
    double typical = SetStatistics.of(table, latents).typicalDistance();
    float[] queries = queries(values, dim);
    int count = values.length / dim;
    double[][] distances = new double[QUERIES][count];
    IntStream.range(0, QUERIES)
        .parallel()
        .forEach(q -> {
          for (int item = 0; item < count; item++) {
            double sum = 0;
            for (int i = 0; i < dim; i++) {
              double difference = (double) queries[q * dim + i] - values[item * dim + i];
              sum += difference * difference;
            }
            distances[q][item] = Math.sqrt(sum);
          }
        });
    // Sums of D squares in float64, in two orders: each within (D + 3)·2⁻⁵³ of the true one.
    double margin = (dim + 8) * 0x1p-53;
    for (double share : new double[] {0.15, 0.3, 0.5}) {
      double radius = share * typical;
      List<Neighborhood> answers = scan.search(queries, QUERIES, radius);
      for (int q = 0; q < QUERIES; q++) {
        double[] truth = distances[q];
        List<Long> found = answers.get(q).neighbors().stream().map(Neighbor::item).toList();
        assertThat(found)
            .containsAll(items(truth, radius))
            .isSubsetOf(items(truth, radius * (1 + 2 * margin)));
        for (Neighbor neighbor : answers.get(q).neighbors()) {
          double distance = truth[(int) neighbor.item()];
          assertThat(Math.abs(neighbor.distance() - distance))
              .isLessThanOrEqualTo(margin * distance);
        }
      }
    }
  }

  private static List<Long> items(double[] distances, double radius) {
    return IntStream.range(0, distances.length)
        .filter(item -> distances[item] <= radius)
        .mapToObj(item -> (long) item)
        .toList();
  }

  /// A third pictures, a third halfway between two, a third pictures with noise.
  private static float[] queries(float[] values, int dim) {
    SplittableRandom random = new SplittableRandom(9);
    int count = values.length / dim;
    float[] queries = new float[QUERIES * dim];
    for (int q = 0; q < QUERIES; q++) {
      int a = random.nextInt(count) * dim;
      int b = random.nextInt(count) * dim;
      for (int i = 0; i < dim; i++) {
        queries[q * dim + i] =
            switch (q % 3) {
              case 0 -> values[a + i];
              case 1 -> 0.5f * (values[a + i] + values[b + i]);
              default -> values[a + i] + (float) (0.05 * random.nextGaussian());
            };
      }
    }
    return queries;
  }
}
