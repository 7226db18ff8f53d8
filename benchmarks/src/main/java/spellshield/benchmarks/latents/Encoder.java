package spellshield.benchmarks.latents;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import spellshield.sampler.image.RgbImage;

/// An image encoder in ONNX: RGB in [0, 1], `[N, 3, H, W]`, to latents `[N, D]`. One thread at a
/// time.
final class Encoder implements AutoCloseable {
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final String input;

  Encoder(Path model) throws OrtException {
    session = environment.createSession(model.toString());
    input = session.getInputNames().iterator().next();
  }

  /// Returns one latent per image; the images have one size and three channels.
  float[] encode(List<RgbImage> images) throws OrtException {
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
    long[] shape = {images.size(), 3, height, width};
    try (OnnxTensor tensor = OnnxTensor.createTensor(environment, FloatBuffer.wrap(pixels), shape);
        OrtSession.Result result = session.run(Map.of(input, tensor))) {
      FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] latents = new float[buffer.remaining()];
      buffer.get(latents);
      return latents;
    }
  }

  @Override
  public void close() throws OrtException {
    session.close();
  }
}
