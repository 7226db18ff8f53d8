package spellshield.index.store;

/// A protected set on disk is not what its manifest says.
///
/// It is never answered by falling back to an older generation: that would protect fewer images
/// than promised. The message names the file, what was found, what was expected, and the way out.
public final class DamagedSetException extends RuntimeException {
  private static final long serialVersionUID = 1;
  private static final String WAY_OUT = "; restore the folder from a copy or build the set again";

  /// Tells what was found in a file of the set.
  public DamagedSetException(String file, String finding) {
    super(file + ": " + finding + WAY_OUT);
  }

  DamagedSetException(String file, String finding, Throwable cause) {
    super(file + ": " + finding + WAY_OUT, cause);
  }

  private DamagedSetException(DamagedSetException earlier) {
    super(earlier.getMessage(), earlier);
  }

  /// Returns the same finding again, for a later caller with a stack of its own.
  DamagedSetException again() {
    return new DamagedSetException(this);
  }
}
