package spellshield.sampler.codec;

import java.util.Locale;

/// How a picture of any size is brought to the size that is encoded.
///
/// It decides what a model was trained on, and so it is part of the latent space: the description
/// ends with it, as in `crop=adm`. A picture that has the size already stays as it is with each of
/// them.
public enum Crop {
  /// That of ADM, `center_crop_arr` of guided-diffusion; also of DiT, and EDM2's
  /// `center-crop-dhariwal`: halved while it is twice too large, scaled by a cubic, the centre cut
  /// out.
  ADM,
  /// EDM's and EDM2's `center-crop`: the largest square in the middle, scaled by Lanczos' filter.
  CENTER,
  /// What EDM's tool does unless told: all of the picture, scaled by Lanczos' filter whatever its
  /// shape.
  RESIZE;

  /// Returns how the command line and descriptions of spaces call it.
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  /// Returns the crop that the description of a latent space ends with; [#ADM] if it names none.
  public static Crop of(String description) {
    for (Crop crop : values()) {
      if (description.endsWith(" crop=" + crop)) {
        return crop;
      }
    }
    return ADM;
  }
}
