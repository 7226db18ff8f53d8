package spellshield.tools;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import spellshield.sampler.pipeline.DiffusionPipeline;
import spellshield.sampler.pipeline.Request;

/// What a pipeline is asked for on the command line.
final class PipelineOptions {
  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "With --model: what to sample; repeat it for one prompt for each picture.")
  private List<String> prompts = new ArrayList<>();

  @Option(
      names = "--negative-prompt",
      paramLabel = "TEXT",
      description = "With --model: what guidance leads away from.")
  private @Nullable String negativePrompt;

  @Option(
      names = "--guidance",
      paramLabel = "W",
      description = "With --model: the guidance scale, 1 for none; unless told, the pipeline's.")
  private @Nullable Double guidance;

  @Option(
      names = "--scheduler",
      paramLabel = "CLASS",
      description =
          "With --model: another scheduler from the same config, such as"
              + " DPMSolverMultistepScheduler.")
  private @Nullable String scheduler;

  @Option(
      names = "--size",
      paramLabel = "N|WxH",
      description = "With --model: the size of the pictures; unless told, the model's.")
  private @Nullable String size;

  boolean given() {
    return !prompts.isEmpty()
        || negativePrompt != null
        || guidance != null
        || scheduler != null
        || size != null;
  }

  DiffusionPipeline scheduled(DiffusionPipeline pipeline) {
    return scheduler == null ? pipeline : pipeline.withScheduler(scheduler);
  }

  /// Returns the request of some seeds.
  ///
  /// @param label a class, for a pipeline of classes; null for all of them in turn
  Request request(
      DiffusionPipeline pipeline, @Nullable String label, long[] seeds, @Nullable Integer steps) {
    Request request;
    if (!prompts.isEmpty()) {
      request = Request.prompts(prompts.toArray(String[]::new));
      if (negativePrompt != null) {
        request.negativePrompts(negativePrompt);
      }
    } else if (label != null) {
      request = Request.labels(pipeline.label(label));
    } else if (!pipeline.labels().isEmpty()) {
      int classes = pipeline.labels().size();
      // By seed, so that a picture does not depend on how many were asked for.
      request =
          Request.labels(
              Arrays.stream(seeds).mapToInt(seed -> Math.floorMod(seed, classes)).toArray());
    } else {
      request = Request.unconditional();
    }
    request.seeds(seeds);
    if (steps != null) {
      request.steps(steps);
    }
    if (guidance != null) {
      request.guidanceScale(guidance);
    }
    if (size != null) {
      PixelSize pixels = PixelSize.parse(size);
      request.size(pixels.width(), pixels.height());
    }
    return request;
  }
}
