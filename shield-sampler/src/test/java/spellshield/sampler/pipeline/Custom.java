package spellshield.sampler.pipeline;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import spellshield.sampler.testing.TinyPipelines;

/// Pipelines of the linear networks, with whatever `denoiser/config.json` a test wants.
final class Custom {
  private Custom() {}

  /// Writes a pipeline into a folder and returns it.
  ///
  /// @param network `index`, `one_hot` or `unlabelled`
  /// @param fields of the config beside the names of inputs and output, with ' for "
  static Path write(Path folder, String network, String... fields) throws IOException {
    TinyPipelines.copy("edm", folder);
    Files.copy(
        TinyPipelines.folder("linear").resolve(network + ".onnx"),
        Files.createDirectories(folder.resolve("denoiser")).resolve("model.onnx"),
        StandardCopyOption.REPLACE_EXISTING);
    String config = "{'latent_shape': [4, 8, 8], 'noise_input': 'level', 'output': 'F'";
    for (String field : fields) {
      config += ", " + field;
    }
    Files.writeString(folder.resolve("denoiser/config.json"), config.replace('\'', '"') + "}");
    return folder;
  }
}
