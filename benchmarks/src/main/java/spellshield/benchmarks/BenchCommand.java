package spellshield.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatFactory;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import spellshield.benchmarks.latents.BenchmarkSet;
import spellshield.benchmarks.latents.MakeLatents;
import spellshield.index.store.DiskStorage;
import spellshield.index.store.Manifest;
import spellshield.tools.Main;

/// `shield bench`: runs the JMH benchmarks. The launcher starts it, as the command line itself does
/// not know this module.
@Command(
    name = "shield bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures the searches, the shield and the resizing of pictures with JMH: StepQuery, Batch,"
          + " Build, ShieldStep, Resample.",
      "",
      "Without --cache, latents drawn from a Gaussian with the spectrum of real ones stand in.",
      "",
      "Example: shield bench make-latents --cache cache",
      "         shield bench 'StepQuery.*exact' --cache cache -p share=0.2,0.3 -p regime=late"
    },
    subcommands = MakeLatentsCommand.class)
public final class BenchCommand implements Callable<Integer> {
  private static final List<Integer> COUNTS = List.of(10_000, 100_000, 1_200_000);
  private static final List<Integer> SIZES = List.of(10_000, 50_000);
  private static final long STAND_IN = 100_000;
  private static final List<Integer> QUICK_COUNTS = List.of(20_000);
  private static final List<Integer> QUICK_SIZES = List.of(5_000);
  private static final long QUICK_STAND_IN = 20_000;
  private static final Map<String, List<String>> QUICK =
      Map.of(
          "regime", List.of("EARLY", "LATE"),
          "share", List.of("0.3"),
          "batch", List.of("16"),
          "dim", List.of("2048"),
          "side", List.of("256"));
  private static final String NUMBER = "[1-9]\\d{0,8}";

  /// The parameters of all benchmarks, with what a value of each looks like.
  // spotless:off
  private static final Map<String, String> PARAMETERS =
      Map.of(
          "count", NUMBER,
          "size", NUMBER,
          "regime", "early|mid|late",
          "share", "(?=.*[1-9])\\d*\\.?\\d+",
          "batch", "1|2|4|8|16|32|64",
          "dim", NUMBER,
          "neighbours", "0|" + NUMBER,
          "side", NUMBER);
  // spotless:on

  @Spec private CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "PATTERN",
      defaultValue = ".*",
      description = "A regular expression that the names of benchmarks are to hold (default: all).")
  private String pattern;

  @Option(
      names = "--quick",
      description = {
        "One JVM a benchmark, short iterations, few parameters, 20,000 latents: a smoke run of a"
            + " minute or two. Its figures are rough."
      })
  private boolean quick;

  @Option(
      names = "--cache",
      paramLabel = "DIR",
      description = "Latents and queries that 'shield bench make-latents' made.")
  private Path cache;

  @Option(
      names = "-p",
      paramLabel = "NAME=VALUE[,VALUE...]",
      description =
          "Values of a parameter: count, size, regime, share, batch, dim, neighbours, side. May be"
              + " repeated.")
  private Map<String, String> given = new LinkedHashMap<>();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      defaultValue = "out/bench",
      description = "Where results.txt and results.json go (default: ${DEFAULT-VALUE}).")
  private Path output;

  /// Runs the command and ends the process with its exit code, one of those of `shield`.
  ///
  /// @param args as the launcher was given them, behind `bench`
  public static void main(String[] args) {
    System.exit(run(args));
  }

  static int run(String... args) {
    return Main.run(new BenchCommand(), args);
  }

  @Override
  public Integer call() throws IOException {
    SortedSet<String> chosen = chosen();
    Map<String, List<String>> parameters = given();
    Files.createDirectories(output);
    List<String> jvmArgs =
        new ArrayList<>(ManagementFactory.getRuntimeMXBean().getInputArguments());
    if (chosen.stream().anyMatch(name -> !name.matches("(ShieldStep|Resample).*"))) {
      Path latents = prepare(parameters, chosen);
      jvmArgs.add("-D%s=%s".formatted(OpenSet.CACHE, latents));
    }
    Collection<RunResult> results = run(parameters, jvmArgs);
    Path text = output.resolve("results.txt");
    try (PrintStream out = new PrintStream(text.toFile(), StandardCharsets.UTF_8)) {
      ResultFormatFactory.getInstance(ResultFormatType.TEXT, out).writeOut(results);
    }
    say("results: %s and results.json".formatted(text));
    return CommandLine.ExitCode.OK;
  }

  /// Returns the names of the benchmarks that the pattern chooses.
  private SortedSet<String> chosen() {
    try {
      Pattern.compile(pattern);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "'%s' is no regular expression: %s".formatted(pattern, e.getDescription()), e);
    }
    SortedSet<String> all = names(".*");
    SortedSet<String> chosen = names(pattern);
    if (chosen.isEmpty()) {
      throw new IllegalArgumentException(
          "no benchmark's name holds '%s'; there are %s"
              .formatted(pattern, String.join(", ", all)));
    }
    return chosen;
  }

  private static SortedSet<String> names(String pattern) {
    SortedSet<String> names = new TreeSet<>();
    for (BenchmarkListEntry entry :
        BenchmarkList.defaultList()
            .find(
                OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT),
                List.of(pattern),
                List.of())) {
      String name = entry.getUsername();
      names.add(name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1));
    }
    return names;
  }

  /// Returns the parameters that were given, each checked.
  private Map<String, List<String>> given() {
    Map<String, List<String>> parameters = new LinkedHashMap<>();
    given.forEach((name, values) -> {
      String form = PARAMETERS.get(name);
      if (form == null) {
        throw new IllegalArgumentException(
            "there is no parameter '%s'; there are %s"
                .formatted(name, String.join(", ", new TreeSet<>(PARAMETERS.keySet()))));
      }
      List<String> split = List.of(values.split(",", -1));
      for (String value : split) {
        if (!value.matches(form)) {
          throw new IllegalArgumentException("%s cannot be '%s'".formatted(name, value));
        }
      }
      parameters.put(
          name,
          name.equals("regime")
              ? split.stream().map(value -> value.toUpperCase(Locale.ROOT)).toList()
              : split);
    });
    return parameters;
  }

  /// Returns the cache, its latents made where they stand in, sketches and graphs made for every
  /// count, so that no benchmark makes them at its setup.
  private Path prepare(Map<String, List<String>> parameters, SortedSet<String> chosen)
      throws IOException {
    Path latents = cache;
    if (latents == null) {
      long wanted = quick ? QUICK_STAND_IN : STAND_IN;
      for (String name : List.of("count", "size")) {
        for (String value : parameters.getOrDefault(name, List.of())) {
          wanted = Math.max(wanted, Long.parseLong(value));
        }
      }
      latents = output.resolve("stand-in-" + wanted);
      MakeLatents.standIn(latents, wanted, this::say);
    }
    Manifest manifest = Manifest.newest(DiskStorage.at(latents.resolve("latents")));
    say(
        "measuring on %s: %,d latents of '%s'"
            .formatted(latents, manifest.count(), manifest.space().description()));
    parameters.putIfAbsent("count", upTo(manifest.count(), quick ? QUICK_COUNTS : COUNTS));
    parameters.putIfAbsent("size", upTo(manifest.count(), quick ? QUICK_SIZES : SIZES));
    for (String name : List.of("count", "size")) {
      boolean graph = name.equals("count") && chosen.contains("StepQueryBenchmark.hnsw");
      for (String count : parameters.get(name)) {
        try (BenchmarkSet set = BenchmarkSet.open(latents, Integer.parseInt(count))) {
          if (graph) {
            set.hnsw();
          }
        }
      }
    }
    return latents;
  }

  private static List<String> upTo(long held, List<Integer> wanted) {
    List<String> counts = new ArrayList<>();
    for (int count : wanted) {
      if (count <= held) {
        counts.add(Integer.toString(count));
      }
    }
    return counts.isEmpty() ? List.of(Long.toString(held)) : counts;
  }

  private Collection<RunResult> run(Map<String, List<String>> parameters, List<String> jvmArgs) {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(pattern)
            .jvmArgs(jvmArgs.toArray(String[]::new))
            .shouldFailOnError(true)
            .resultFormat(ResultFormatType.JSON)
            .result(output.resolve("results.json").toString());
    if (quick) {
      QUICK.forEach(parameters::putIfAbsent);
      options
          .forks(1)
          .warmupIterations(1)
          .warmupTime(TimeValue.milliseconds(600))
          .measurementIterations(2)
          .measurementTime(TimeValue.milliseconds(300));
      // A smoke run may share the machine with another.
      System.setProperty("jmh.ignoreLock", "true");
    }
    parameters.forEach((name, values) -> options.param(name, values.toArray(String[]::new)));
    try {
      return new Runner(options.build()).run();
    } catch (RunnerException e) {
      throw new IllegalStateException("a benchmark failed; its trace is above", e);
    }
  }

  private void say(String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.println(line);
    err.flush();
  }
}
