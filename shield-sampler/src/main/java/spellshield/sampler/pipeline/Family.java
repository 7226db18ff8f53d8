package spellshield.sampler.pipeline;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import spellshield.sampler.Condition;
import spellshield.sampler.onnx.Port;
import spellshield.sampler.scheduler.Network;
import spellshield.sampler.scheduler.Plan;

/// A family of pipelines: how it reads a request, and how its network is fed.
sealed interface Family extends Network, AutoCloseable
    permits ClassConditional, StableDiffusion, StableDiffusion3, CustomDenoiser {

  /// Returns what to sample; [Condition.Guided] where there is something to guide away from.
  ///
  /// @param width in pixels
  /// @param height in pixels
  /// @param guided whether a negative half is needed
  Condition condition(Request request, int width, int height, boolean guided);

  /// Returns the width and height of a latent unless a request says another.
  int latentSize();

  /// Returns the input for latents.
  Port latents();

  /// Refuses latents that the network cannot take.
  ///
  /// @param shape `[C, H, W]`
  /// @param why what they come from
  default void requireLatents(String why, int... shape) {
    if (!latents().takes(shape)) {
      throw new IllegalArgumentException(
          "%s gives latents of %s, but the network's input is %s"
              .formatted(why, Arrays.toString(shape), latents()));
    }
  }

  /// Returns how many latents a patch of the network is wide: 1 for most.
  default int patch() {
    return 1;
  }

  /// Returns the run of a number of steps, of a family that has no scheduler.
  default Optional<Plan> ownPlan(int steps) {
    return Optional.empty();
  }

  /// Returns diffusers' own number of steps.
  int defaultSteps();

  /// Returns diffusers' own guidance scale.
  double defaultGuidanceScale();

  /// Returns the names of the classes by number; empty for texts.
  default List<String> labels() {
    return List.of();
  }

  @Override
  void close();

  /// Opens the family that a folder's `model_index.json` names.
  static Family open(PipelineFolder folder) throws IOException {
    return switch (folder.className()) {
      case "StableDiffusionPipeline", "OnnxStableDiffusionPipeline", "ORTStableDiffusionPipeline" ->
          StableDiffusion.open(folder, false);
      case "StableDiffusionXLPipeline", "ORTStableDiffusionXLPipeline" ->
          StableDiffusion.open(folder, true);
      case "StableDiffusion3Pipeline", "ORTStableDiffusion3Pipeline" ->
          StableDiffusion3.open(folder);
      case "DiTPipeline" -> ClassConditional.open(folder);
      case "DenoiserPipeline" -> CustomDenoiser.open(folder);
      default ->
          throw new IllegalArgumentException(
              ("%s/model_index.json: the pipeline class '%s' is not supported; supported:"
                      + " StableDiffusionPipeline, StableDiffusionXLPipeline,"
                      + " StableDiffusion3Pipeline, DiTPipeline, and DenoiserPipeline for any other"
                      + " network (docs/models.md)")
                  .formatted(folder.folder(), folder.className()));
    };
  }

  /// Refuses a request without texts.
  static void requireTexts(Request request) {
    if (!request.asksForTexts()) {
      throw new IllegalArgumentException("this pipeline samples texts; give prompts");
    }
  }
}
