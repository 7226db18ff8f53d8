package spellshield.index.store;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Starts a class of the tests in a JVM of its own.
final class ChildJvm {
  private ChildJvm() {}

  /// Starts `main` with this JVM's class path; standard error joins standard output.
  static Process start(Class<?> main, Path workingFolder, String... arguments) throws IOException {
    return start(main, workingFolder, System.getProperty("java.class.path"), List.of(), arguments);
  }

  /// Starts `main` with a class path and further options of the JVM.
  static Process start(
      Class<?> main,
      Path workingFolder,
      String classPath,
      List<String> options,
      String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-Xmx256m", "-cp", classPath));
    command.addAll(options);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command)
        .directory(workingFolder.toFile())
        .redirectErrorStream(true)
        .start();
  }

  /// Returns this JVM's class path with its folders packed into one jar: only then the JDK keeps
  /// loaded classes in an archive, which halves the time of a start.
  static String packedClassPath(Path jar) throws IOException {
    List<String> entries = new ArrayList<>(List.of(jar.toString()));
    Set<String> names = new HashSet<>();
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        Path root = Path.of(entry);
        if (!Files.isDirectory(root)) {
          entries.add(entry);
          continue;
        }
        try (Stream<Path> paths = Files.walk(root)) {
          for (Path file : paths.filter(Files::isRegularFile).toList()) {
            String name = root.relativize(file).toString().replace(File.separatorChar, '/');
            if (names.add(name)) {
              out.putNextEntry(new ZipEntry(name));
              Files.copy(file, out);
            }
          }
        }
      }
    }
    return String.join(File.pathSeparator, entries);
  }
}
