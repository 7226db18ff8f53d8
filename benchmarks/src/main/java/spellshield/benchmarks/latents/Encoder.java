package spellshield.benchmarks.latents;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.onnx.Tensor;

/// An image encoder in ONNX: RGB in [0, 1], `[N, 3, H, W]`, to latents `[N, D]`.
final class Encoder implements AutoCloseable {
  private final OnnxNetwork network;
  private final String input;
  private final String output;

  Encoder(Path model) throws IOException {
    network = OnnxNetwork.open(model);
    input = network.inputs().firstEntry().getKey();
    output = network.outputs().firstEntry().getKey();
  }

  /// Returns one latent per image; the images have one size and three channels.
  float[] encode(List<RgbImage> images) {
    int width = images.getFirst().width();
    int height = images.getFirst().height();
    float[] pixels = new float[images.size() * 3 * width * height];
    int next = 0;
    for (RgbImage image : images) {
      for (int channel = 0; channel < 3; channel++) {
        for (int y = 0; y < height; y++) {
          for (int x = 0; x < width; x++) {
            pixels[next++] = image.sample(x, y, channel) / 255f;
          }
        }
      }
    }
    Tensor tensor = new Tensor(pixels, images.size(), 3, height, width);
    return network.run(Map.of(input, tensor), output).getFirst().values();
  }

  @Override
  public void close() {
    network.close();
  }
}
