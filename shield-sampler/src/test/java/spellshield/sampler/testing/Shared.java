package spellshield.sampler.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/// The folder of reference data beside the repository, which is not part of it.
public final class Shared {
  private Shared() {}

  /// Returns a file or folder in it; the test is skipped where it is absent.
  public static Path path(String name) {
    Path path = Path.of("../../shared").resolve(name);
    assumeTrue(Files.exists(path), "skipped: no " + path + " beside the repository");
    return path;
  }
}
