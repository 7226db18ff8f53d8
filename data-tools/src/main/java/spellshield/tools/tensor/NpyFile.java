package spellshield.tools.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.TreeMap;

/// An array of NumPy in a file of its own.
final class NpyFile implements TensorFile {
  private final Path file;
  private final Header header;

  private NpyFile(Path file, Header header) {
    this.file = file;
    this.header = header;
  }

  static NpyFile open(Path file) throws IOException {
    try (Tensor tensor = tensor(file)) {
      return new NpyFile(file, new Header(tensor.type(), tensor.shape()));
    }
  }

  private static Tensor tensor(Path file) throws IOException {
    return Tensor.npy(TensorFile.at(file, 0), Files.size(file), file.toString());
  }

  @Override
  public SequencedMap<String, Header> tensors() {
    SequencedMap<String, Header> tensors = new TreeMap<>();
    tensors.put(file.toString(), header);
    return tensors;
  }

  @Override
  public SequencedSet<String> others() {
    return new LinkedHashSet<>();
  }

  @Override
  public Tensor open(String name) throws IOException {
    return tensor(file);
  }
}
