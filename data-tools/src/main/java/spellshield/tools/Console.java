package spellshield.tools;

import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/// Where a command writes: results to standard output, talk to standard error.
///
/// @param out standard output
/// @param err standard error
record Console(PrintWriter out, PrintWriter err) {

  static Console of(@Nullable CommandSpec spec) {
    if (spec == null) {
      throw new IllegalStateException("a command runs through picocli, which gives it its spec");
    }
    return new Console(spec.commandLine().getOut(), spec.commandLine().getErr());
  }

  /// Prints a result.
  void print(String text) {
    out.println(text);
    out.flush();
  }

  /// Prints talk.
  void say(String text) {
    err.println(text);
    err.flush();
  }
}
