package spellshield.tools;

/// What the process ends with: a contract for scripts.
final class ExitCode {
  static final int OK = 0;
  static final int INTERNAL = 1;
  static final int USAGE = 2;

  /// An image lies inside the set, or a sample could not be brought outside.
  static final int INSIDE = 3;

  /// Input that cannot be read: no pictures, a damaged picture, no such file, a full disk.
  static final int BAD_INPUT = 4;

  /// A set and an image or model of different latent spaces.
  static final int OTHER_SPACE = 5;

  /// A protected set that is not what its manifest says.
  static final int DAMAGED_SET = 6;

  private ExitCode() {}
}
