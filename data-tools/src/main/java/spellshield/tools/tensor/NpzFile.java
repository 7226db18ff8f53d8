package spellshield.tools.tensor;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/// Arrays of NumPy in a zip, packed or not; entries that are no `.npy` are other files.
final class NpzFile implements TensorFile {
  private static final String ENDING = ".npy";
  private static final int MAX_ARRAYS = 10_000;

  private final Path file;
  private final SequencedMap<String, Header> tensors;

  private NpzFile(Path file, SequencedMap<String, Header> tensors) {
    this.file = file;
    this.tensors = tensors;
  }

  static NpzFile open(Path file) throws IOException {
    SequencedMap<String, Header> tensors = new LinkedHashMap<>();
    try (ZipFile zip = zip(file)) {
      List<? extends ZipEntry> arrays =
          zip.stream().filter(e -> e.getName().endsWith(ENDING)).limit(MAX_ARRAYS + 1L).toList();
      if (arrays.isEmpty() || arrays.size() > MAX_ARRAYS) {
        throw new BadTensorException(
            file.toString(),
            arrays.isEmpty()
                ? "no arrays in this zip; save them with numpy.savez"
                : "over %,d arrays; join them".formatted(MAX_ARRAYS));
      }
      for (ZipEntry entry : arrays) {
        String name = entry.getName();
        tensors.put(name.substring(0, name.length() - ENDING.length()), header(file, zip, entry));
      }
    }
    return new NpzFile(file, tensors);
  }

  private static ZipFile zip(Path file) throws IOException {
    try {
      return new ZipFile(file.toFile());
    } catch (IOException | RuntimeException e) {
      throw damaged(file.toString(), e);
    }
  }

  private static BadTensorException damaged(String name, Exception e) {
    BadTensorException damaged =
        new BadTensorException(name, "no whole zip (%s); fetch it again".formatted(e.getMessage()));
    damaged.initCause(e);
    return damaged;
  }

  private static Header header(Path file, ZipFile zip, ZipEntry entry) throws IOException {
    String name = file + "!/" + entry.getName();
    try (Tensor tensor = Tensor.npy(stream(zip, entry, name), entry.getSize(), name)) {
      return new Header(tensor.type(), tensor.shape());
    } catch (RuntimeException e) { // of the zip
      throw damaged(name, e);
    }
  }

  private static InputStream stream(ZipFile zip, ZipEntry entry, String name) throws IOException {
    InputStream in = zip.getInputStream(entry);
    if (in == null) {
      throw new BadTensorException(name, "it is not in the zip any more; fetch it again");
    }
    return in;
  }

  @Override
  public SequencedMap<String, Header> tensors() {
    return tensors;
  }

  @Override
  public SequencedSet<String> others() {
    return new LinkedHashSet<>();
  }

  @Override
  public Tensor open(String name) throws IOException {
    String shown = file + "!/" + name + ENDING;
    ZipFile zip = zip(file);
    try {
      ZipEntry entry = zip.getEntry(name + ENDING);
      if (entry == null) {
        throw new IllegalArgumentException("%s: no array called '%s'".formatted(file, name));
      }
      InputStream in = new Closing(stream(zip, entry, shown), zip);
      return Tensor.npy(in, entry.getSize(), shown);
    } catch (IOException | RuntimeException e) {
      zip.close();
      throw e;
    }
  }

  /// An entry that closes its zip with itself.
  private static final class Closing extends FilterInputStream {
    private final ZipFile zip;

    Closing(InputStream in, ZipFile zip) {
      super(in);
      this.zip = zip;
    }

    @Override
    public void close() throws IOException {
      super.close();
      zip.close();
    }
  }
}
