package spellshield.tools;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;
import spellshield.index.FingerprintMismatchException;
import spellshield.index.store.DamagedSetException;

/// The command `shield`.
@Command(
    name = "shield",
    version = "SpellShield 0.1.0-SNAPSHOT",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    description =
        "Keeps what diffusion models generate outside a protected set of images, and proves it.",
    footerHeading = "%nA session, in order:%n",
    footer = {
      "  shield index pictures/ -o set        protect the pictures of a folder or an archive",
      "  shield merge part1 part2 -o set      join the sets of machines that shared the work",
      "  shield inspect set                   what is in the set",
      "  shield calibrate set --pictures pictures/ --held-out others/    which radius?",
      "  shield sample set -o out -n 8        sample with the shield in force",
      "  shield audit set out/*.png           how near is each picture to the set?",
      "  shield add set more/                 protect more pictures",
      "  shield remove set a.png              protect one no longer",
      "  shield compact set                   after many changes: one order again",
      "  shield demo                          all of it, on the pictures that come along",
      "  shield bench --quick                 how fast are the searches here? (JMH)",
      "",
      "Exit codes: 0 fine, 1 internal error, 2 usage, 3 something lies inside the set,",
      "4 input cannot be read, 5 another latent space, 6 damaged set, 130 interrupted."
    },
    subcommands = {
      IndexCommand.class,
      MergeCommand.class,
      AddCommand.class,
      RemoveCommand.class,
      CompactCommand.class,
      SampleCommand.class,
      AuditCommand.class,
      InspectCommand.class,
      CalibrateCommand.class,
      DemoCommand.class,
      AutoComplete.GenerateCompletion.class
    })
public final class Main {
  // Held here: the log manager forgets loggers that nobody holds, and their levels with them.
  private static final Logger LUCENE = Logger.getLogger("org.apache.lucene");
  private static final Logger HARDWOOD = Logger.getLogger("dev.hardwood");

  private Main() {}

  /// Runs a command and ends the process with its exit code.
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /// Runs a command and returns its exit code.
  static int run(String... args) {
    if (args.length == 0) {
      new CommandLine(new Main()).usage(System.out);
      return ExitCode.USAGE;
    }
    return run(new Main(), args);
  }

  /// Runs another command of the project as this one runs: one line for a wrong call, the same exit
  /// codes.
  ///
  /// @param command a picocli command whose name begins with `shield`
  /// @return the exit code
  public static int run(Object command, String... args) {
    LUCENE.setLevel(Level.WARNING); // they tell at every start which vectors they use
    HARDWOOD.setLevel(Level.WARNING);
    Locale.setDefault(Locale.ROOT); // numbers read the same everywhere
    CommandLine commandLine = new CommandLine(command);
    commandLine.setExecutionExceptionHandler((e, failed, parsed) -> explain(e, failed));
    commandLine.setParameterExceptionHandler((e, wrong) -> usage(e));
    commandLine.setCaseInsensitiveEnumValuesAllowed(true);
    return commandLine.execute(args);
  }

  private static int usage(ParameterException e) {
    CommandLine command = e.getCommandLine();
    StringBuilder line =
        new StringBuilder("shield: ").append(message(e).lines().findFirst().orElse(""));
    if (e instanceof UnmatchedArgumentException unmatched
        && !unmatched.getSuggestions().isEmpty()) {
      line.append("; did you mean ")
          .append(String.join(" or ", unmatched.getSuggestions()))
          .append('?');
    }
    line.append("; see '").append(command.getCommandSpec().qualifiedName()).append(" --help'");
    command.getErr().println(line);
    command.getErr().flush();
    return ExitCode.USAGE;
  }

  private static int explain(Exception e, CommandLine command) {
    int code =
        switch (e) {
          case DamagedSetException damaged -> ExitCode.DAMAGED_SET;
          case FingerprintMismatchException mismatch -> ExitCode.OTHER_SPACE;
          case IllegalArgumentException usage -> ExitCode.USAGE;
          case IOException io -> ExitCode.BAD_INPUT;
          case UncheckedIOException io -> ExitCode.BAD_INPUT;
          default -> ExitCode.INTERNAL;
        };
    if (code == ExitCode.INTERNAL) {
      e.printStackTrace(command.getErr());
    } else {
      command.getErr().println("shield: " + message(e));
    }
    command.getErr().flush();
    return code;
  }

  private static String message(Exception e) {
    return switch (e) {
      case NoSuchFileException missing when missing.getReason() == null ->
          missing.getFile() + ": no such file or folder";
      case UncheckedIOException wrapper when wrapper.getCause() != null ->
          String.valueOf(wrapper.getCause().getMessage());
      default -> e.getMessage() == null ? e.toString() : e.getMessage();
    };
  }
}
