package spellshield.sampler.codec;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import spellshield.index.store.Hashes;
import spellshield.index.store.LatentSpace;
import spellshield.sampler.Latents;
import spellshield.sampler.guarantee.FileCheck;
import spellshield.sampler.image.RgbImage;
import spellshield.sampler.onnx.OnnxNetwork;
import spellshield.sampler.onnx.Port;
import spellshield.sampler.onnx.Tensor;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The autoencoder of a latent diffusion model: pictures to latents and back.
///
/// ```text
/// x   = low + (high − low)·pixel/255           [3, H, W]; the range is [−1, 1] unless the config says
/// z   = scaled(E(x)),   the mean of the posterior    [C, H/f, W/f]
/// pixel = round(255·clamp((D(unscaled(z)) − low)/(high − low), 0, 1))      half to even
/// ```
///
/// where [LatentScaling] is in the config. Encoding is deterministic: an encoder that draws its
/// latents is refused when it is opened. Safe for several threads; holds native memory until it is
/// closed.
public final class AutoencoderCodec implements AutoCloseable {

  /// How far a latent may move when another machine encodes the same picture: what reordered sums
  /// in the network came to, and a good deal more.
  public static final double ENCODER_TOLERANCE = 1e-3;

  /// More at once cost memory and save no time.
  private static final int MOST_AT_ONCE = 16;

  private static final JsonMapper JSON = new JsonMapper();

  private final OnnxNetwork encoder;
  private final OnnxNetwork decoder;
  private final String pixels;
  private final String latentOutput;
  private final int channels;
  private final int factor;
  private final LatentScaling scaling;
  private final double low;
  private final double high;
  private final String encoderHash;
  private final int sampleSize;

  private AutoencoderCodec(
      OnnxNetwork encoder, OnnxNetwork decoder, JsonNode config, Path configFile, String hash) {
    this.encoder = encoder;
    this.decoder = decoder;
    this.encoderHash = hash;
    this.pixels = encoder.input("sample").name();
    Port latent = encoder.output("latent_parameters", "latent_sample");
    this.latentOutput = latent.name();
    this.channels = channels(config, configFile, decoder);
    this.factor = 1 << (blocks(config, configFile) - 1);
    this.scaling = LatentScaling.read(config, channels, configFile);
    this.sampleSize = config.path("sample_size").asInt(0);
    double[] range = range(config.path("image_range"), configFile);
    this.low = range[0];
    this.high = range[1];
  }

  private static double[] range(JsonNode range, Path file) {
    if (range.isMissingNode() || range.isNull()) {
      return new double[] {-1, 1};
    }
    boolean numbers =
        range.isArray() && range.size() == 2 && range.valueStream().allMatch(JsonNode::isNumber);
    if (!numbers || !(range.path(0).asDouble() < range.path(1).asDouble())) {
      throw new IllegalArgumentException(
          "%s: image_range must be two rising numbers, such as [0, 1], but was %s"
              .formatted(file, range));
    }
    return new double[] {range.path(0).asDouble(), range.path(1).asDouble()};
  }

  private static int channels(JsonNode config, Path file, OnnxNetwork decoder) {
    int said = config.path("latent_channels").asInt(0);
    int seen = (int) decoder.input("latent_sample").extent(1, said);
    if (seen < 1 || (said > 0 && said != seen)) {
      throw new IllegalArgumentException(
          "%s says latent_channels %s, but %s takes %s"
              .formatted(
                  file, config.path("latent_channels"), decoder.file(), decoder.inputs().values()));
    }
    return seen;
  }

  private static int blocks(JsonNode config, Path file) {
    JsonNode list = config.path("block_out_channels");
    int blocks = list.size();
    if (blocks < 1 || blocks > 10) {
      throw new IllegalArgumentException(
          ("%s needs block_out_channels, one entry for each halving of the picture and one more, but"
                  + " %s")
              .formatted(file, list.isMissingNode() ? "lacks it" : "has " + list));
    }
    return blocks;
  }

  /// Opens the autoencoder of a pipeline's folder.
  ///
  /// @param folder with `vae_encoder/` and `vae_decoder/`, each a `model.onnx`, and a `config.json`
  ///   in one of them or in `vae/`
  /// @throws IOException if a part is missing or cannot be read
  /// @throws IllegalArgumentException if the config lacks the scaling, the shapes do not fit, or
  ///   the encoder draws its latents
  public static AutoencoderCodec open(Path folder) throws IOException {
    Path configFile =
        Stream.of("vae_encoder", "vae_decoder", "vae")
            .map(part -> folder.resolve(part).resolve("config.json"))
            .filter(Files::isRegularFile)
            .findFirst()
            .orElseThrow(() ->
                new IOException(
                    folder
                        + " has no vae_encoder/config.json, which holds the scale of the latents;"
                        + " export the pipeline with its configs"));
    JsonNode config = readConfig(configFile);
    OnnxNetwork encoder = OnnxNetwork.open(folder.resolve("vae_encoder/model.onnx"));
    try {
      OnnxNetwork decoder = OnnxNetwork.open(folder.resolve("vae_decoder/model.onnx"));
      try {
        AutoencoderCodec codec =
            new AutoencoderCodec(
                encoder, decoder, config, configFile, hash(folder.resolve("vae_encoder")));
        codec.requireDeterminism();
        return codec;
      } catch (RuntimeException | IOException e) {
        decoder.close();
        throw e;
      }
    } catch (RuntimeException | IOException e) {
      encoder.close();
      throw e;
    }
  }

  private static JsonNode readConfig(Path file) throws IOException {
    try {
      return JSON.readTree(Files.readString(file));
    } catch (JacksonException e) {
      throw new IllegalArgumentException(file + ": no JSON: " + e.getOriginalMessage(), e);
    }
  }

  /// Returns the SHA-256 of the encoder: of its model and of any data beside it, in order of name.
  private static String hash(Path part) throws IOException {
    MessageDigest digest = Hashes.sha256();
    try (Stream<Path> files = Files.list(part)) {
      for (Path file : files.filter(f -> !f.endsWith("config.json")).sorted().toList()) {
        try (InputStream in = Files.newInputStream(file)) {
          in.transferTo(new DigestOutputStream(OutputStream.nullOutputStream(), digest));
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private void requireDeterminism() {
    Port port = encoder.input(pixels);
    int height = (int) port.extent(2, 8L * factor);
    int width = (int) port.extent(3, 8L * factor);
    RgbImage grey = RgbImage.filled(width, height, 0x808080);
    float[] first = encode(List.of(grey)).values();
    if (!Arrays.equals(first, encode(List.of(grey)).values())) {
      throw new IllegalArgumentException(
          ("%s draws its latents: two runs over one picture differ. Export it with the mean, as"
                  + " latent_parameters or without the random node")
              .formatted(encoder.file()));
    }
  }

  /// Returns f, how many pixels a latent is wide and high.
  public int factor() {
    return factor;
  }

  /// Returns the width and height of pictures that the config names, or 0 if it names none.
  public int sampleSize() {
    return sampleSize;
  }

  /// Returns C.
  public int channels() {
    return channels;
  }

  /// Returns `[C, H/f, W/f]`.
  ///
  /// @throws IllegalArgumentException if the size is no multiple of f
  public int[] latentShape(int width, int height) {
    if (width < factor || height < factor || width % factor != 0 || height % factor != 0) {
      throw new IllegalArgumentException(
          "width and height must be multiples of %d, but were %d and %d"
              .formatted(factor, width, height));
    }
    return new int[] {channels, height / factor, width / factor};
  }

  /// Returns the space of the latents of pictures of a size: the hash of the encoder, the scaling,
  /// the range and the preparation of pictures are all in its description.
  ///
  /// @param crop how pictures of other sizes are brought to this one
  public LatentSpace space(int width, int height, Crop crop) {
    return new LatentSpace(
        "autoencoder-v1 encoder=%s %s range=%s..%s %dx%dx3 crop=%s"
            .formatted(encoderHash, scaling.describe(), low, high, width, height, crop),
        latentShape(width, height));
  }

  /// Returns the latents of pictures of one size, in the model's scale.
  ///
  /// @param images colour or grey, all of one size, at least one
  public Latents encode(List<RgbImage> images) {
    RgbImage first = images.getFirst();
    int width = first.width();
    int height = first.height();
    int plane = width * height;
    float[] samples = new float[Math.multiplyExact(images.size(), 3 * plane)];
    for (int i = 0; i < images.size(); i++) {
      RgbImage image = images.get(i);
      if (image.width() != width || image.height() != height) {
        throw new IllegalArgumentException(
            "pictures of one batch must have one size, but were %s and %s".formatted(first, image));
      }
      byte[] bytes = image.withChannels(3).samples();
      for (int s = 0; s < bytes.length; s++) {
        samples[(3 * i + s % 3) * plane + s / 3] = (float) ((bytes[s] & 0xff) / 255.0);
      }
    }
    return encodeSamples(samples, width, height);
  }

  /// Returns the latents of pictures of one size, in the model's scale.
  ///
  /// @param samples `[B, 3, H, W]`, in [0, 1]
  public Latents encodeSamples(float[] samples, int width, int height) {
    int[] shape = latentShape(width, height);
    int size = 3 * width * height;
    int batch = samples.length / size;
    Latents latents = Latents.zeros(batch, shape);
    int dim = latents.dim();
    for (int from = 0; from < batch; from += MOST_AT_ONCE) {
      int count = Math.min(batch - from, MOST_AT_ONCE);
      float[] input = new float[count * size];
      for (int i = 0; i < input.length; i++) {
        input[i] = (float) (low + (high - low) * samples[from * size + i]);
      }
      Tensor tensor = new Tensor(input, count, 3, height, width);
      Tensor answer = encoder.run(Map.of(pixels, tensor), latentOutput).getFirst();
      float[] part = means(answer, count, shape);
      scaling.toModel(part, shape[1] * shape[2]);
      System.arraycopy(part, 0, latents.values(), from * dim, part.length);
    }
    return latents;
  }

  /// Takes the means out of means and logarithms of variances.
  private float[] means(Tensor answer, int batch, int[] shape) {
    int size = channels * shape[1] * shape[2];
    int row = answer.rowSize();
    if (row != size && row != 2 * size) {
      throw new IllegalArgumentException(
          ("%s answered %s for latents of %s; block_out_channels in its config must have one entry"
                  + " for each halving of the picture and one more, and had %d")
              .formatted(
                  encoder.file(),
                  Arrays.toString(answer.shape()),
                  Arrays.toString(shape),
                  1 + Integer.numberOfTrailingZeros(factor)));
    }
    float[] means = new float[batch * size];
    for (int i = 0; i < batch; i++) {
      System.arraycopy(answer.values(), i * row, means, i * size, size);
    }
    return means;
  }

  /// Returns what the decoder makes of latents, `[B, 3, H, W]`, in [0, 1].
  public float[] decodeSamples(Latents latents) {
    int[] shape = latents.shape();
    if (shape.length != 3 || shape[0] != channels) {
      throw new IllegalArgumentException(
          "latents of %d channels, [C, H, W], are needed, but the shape was %s"
              .formatted(channels, Arrays.toString(shape)));
    }
    int size = latents.dim();
    float[] samples =
        new float[Math.multiplyExact(latents.batch(), 3 * shape[1] * shape[2] * factor * factor)];
    int at = 0;
    for (int from = 0; from < latents.batch(); from += MOST_AT_ONCE) {
      int count = Math.min(latents.batch() - from, MOST_AT_ONCE);
      float[] part = Arrays.copyOfRange(latents.values(), from * size, (from + count) * size);
      Tensor input =
          new Tensor(
              scaling.fromModel(part, shape[1] * shape[2]), count, channels, shape[1], shape[2]);
      float[] answer =
          decoder
              .run(
                  Map.of(decoder.input("latent_sample").name(), input),
                  decoder.output("sample").name())
              .getFirst()
              .values();
      for (float value : answer) {
        samples[at++] = (float) Math.clamp((value - low) / (high - low), 0.0, 1.0);
      }
    }
    return samples;
  }

  /// Returns the pictures of latents, 8 bits a sample.
  ///
  /// @throws IllegalArgumentException if a decoded value is NaN
  public List<RgbImage> decode(Latents latents) {
    int height = latents.shape()[1] * factor;
    int width = latents.shape()[2] * factor;
    int plane = width * height;
    float[] samples = decodeSamples(latents);
    List<RgbImage> images = new ArrayList<>();
    for (int i = 0; i < latents.batch(); i++) {
      byte[] bytes = new byte[3 * plane];
      for (int s = 0; s < bytes.length; s++) {
        float value = samples[(3 * i + s % 3) * plane + s / 3];
        if (Float.isNaN(value)) {
          throw new IllegalArgumentException(
              "%s made NaN of row %d; a decoder of 16-bit floats may overflow: export it in 32 bits"
                  .formatted(decoder.file(), i));
        }
        bytes[s] = (byte) Math.rint(value * 255.0);
      }
      images.add(new RgbImage(width, height, 3, bytes));
    }
    return images;
  }

  /// Returns the check of the files of latents of a shape: decoded, rounded to 8 bits, encoded.
  public FileCheck fileCheck(int... shape) {
    return new ReencodedPicture(this, shape);
  }

  @Override
  public void close() {
    encoder.close();
    decoder.close();
  }
}
