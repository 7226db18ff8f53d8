package spellshield.index.store;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// The space that latents live in: what made them, and their shape.
///
/// Distances are only meaningful between latents of one space. Two spaces are the same when their
/// fingerprints are: the codec, its normalisation and the preparation of the images are all part of
/// the description.
///
/// @param description one canonical line, such as `pixels-v1 28x28x1 mean=0.2860 std=0.3530
///   crop=adm`
/// @param shape of one latent, `[C, H, W]`
public record LatentSpace(String description, int... shape) {
  public LatentSpace {
    if (description.isBlank() || description.length() > 1000 || description.contains("\n")) {
      throw new IllegalArgumentException(
          "a latent space needs a description of one line, at most 1000 characters, but got '%s'"
              .formatted(description));
    }
    if (shape.length == 0 || shape.length > 8) {
      throw new IllegalArgumentException(
          "a latent has 1 to 8 extents, but the shape was " + Arrays.toString(shape));
    }
    long dim = 1;
    for (int extent : shape) {
      dim = extent < 1 ? 0 : dim * extent;
      if (dim < 1 || dim > 1 << 28) {
        throw new IllegalArgumentException(
            "a latent has 1 to 2^28 values, but the shape was " + Arrays.toString(shape));
      }
    }
  }

  /// Returns D, the number of values of one latent.
  public int dim() {
    int dim = 1;
    for (int extent : shape) {
      dim *= extent;
    }
    return dim;
  }

  /// Returns the SHA-256, in hex, of the description and the shape.
  public String fingerprint() {
    String canonical = description + "\n" + Arrays.toString(shape);
    return Hashes.sha256(canonical.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof LatentSpace that
        && description.equals(that.description)
        && Arrays.equals(shape, that.shape);
  }

  @Override
  public int hashCode() {
    return description.hashCode() * 31 + Arrays.hashCode(shape);
  }

  @Override
  public String toString() {
    return "%s, shape %s".formatted(description, Arrays.toString(shape));
  }
}
