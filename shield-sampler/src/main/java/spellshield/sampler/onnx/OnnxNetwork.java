package spellshield.sampler.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import ai.onnxruntime.TensorInfo;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;

/// A network in an ONNX file, run by ONNX Runtime.
///
/// Names, types and ranks are the file's own: a [Tensor] of float32 is turned into what the input
/// takes, and an output into float32. External data is found beside the file. Runs on the CPU with
/// all cores; with the system property `shield.device=cuda` and ONNX Runtime's GPU library on the
/// class path, on the first CUDA device. Safe for several threads; holds native memory until it is
/// closed.
public final class OnnxNetwork implements AutoCloseable {
  private final Path file;
  private final OrtSession session;
  private final SequencedMap<String, Port> inputs;
  private final SequencedMap<String, Port> outputs;
  private volatile boolean closed;

  private OnnxNetwork(Path file, OrtSession session) throws OrtException {
    this.file = file;
    this.session = session;
    this.inputs = ports(session.getInputInfo());
    this.outputs = ports(session.getOutputInfo());
  }

  private static SequencedMap<String, Port> ports(Map<String, NodeInfo> nodes) {
    SequencedMap<String, Port> ports = new LinkedHashMap<>();
    nodes.forEach((name, node) -> {
      if (node.getInfo() instanceof TensorInfo info) {
        ports.put(name, new Port(name, info.type.name(), info.getShape()));
      }
    });
    return ports;
  }

  /// Returns where networks run: `cpu`, or what the system property `shield.device` says.
  public static String device() {
    return System.getProperty("shield.device", "cpu").toLowerCase(Locale.ROOT);
  }

  /// Opens a file.
  ///
  /// @param file such as `unet/model.onnx`
  /// @throws IOException if it is missing or ONNX Runtime cannot load it
  public static OnnxNetwork open(Path file) throws IOException {
    return open(file, OptLevel.ALL_OPT);
  }

  /// Opens a file whose network has hardly a convolution, such as a transformer: without the
  /// reordering of convolutions, which makes others faster and rounds a little more.
  ///
  /// @throws IOException as [#open(Path)]
  public static OnnxNetwork openTransformer(Path file) throws IOException {
    return open(file, OptLevel.EXTENDED_OPT);
  }

  private static OnnxNetwork open(Path file, OptLevel level) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(file + " is missing; export the pipeline with all its parts");
    }
    if (isLargeFilePointer(file)) {
      throw new IOException(
          file + " only points to the network, which Git LFS keeps elsewhere; run 'git lfs pull'");
    }
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setOptimizationLevel(level);
      switch (device()) {
        case "cpu" -> {}
        case "cuda" -> options.addCUDA(0);
        default ->
            throw new IllegalArgumentException(
                "shield.device must be cpu or cuda, but was " + device());
      }
      OrtEnvironment environment = OrtEnvironment.getEnvironment();
      return new OnnxNetwork(file, environment.createSession(file.toString(), options));
    } catch (OrtException e) {
      throw new IOException(
          "%s cannot be loaded; copy or export it again: %s".formatted(file, oneLine(e)), e);
    }
  }

  private static boolean isLargeFilePointer(Path file) throws IOException {
    byte[] start = "version https://git-lfs".getBytes(StandardCharsets.US_ASCII);
    try (InputStream in = Files.newInputStream(file)) {
      return Arrays.equals(in.readNBytes(start.length), start);
    }
  }

  private static String oneLine(OrtException e) {
    return String.valueOf(e.getMessage())
        .replaceFirst("^Error code - \\w+ - message: ", "")
        .replaceAll("\\s+", " ")
        .strip();
  }

  public Path file() {
    return file;
  }

  /// Returns the inputs by name, in the file's order.
  public SequencedMap<String, Port> inputs() {
    return inputs;
  }

  /// Returns the outputs by name, in the file's order.
  public SequencedMap<String, Port> outputs() {
    return outputs;
  }

  /// Returns the first of some names that is an input.
  ///
  /// @throws IllegalArgumentException if none is, naming what there is
  public Port input(String... names) {
    return find("input", inputs, names);
  }

  /// Returns the first of some names that is an output.
  ///
  /// @throws IllegalArgumentException if none is, naming what there is
  public Port output(String... names) {
    return find("output", outputs, names);
  }

  private Port find(String kind, Map<String, Port> ports, String... names) {
    for (String name : names) {
      Port port = ports.get(name);
      if (port != null) {
        return port;
      }
    }
    throw new IllegalArgumentException(
        "%s has no %s named %s; it has %s"
            .formatted(file, kind, String.join(" or ", names), ports.values()));
  }

  /// Refuses inputs that nobody here knows how to feed.
  public void requireNoOtherInputs(Set<String> known) {
    Set<String> others = new TreeSet<>(inputs.keySet());
    others.removeAll(known);
    if (!others.isEmpty()) {
      throw new IllegalArgumentException(
          "%s asks for inputs that are not known here: %s; known: %s"
              .formatted(file, others, new TreeSet<>(known)));
    }
  }

  /// Runs the network.
  ///
  /// @param values one for each input
  /// @param wanted names of outputs
  /// @return the wanted outputs, in that order
  /// @throws IllegalArgumentException if ONNX Runtime refuses, naming the file
  public List<Tensor> run(Map<String, Tensor> values, String... wanted) {
    if (closed) {
      throw new IllegalStateException(file + " was closed; a closed pipeline samples nothing");
    }
    Map<String, OnnxTensor> given = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, Tensor> value : values.entrySet()) {
        given.put(value.getKey(), tensor(input(value.getKey()), value.getValue()));
      }
      Map<String, OnnxTensorLike> like = new LinkedHashMap<>(given);
      try (OrtSession.Result result = session.run(like, Set.of(wanted))) {
        List<Tensor> out = new ArrayList<>();
        for (String name : wanted) {
          out.add(read((OnnxTensor) result.get(name).orElseThrow()));
        }
        return out;
      }
    } catch (OrtException e) {
      throw new IllegalArgumentException("%s: %s".formatted(file, oneLine(e)), e);
    } finally {
      given.values().forEach(OnnxTensor::close);
    }
  }

  private static Tensor read(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer(); // halves become floats
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return new Tensor(values, tensor.getInfo().getShape());
  }

  private OnnxTensor tensor(Port port, Tensor tensor) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float[] values = tensor.values();
    OnnxJavaType type = OnnxJavaType.valueOf(port.type());
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.multiplyExact(values.length, type.size))
            .order(ByteOrder.nativeOrder());
    switch (type) {
      case FLOAT -> bytes.asFloatBuffer().put(values);
      case DOUBLE -> each(values, bytes::putDouble);
      case FLOAT16 -> each(values, value -> bytes.putShort(Float.floatToFloat16((float) value)));
      case INT64 -> each(values, value -> bytes.putLong(Math.round(value)));
      case INT32 -> each(values, value -> bytes.putInt((int) Math.round(value)));
      case BOOL -> each(values, value -> bytes.put((byte) (value == 0 ? 0 : 1)));
      default ->
          throw new IllegalArgumentException(
              "%s: the input %s is of a type that is not known here; known: FLOAT, FLOAT16, DOUBLE, INT64, INT32, BOOL"
                  .formatted(file, port));
    }
    return OnnxTensor.createTensor(environment, bytes.rewind(), tensor.shape(), type);
  }

  private interface Put {
    void put(double value);
  }

  private static void each(float[] values, Put put) {
    for (float value : values) {
      put.put(value);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      session.close();
    } catch (OrtException e) {
      throw new IllegalStateException(file + ": " + oneLine(e), e);
    }
  }
}
