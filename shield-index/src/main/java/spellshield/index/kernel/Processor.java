package spellshield.index.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/// What the Vector API does not tell of the processor.
final class Processor {
  private static final Path INFO = Path.of("/proc/cpuinfo");
  private static final Pattern FLAG = Pattern.compile("\\bavx512_?vbmi\\b");

  private Processor() {}

  /// Returns whether bytes can be looked up in a table of 64 by one instruction (`vpermb` of
  /// AVX-512 VBMI), which the JDK would otherwise imitate at many times the cost.
  ///
  /// Told by Linux; elsewhere tables of 16 are used, whose answers are the same.
  static boolean looksUpIn64() {
    try {
      return Files.isReadable(INFO) && FLAG.matcher(Files.readString(INFO)).find();
    } catch (IOException e) {
      return false;
    }
  }
}
