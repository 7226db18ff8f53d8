package spellshield.sampler.pipeline;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import spellshield.sampler.Latents;
import spellshield.sampler.StepListener;
import spellshield.sampler.guidance.Cads;

/// What to sample: texts or labels, one seed for each picture, and how.
///
/// ```java
/// Request.prompts("a close-up of an apple").negativePrompts("blurry").seeds(1, 2, 3).steps(30)
/// ```
///
/// A list of one prompt or label stands for all pictures. A picture depends on its own seed, prompt
/// and settings, not on the batch: bit for bit on the CPU, and on a GPU but for roundings. Not for
/// several threads at once.
public final class Request {
  private final List<String> prompts;
  private final int[] labels;
  private List<String> prompts2 = List.of();
  private List<String> prompts3 = List.of();
  private List<String> negativePrompts = List.of();
  private List<String> negativePrompts2 = List.of();
  private long @Nullable [] seeds;
  private OptionalInt steps = OptionalInt.empty();
  private OptionalDouble guidanceScale = OptionalDouble.empty();
  private int width;
  private int height;
  private int batch = 16;
  private double guidanceLow = 0;
  private double guidanceHigh = Double.POSITIVE_INFINITY;
  private Cads.@Nullable Settings cads;
  private @Nullable Latents initialNoise;
  private @Nullable StepListener listener;
  private @Nullable Sizes sizes;
  private Timing timing = new Timing();
  private boolean pictures = true;

  /// The sizes that SDXL was trained to be told, in pixels.
  public record Sizes(
      int originalHeight,
      int originalWidth,
      int cropTop,
      int cropLeft,
      int targetHeight,
      int targetWidth) {
    float[] toArray() {
      return new float[] {
        originalHeight, originalWidth, cropTop, cropLeft, targetHeight, targetWidth
      };
    }
  }

  private Request(List<String> prompts, int[] labels) {
    this.prompts = prompts;
    this.labels = labels;
  }

  /// Asks for pictures of texts.
  public static Request prompts(String... prompts) {
    if (prompts.length == 0) {
      throw new IllegalArgumentException("a request needs at least one prompt");
    }
    return new Request(List.of(prompts), new int[0]);
  }

  /// Asks for pictures of classes, as the model counts them.
  public static Request labels(int... labels) {
    if (labels.length == 0) {
      throw new IllegalArgumentException("a request needs at least one label");
    }
    return new Request(List.of(), labels.clone());
  }

  /// Asks for pictures of nothing in particular, from a model that is told nothing.
  public static Request unconditional() {
    return new Request(List.of(), new int[0]);
  }

  /// Gives the second text encoder (SDXL, Stable Diffusion 3) other prompts than the first.
  public Request prompts2(String... others) {
    prompts2 = List.of(others);
    return this;
  }

  /// Gives the third text encoder (Stable Diffusion 3) other prompts than the first.
  public Request prompts3(String... others) {
    prompts3 = List.of(others);
    return this;
  }

  /// Says what guidance leads away from. Without it the empty text is used; SDXL takes zeros.
  public Request negativePrompts(String... negatives) {
    negativePrompts = List.of(negatives);
    return this;
  }

  /// Gives the second text encoder other negative prompts than the first.
  public Request negativePrompts2(String... negatives) {
    negativePrompts2 = List.of(negatives);
    return this;
  }

  /// Sets the seeds, one for each picture; unless told 0, 1, … for each prompt or label.
  public Request seeds(long... seedOfEach) {
    if (seedOfEach.length == 0) {
      throw new IllegalArgumentException("a request needs at least one seed");
    }
    seeds = seedOfEach.clone();
    return this;
  }

  /// Sets the steps; unless told, as many as diffusers takes for the pipeline.
  public Request steps(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("steps must be at least 1, but was " + count);
    }
    steps = OptionalInt.of(count);
    return this;
  }

  /// Sets the guidance scale w; 1 is no guidance; unless told, diffusers' for the pipeline.
  public Request guidanceScale(double scale) {
    if (!Double.isFinite(scale)) {
      throw new IllegalArgumentException("guidanceScale must be finite, but was " + scale);
    }
    guidanceScale = OptionalDouble.of(scale);
    return this;
  }

  /// Guides only while σ_low < σ ≤ σ_high.
  public Request guidanceInterval(double sigmaLow, double sigmaHigh) {
    if (!(0 <= sigmaLow && sigmaLow < sigmaHigh)) {
      throw new IllegalArgumentException(
          "need 0 ≤ sigmaLow < sigmaHigh, but sigmaLow=%s, sigmaHigh=%s"
              .formatted(sigmaLow, sigmaHigh));
    }
    guidanceLow = sigmaLow;
    guidanceHigh = sigmaHigh;
    return this;
  }

  /// Anneals the texts' embeddings.
  public Request cads(Cads.Settings settings) {
    cads = settings;
    return this;
  }

  /// Sets the size in pixels, multiples of the codec's factor; unless told, the model's own.
  public Request size(int widthInPixels, int heightInPixels) {
    if (widthInPixels < 1 || heightInPixels < 1) {
      throw new IllegalArgumentException(
          "width and height must be at least 1, but were %d and %d"
              .formatted(widthInPixels, heightInPixels));
    }
    width = widthInPixels;
    height = heightInPixels;
    return this;
  }

  /// Tells SDXL other sizes than the picture's own.
  public Request sizes(Sizes told) {
    sizes = told;
    return this;
  }

  /// Sets how many pictures are sampled at once; 16 unless told. On the CPU they share searches,
  /// not calls of the network.
  public Request batch(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("batch must be at least 1, but was " + count);
    }
    batch = count;
    return this;
  }

  /// Starts from given noise `N(0, I)`, one row for each seed, instead of drawing it.
  public Request initialNoise(Latents noise) {
    initialNoise = noise;
    return this;
  }

  /// Watches every prediction; see [StepListener].
  public Request listener(StepListener watcher) {
    listener = watcher;
    return this;
  }

  /// Adds what the request takes to a sum that others may have added to before.
  public Request timing(Timing sum) {
    timing = sum;
    return this;
  }

  /// Leaves out the decoding where no certificate needs it: latents only.
  public Request withoutPictures() {
    pictures = false;
    return this;
  }

  /// Refuses what a pipeline of texts would pass over.
  ///
  /// @param encoders how many text encoders there are
  /// @param sized whether the network is told sizes
  void requireFits(int encoders, boolean sized) {
    if ((encoders < 2 && !(prompts2.isEmpty() && negativePrompts2.isEmpty()))
        || (encoders < 3 && !prompts3.isEmpty())) {
      throw new IllegalArgumentException(
          "this pipeline has %d text encoder%s, but prompts were given for more"
              .formatted(encoders, encoders == 1 ? "" : "s"));
    }
    if (!sized && sizes != null) {
      throw new IllegalArgumentException("sizes are told to SDXL alone; leave them out");
    }
  }

  long[] seedOfEach() {
    if (seeds != null) {
      return seeds.clone();
    }
    return LongStream.range(0, Math.max(1, Math.max(prompts.size(), labels.length))).toArray();
  }

  boolean asksForTexts() {
    return !prompts.isEmpty();
  }

  boolean asksForLabels() {
    return labels.length > 0;
  }

  int[] labelOfEach() {
    int count = seedOfEach().length;
    if (labels.length == count) {
      return labels.clone();
    }
    requireOneOrAll("labels", labels.length, count);
    int[] all = new int[count];
    Arrays.fill(all, labels[0]);
    return all;
  }

  /// Returns a prompt for each picture, for a text encoder.
  ///
  /// @param encoder 1, 2 or 3
  List<String> promptOfEach(int encoder) {
    List<String> own = encoder == 2 ? prompts2 : encoder == 3 ? prompts3 : prompts;
    return ofEach("prompts", own.isEmpty() ? prompts : own);
  }

  /// Returns a negative prompt for each picture; empty if none was given.
  List<String> negativeOfEach(int encoder) {
    List<String> own = encoder == 2 ? negativePrompts2 : List.of();
    List<String> chosen = own.isEmpty() ? negativePrompts : own;
    return chosen.isEmpty() ? List.of() : ofEach("negative prompts", chosen);
  }

  private List<String> ofEach(String what, List<String> texts) {
    int count = seedOfEach().length;
    requireOneOrAll(what, texts.size(), count);
    return texts.size() == count
        ? texts
        : List.copyOf(Collections.nCopies(count, texts.getFirst()));
  }

  private static void requireOneOrAll(String what, int given, int count) {
    if (given != 1 && given != count) {
      throw new IllegalArgumentException(
          "need one of the %s or one for each of %d seeds, but there were %d"
              .formatted(what, count, given));
    }
  }

  int stepsOr(int fallback) {
    return steps.orElse(fallback);
  }

  double guidanceScaleOr(double fallback) {
    return guidanceScale.orElse(fallback);
  }

  int widthOr(int fallback) {
    return width == 0 ? fallback : width;
  }

  int heightOr(int fallback) {
    return height == 0 ? fallback : height;
  }

  int batch() {
    return batch;
  }

  boolean guidesEverywhere() {
    return guidanceLow == 0 && guidanceHigh == Double.POSITIVE_INFINITY;
  }

  double guidanceLow() {
    return guidanceLow;
  }

  double guidanceHigh() {
    return guidanceHigh;
  }

  Optional<Cads.Settings> cads() {
    return Optional.ofNullable(cads);
  }

  Optional<Latents> initialNoise() {
    return Optional.ofNullable(initialNoise);
  }

  Optional<StepListener> listener() {
    return Optional.ofNullable(listener);
  }

  Timing timing() {
    return timing;
  }

  Optional<Sizes> sizes() {
    return Optional.ofNullable(sizes);
  }

  boolean wantsPictures() {
    return pictures;
  }
}
