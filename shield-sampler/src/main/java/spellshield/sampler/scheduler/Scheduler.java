package spellshield.sampler.scheduler;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/// A `scheduler_config.json` that was read and understood.
///
/// Every field counts as in diffusers 0.40, defaults included; a class swapped by [#withClass]
/// reads the same fields with its own defaults, which is what `from_config` does in Python with the
/// config of a saved pipeline. Immutable.
public final class Scheduler {
  private final SchedulerConfig config;
  private final Recipe recipe;

  private Scheduler(SchedulerConfig config, Recipe recipe) {
    this.config = config;
    this.recipe = recipe;
  }

  /// Reads a config file.
  ///
  /// @throws IOException if the file cannot be read
  /// @throws IllegalArgumentException as [#parse], naming the file
  public static Scheduler read(Path file) throws IOException {
    String json = Files.readString(file);
    try {
      return parse(json);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(file + ": " + e.getMessage(), e);
    }
  }

  /// Reads a config.
  ///
  /// @throws IllegalArgumentException if it names a class or an option that would change the result
  ///   and is not supported, or has a value that makes no sense
  public static Scheduler parse(String json) {
    return of(SchedulerConfig.parse(json));
  }

  private static Scheduler of(SchedulerConfig config) {
    return new Scheduler(config, Recipe.of(config));
  }

  /// Returns the scheduler of another class from the same config.
  ///
  /// @param className as diffusers spells it, such as `DPMSolverMultistepScheduler`
  public Scheduler withClass(String className) {
    return of(config.withClass(className));
  }

  /// Returns the DDIM scheduler with noise in its steps; 0, the default, is deterministic.
  ///
  /// @param eta η, 0 to 1
  public Scheduler withEta(double eta) {
    if (recipe instanceof DiffusionRecipe ddim && ddim.jumps()) {
      return new Scheduler(config, ddim.withEta(eta));
    }
    throw config.refusal("eta belongs to DDIMScheduler alone");
  }

  /// Returns the class that the config asks for.
  public String className() {
    return config.className();
  }

  /// Returns what a user should be told: that another scheduler stands in, if one does.
  public Optional<String> note() {
    return config.className().equals("PNDMScheduler")
        ? Optional.of(
            "PNDMScheduler is sampled as DPMSolverMultistepScheduler from the same config")
        : Optional.empty();
  }

  /// Returns the run of a number of steps.
  ///
  /// @throws IllegalArgumentException if the steps do not fit the training timesteps, or the shift
  ///   depends on the size of the picture
  public Plan plan(int steps) {
    return recipe.plan(steps, OptionalInt.empty());
  }

  /// Returns the run of a number of steps for a picture of a size.
  ///
  /// @param patches how many patches the network cuts the latent into, which only a dynamic shift
  ///   looks at: height · width / patch²
  public Plan plan(int steps, int patches) {
    return recipe.plan(steps, OptionalInt.of(patches));
  }
}
