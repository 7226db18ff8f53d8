package spellshield.tools.tensor;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SequencedMap;
import java.util.SequencedSet;

/// A file with arrays in it, each with a name.
///
/// Opening one reads and checks its headers; values are read by [#open].
public sealed interface TensorFile permits NpyFile, NpzFile, SafetensorsFile {

  /// What a file says about an array of types that are read.
  record Header(ElementType type, Shape shape) {}

  /// Returns the arrays that can be read, in the order in which they lie in the file.
  SequencedMap<String, Header> tensors();

  /// Returns the names of arrays of other types.
  SequencedSet<String> others();

  /// Begins an array.
  ///
  /// @throws BadTensorException if it is damaged
  /// @throws IllegalArgumentException if there is none of that name
  Tensor open(String name) throws IOException;

  /// Opens a `.npy` file, whose array is called after the file, or a `.npz` file.
  ///
  /// @throws BadTensorException if it is neither, or damaged
  static TensorFile numpy(Path file) throws IOException {
    byte[] start;
    try (InputStream in = Files.newInputStream(file)) {
      start = in.readNBytes(2);
    }
    boolean zip = start.length == 2 && start[0] == 'P' && start[1] == 'K';
    return zip ? NpzFile.open(file) : NpyFile.open(file);
  }

  /// Opens a safetensors file.
  ///
  /// @throws BadTensorException if it is none, or damaged
  static TensorFile safetensors(Path file) throws IOException {
    return SafetensorsFile.open(file);
  }

  /// Returns a file from one of its bytes on.
  static InputStream at(Path file, long offset) throws IOException {
    FileChannel channel = FileChannel.open(file);
    try {
      return new BufferedInputStream(Channels.newInputStream(channel.position(offset)), 1 << 16);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }
}
