package spellshield.sampler.guarantee;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import spellshield.index.Coverage;
import spellshield.index.ProtectedSet;
import spellshield.index.kernel.Distance;
import spellshield.index.search.Neighbor;
import spellshield.index.store.Hashes;
import spellshield.index.store.RadiusScales;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// What was checked about one latent: it is outside the ball of every latent of a set.
///
/// It states `min_k ‖x0 − z_k‖ ≥ nearestLower > radius`, for the bytes whose hash it names and the
/// set whose hash it names; it says nothing about likeness in any other sense. Doubles are printed
/// so that they read back to the same bits.
///
/// Where some latents of the set have wider or narrower balls than others, it states `‖x0 − z_k‖ ≥
/// s_k·nearestLower > s_k·radius` for every k, s_k the scale of the latent in the set; then the
/// statement says so and `scales` has their range. Without such scales the JSON has no `scales`.
///
/// @param statement the claim in one sentence
/// @param setId SHA-256 of the set's manifest, which names the SHA-256 of every file of the set
/// @param setGeneration which generation of the set
/// @param setCount how many latents it protects
/// @param space the latent space, described
/// @param spaceFingerprint its fingerprint
/// @param radius r
/// @param nearestId the id of the nearest protected item, that of the least `‖x0 − z_k‖/s_k`; empty
///   for an empty set
/// @param nearestDistance the computed distance to it, +∞ for an empty set
/// @param nearestLower a number that the true distance to any protected latent, divided by its
///   scale, is not below; where all scales are 1, `nearestDistance − nearestLower` is the numeric
///   margin
/// @param arithmetic the name of the fixed arithmetic of the distance
/// @param search always `exact`
/// @param scales how wide the balls of the set are; empty where all are as wide as the radius
/// @param latentSha256 SHA-256 of the latent: D little-endian float32
/// @param file what was checked about the file that the latent became; empty where the file's
///   latent is this one, as of pixels
/// @param measured what was measured of the set's recommended radius; empty where nothing was
/// @param seed the seed that made it, after resampling
/// @param requestedSeed the seed that was asked for
/// @param attempts 1, and 1 more for each resampling
/// @param sampler and schedule, by name
/// @param steps of the sampler
/// @param shieldSearches searches during sampling
/// @param shieldActed predictions that the shield pushed
/// @param finalSearches exact searches after the last step
/// @param moved how far the finished latent was moved
public record Certificate(
    String statement,
    String setId,
    long setGeneration,
    long setCount,
    String space,
    String spaceFingerprint,
    double radius,
    String nearestId,
    double nearestDistance,
    double nearestLower,
    String arithmetic,
    String search,
    Optional<Scales> scales,
    String latentSha256,
    Optional<FileClaim> file,
    Optional<Measured> measured,
    long seed,
    long requestedSeed,
    int attempts,
    String sampler,
    int steps,
    int shieldSearches,
    int shieldActed,
    int finalSearches,
    double moved) {

  /// What a certificate claims where all balls are as wide as the radius.
  public static final String STATEMENT =
      "The latent with this SHA-256 is farther than the radius from every latent of the named set.";

  /// What a certificate claims where some balls are wider or narrower.
  public static final String SCALED_STATEMENT =
      "The latent with this SHA-256 is farther from every latent of the named set than the radius"
          + " times the scale that the set gives that latent.";

  /// The scales of a set: the ball of latent k has the radius `s_k·radius`.
  ///
  /// @param least no scale is below it, 1 or less
  /// @param largest no scale is above it, 1 or more
  /// @param ofNearest that of the nearest item, 1 for an empty set
  /// @param ofFilesNearest that of the item nearest to the file's latent, 1 without a file
  public record Scales(double least, double largest, double ofNearest, double ofFilesNearest) {}

  /// What was checked about the emitted picture, which a stranger can repeat from the file alone:
  /// `min_k ‖E(picture) − z_k‖ ≥ nearestLower > radius + encoderTolerance`.
  ///
  /// With scales, `‖E(picture) − z_k‖ > s_k·radius + encoderTolerance` for every k, and
  /// `‖E(picture) − z_k‖ ≥ s_k·nearestLower > s_k·radius`.
  ///
  /// @param statement the claim in one sentence
  /// @param pictureSha256 SHA-256 of the picture: width and height as 4 bytes each, the higher
  ///   first, then its samples, red, green, blue, row by row
  /// @param nearestId the id of the protected item nearest to the picture's latent, empty for an
  ///   empty set
  /// @param nearestDistance the distance to it, as computed
  /// @param nearestLower what the true distance to any protected latent, divided by its scale, is
  ///   not below
  /// @param encoderTolerance how far another machine's encoding of the picture may lie from the one
  ///   that was measured
  public record FileClaim(
      String statement,
      String pictureSha256,
      String nearestId,
      double nearestDistance,
      double nearestLower,
      double encoderTolerance) {

    /// What a certificate claims of its file where all balls are as wide as the radius.
    public static final String STATEMENT =
        "The picture with this SHA-256, encoded again, is farther than the radius from every latent of"
            + " the named set.";

    /// What a certificate claims of its file where some balls are wider or narrower.
    public static final String SCALED_STATEMENT =
        "The picture with this SHA-256, encoded again, is farther from every latent of the named set"
            + " than the radius times the scale that the set gives that latent.";
  }

  /// What was measured of the set's recommended radius, quoted from the set: how many edited copies
  /// of protected items it catches, and how many items that were never protected it blocks.
  ///
  /// @param statement the measurement in one sentence, with 95 % bounds
  /// @param coverage the counts, and the epoch of the set that they were made at
  /// @param warning one line where the certificate's radius is wider than the recommended one, else
  ///   empty
  public record Measured(String statement, Coverage coverage, String warning) {

    /// Quotes what a set says.
    ///
    /// @param radius of the certificate
    static Optional<Measured> of(ProtectedSet set, double radius) {
      return set.coverage()
          .map(coverage ->
              new Measured(coverage.toString(), coverage, coverage.warning(radius).orElse("")));
    }
  }

  private static final String SCALES = "scales";
  private static final String MEASURED = "measured";

  /// Fields that certificates of before do not have.
  private static final List<String> LATER = List.of(SCALES, MEASURED);

  /// A tolerance above this would hide a picture inside: distances are tens of units.
  private static final double MOST_TOLERANCE = 0.01;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  /// Returns the certificate as JSON.
  public String toJson() {
    ObjectNode json = MAPPER.valueToTree(this);
    if (scales.isEmpty()) {
      json.remove(SCALES); // as in certificates of before there were any
    }
    if (measured.isEmpty()) {
      json.remove(MEASURED);
    }
    return MAPPER.writeValueAsString(json);
  }

  /// Returns what names this certificate elsewhere: the SHA-256, in hex, of its JSON.
  public String id() {
    return Hashes.sha256(toJson().getBytes(StandardCharsets.UTF_8));
  }

  /// Reads a certificate back, also one of an earlier version, which quotes nothing that was
  /// measured.
  ///
  /// @throws IllegalArgumentException if the text is none
  public static Certificate parse(String json) {
    try {
      if (!(MAPPER.readTree(json) instanceof ObjectNode tree)) {
        throw new IllegalArgumentException("no certificate: " + json);
      }
      LATER.stream().filter(field -> !tree.has(field)).forEach(tree::putNull);
      return MAPPER.treeToValue(tree, Certificate.class);
    } catch (JacksonException e) {
      throw new IllegalArgumentException("no certificate: " + e.getOriginalMessage(), e);
    }
  }

  /// Checks the claim about the latent anew by brute force over the stored latents, without
  /// sketches or index.
  ///
  /// @param latent the latent that the certificate is said to be about
  /// @return what does not hold, a line each; empty when all does
  public List<String> check(ProtectedSet set, float[] latent) {
    List<String> problems = checkSet(set);
    require(
        problems, latentSha256.equals(sha256(latent)), "it is about the latent " + latentSha256);
    double scale = scales.map(Scales::ofNearest).orElse(1.0);
    checkDistances(problems, set, latent, nearestId, nearestDistance, nearestLower, scale, 0);
    return problems;
  }

  /// Checks the claim about the file anew by brute force.
  ///
  /// @param latent what the picture was encoded to here
  /// @param pictureSha256 the picture's hash, as [FileClaim] describes it
  /// @return what does not hold, a line each; empty when all does
  public List<String> checkFile(ProtectedSet set, float[] latent, String pictureSha256) {
    List<String> problems = checkSet(set);
    if (file.isEmpty()) {
      problems.add("it claims nothing of a file");
      return problems;
    }
    FileClaim claim = file.get();
    require(
        problems,
        claim
            .statement()
            .equals(scales.isEmpty() ? FileClaim.STATEMENT : FileClaim.SCALED_STATEMENT),
        "the statement is not the known one");
    require(
        problems,
        claim.pictureSha256().equals(pictureSha256),
        "it is about the picture " + claim.pictureSha256());
    require(
        problems,
        claim.encoderTolerance() >= 0 && claim.encoderTolerance() <= MOST_TOLERANCE,
        "the tolerance of the encoder is %s, which nobody grants"
            .formatted(claim.encoderTolerance()));
    checkDistances(
        problems,
        set,
        latent,
        claim.nearestId(),
        claim.nearestDistance(),
        claim.nearestLower(),
        scales.map(Scales::ofFilesNearest).orElse(1.0),
        claim.encoderTolerance());
    return problems;
  }

  private List<String> checkSet(ProtectedSet set) {
    List<String> problems = new ArrayList<>();
    require(
        problems,
        statement.equals(scales.isEmpty() ? STATEMENT : SCALED_STATEMENT),
        "the statement is not the known one");
    RadiusScales known = set.radiusScales();
    double least = scales.map(Scales::least).orElse(1.0);
    double largest = scales.map(Scales::largest).orElse(1.0);
    require(
        problems,
        least == known.least() && largest == known.largest(),
        "the radius scales are from %s to %s, not from %s to %s"
            .formatted(known.least(), known.largest(), least, largest));
    require(problems, setId.equals(set.id()), "it is about the set " + setId);
    require(
        problems,
        setGeneration == set.manifest().generation(),
        "it is about generation %d, but the set is generation %d"
            .formatted(setGeneration, set.manifest().generation()));
    require(
        problems,
        space.equals(set.space().toString()) && spaceFingerprint.equals(set.space().fingerprint()),
        "it is about the space '%s', but the set lives in '%s'".formatted(space, set.space()));
    require(
        problems, setCount == set.count(), "the set does not have %d latents".formatted(setCount));
    require(problems, Distance.ARITHMETIC.equals(arithmetic), "unknown arithmetic " + arithmetic);
    require(problems, search.equals("exact"), "the search was '%s', not exact".formatted(search));
    // Certificates of before quote nothing.
    require(
        problems,
        measured.isEmpty() || measured.equals(Measured.of(set, radius)),
        "what it says was measured is not what the set says");
    return problems;
  }

  /// Measures the distance to every latent and compares it with what was claimed.
  ///
  /// @param claimedScale of the nearest item
  /// @param tolerance how far the latent may lie from the one that was certified; 0 asks for the
  ///   same bits
  private void checkDistances(
      List<String> problems,
      ProtectedSet set,
      float[] latent,
      String claimedId,
      double claimedDistance,
      double claimedLower,
      double claimedScale,
      double tolerance) {
    if (latent.length != set.space().dim()) {
      problems.add(
          "the latent has %d values, but the set's have %d"
              .formatted(latent.length, set.space().dim()));
      return; // there is no distance to check
    }
    double lower = Double.POSITIVE_INFINITY;
    Neighbor nearest = new Neighbor(-1, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, 1);
    Neighbor claimed = nearest;
    String id = "";
    float[] stored = new float[latent.length];
    for (long item : (Iterable<Long>) set.living().items()::iterator) {
      double error = set.latents().read(item, stored);
      double scale = set.radiusScales().of(item);
      Neighbor neighbor = Neighbor.measure(item, latent, 0, stored, error, scale);
      if (neighbor.reachedAt() < nearest.reachedAt()) {
        nearest = neighbor;
        id = set.item(item).id();
      }
      if (tolerance > 0
          && neighbor.reachedAt() < claimed.reachedAt()
          && set.item(item).id().equals(claimedId)) {
        claimed = neighbor;
      }
      lower = Math.min(lower, neighbor.clearance());
    }
    // What moves by the tolerance is reached at a radius that differs by no more than this.
    double apart = tolerance / set.radiusScales().least();
    boolean sameNearest =
        tolerance == 0
            ? claimedDistance == nearest.distance()
                && claimedId.equals(id)
                && claimedScale == nearest.scale()
            : isNear(claimedDistance, claimed.distance(), tolerance)
                && claimedScale == claimed.scale()
                && isNear(claimedDistance / claimedScale, nearest.reachedAt(), apart);
    require(
        problems,
        sameNearest,
        "the nearest is '%s' at %s, not '%s' at %s"
            .formatted(id, nearest.distance(), claimedId, claimedDistance));
    require(
        problems,
        lower > radius
            && claimedLower > radius + (scales.isEmpty() ? tolerance : 0)
            && (claimedLower <= lower || claimedLower - lower <= apart),
        "the lower bound is %s, the certificate says %s, the radius is %s"
            .formatted(lower, claimedLower, radius));
  }

  private static boolean isNear(double a, double b, double tolerance) {
    return a == b || Math.abs(a - b) <= tolerance; // infinities are equal
  }

  private static void require(List<String> problems, boolean holds, String message) {
    if (!holds) {
      problems.add(message);
    }
  }

  /// Returns the SHA-256, in hex, of a latent's little-endian float32 values.
  public static String sha256(float[] latent) {
    ByteBuffer bytes = ByteBuffer.allocate(latent.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(latent);
    return Hashes.sha256(bytes.array());
  }
}
