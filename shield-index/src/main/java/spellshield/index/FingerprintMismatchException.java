package spellshield.index;

import spellshield.index.store.LatentSpace;

/// Two latent spaces were to be compared that are not the same.
public final class FingerprintMismatchException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /// Names both spaces.
  public FingerprintMismatchException(LatentSpace ofSet, LatentSpace other) {
    super(
        ("the protected set lives in the space '%s' (fingerprint %.12s…), but the model or image in"
                + " '%s' (fingerprint %.12s…); distances between them mean nothing: build the set"
                + " with the same codec")
            .formatted(ofSet, ofSet.fingerprint(), other, other.fingerprint()));
  }

  /// Refuses a space that is not that of a set.
  static void requireSame(LatentSpace ofSet, LatentSpace other) {
    if (!ofSet.fingerprint().equals(other.fingerprint())) {
      throw new FingerprintMismatchException(ofSet, other);
    }
  }
}
