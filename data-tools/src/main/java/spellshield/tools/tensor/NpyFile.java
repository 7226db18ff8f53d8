package spellshield.tools.tensor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.TreeMap;

/// An array of NumPy in a file of its own.
final class NpyFile implements TensorFile {
  private final Path file;
  private final NpyHeader header;

  private NpyFile(Path file, NpyHeader header) {
    this.file = file;
    this.header = header;
  }

  static NpyFile open(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      NpyFile npy = new NpyFile(file, NpyHeader.read(in, file.toString()));
      npy.open(file.toString()).close(); // the shape has to fill the file
      return npy;
    }
  }

  @Override
  public SequencedMap<String, Header> tensors() {
    SequencedMap<String, Header> tensors = new TreeMap<>();
    tensors.put(file.toString(), new Header(header.type(), header.shape()));
    return tensors;
  }

  @Override
  public SequencedSet<String> others() {
    return new LinkedHashSet<>();
  }

  @Override
  public Tensor open(String name) throws IOException {
    InputStream in = TensorFile.at(file, header.length());
    try {
      long bytes = Files.size(file) - header.length();
      return Tensor.of(file.toString(), header.type(), header.shape(), in, bytes);
    } catch (IOException e) {
      in.close();
      throw e;
    }
  }
}
